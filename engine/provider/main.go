// Command pulumi-resource-alicloud is the Pulumi plugin for Alibaba Cloud: the upstream Terraform provider under the
// Pulumi bridge, for the resources of table/resources.txt.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"time"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"paistack/engine/provider/bridge"
)

// parentInterval is how often the plugin looks whether the engine is still there.
const parentInterval = time.Second

//go:embed schema.json
var schema []byte // written by ./schemagen

func main() {
	info, err := bridge.Info()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-alicloud:", err)
		os.Exit(1)
	}
	go exitWithParent()
	tfbridge.Main(bridge.Name, bridge.Version, info, schema)
}

// exitWithParent ends the plugin when the engine that started it is gone. An engine that was killed cannot end it, and a
// plugin that lives on would go on asking the cloud while the next run is at work.
func exitWithParent() {
	parent := os.Getppid()
	for range time.Tick(parentInterval) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}
