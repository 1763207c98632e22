// Command schemagen writes the Pulumi schema of the provider's resources to a file. It is run when the table or a version
// changes (`make engine-schema`), and the file is committed as schema.json: so the plugin itself links no code generator.
//
//	go run ./schemagen FILE
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"

	"paistack/engine/provider/bridge"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen FILE")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func generate(path string) error {
	info, err := bridge.Info()
	if err != nil {
		return err
	}
	generated, err := tfgen.GenerateSchemaWithOptions(tfgen.GenerateSchemaOptions{
		ProviderInfo:    info,
		DiagnosticsSink: diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: colors.Never}),
		XInMemoryDocs:   true,
	})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	if err := out.Encode(generated.PackageSpec); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
