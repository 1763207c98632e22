// Command pulumi-resource-alicloud is the Pulumi plugin for Alibaba Cloud: the upstream Terraform provider under the
// Pulumi bridge, for the resources of table/resources.txt.
package main

import (
	_ "embed"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"paistack/engine/provider/bridge"
)

//go:embed schema.json
var schema []byte // written by ./schemagen

func main() {
	info, err := bridge.Info()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-alicloud:", err)
		os.Exit(1)
	}
	tfbridge.Main(bridge.Name, bridge.Version, info, schema)
}
