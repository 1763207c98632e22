// Command trim copies the upstream Terraform provider with only the code that the table's resources need.
//
//	go run ./trim UPSTREAM_MODULE_DIR OUT_DIR
//
// The upstream provider is one Go package of some 2100 files beside a client package that imports some 40 service SDKs.
// Compiling all of it takes three times as long and three times the memory, and makes the plugin three times as large.
//
// Declarations are kept whole or dropped whole, but for two: Provider() loses the map entries of resources that are not
// in the table, and the client type loses the fields that nothing mentions. Kept is what can be reached from Provider()
// by name; the compiler then checks the result. The build takes the copy by a replace directive, since a go build
// overlay may not cover files of the module cache.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"paistack/engine/provider/table"
)

const (
	providerPackage = "alicloud"
	clientPackage   = "alicloud/connectivity"
	entryPoint      = "Provider"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: trim UPSTREAM_MODULE_DIR OUT_DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "trim:", err)
		os.Exit(1)
	}
}

func run(upstream, out string) error {
	resources, err := table.Resources()
	if err != nil {
		return err
	}
	wanted := names{}
	for _, r := range resources {
		wanted[r.Terraform] = true
	}
	return trim(upstream, out, wanted)
}

// trim writes the module at upstream to out with what the wanted resources need.
func trim(upstream, out string, wanted names) error {
	if err := copyOthers(upstream, out); err != nil {
		return err
	}
	mentioned := names{entryPoint: true}
	for _, step := range []struct {
		dir    string
		wanted names
	}{
		{providerPackage, wanted},
		{clientPackage, nil}, // second: needs to know what the provider mentions of it
	} {
		p, err := load(filepath.Join(upstream, step.dir), step.wanted)
		if err != nil {
			return err
		}
		mentioned = p.keep(mentioned)
		if err := p.write(filepath.Join(out, step.dir)); err != nil {
			return err
		}
	}
	return nil
}

// copyOthers copies go.mod and, whole, the small packages below the provider's.
func copyOthers(upstream, out string) error {
	below, err := filepath.Glob(filepath.Join(upstream, providerPackage, "*", "*.go"))
	if err != nil {
		return err
	}
	for _, path := range append(below, filepath.Join(upstream, "go.mod")) {
		name, err := filepath.Rel(upstream, path)
		if err != nil {
			return err
		}
		if filepath.ToSlash(filepath.Dir(name)) == clientPackage || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err := copyFile(path, filepath.Join(out, name)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
