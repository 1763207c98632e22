package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/blang/semver"
	codegen "github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// generator names this program in the header of generated code.
const generator = "pulumi-language-python"

// GeneratePackage writes a Python SDK for a package schema, for `pulumi package add`.
func (h *host) GeneratePackage(
	_ context.Context, req *rpc.GeneratePackageRequest,
) (*rpc.GeneratePackageResponse, error) {
	client, err := schema.NewLoaderClient(req.GetLoaderTarget())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	loader := schema.NewCachedLoader(client)
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(req.GetSchema()), &spec); err != nil {
		return nil, fmt.Errorf("reading the package's schema: %w", err)
	}
	pkg, diagnostics, err := schema.BindSpec(spec, loader, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	resp := &rpc.GeneratePackageResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(diagnostics)}
	if diagnostics.HasErrors() {
		return resp, nil
	}
	files, err := codegen.GeneratePackage(generator, pkg, req.GetExtraFiles(), loader)
	if err != nil {
		return nil, err
	}
	return resp, writeFiles(req.GetDirectory(), files)
}

func writeFiles(dir string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Link adds generated SDKs to the program's requirements and says how to import them.
func (h *host) Link(ctx context.Context, req *rpc.LinkRequest) (*rpc.LinkResponse, error) {
	tc, _, err := resolveToolchain(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	client, err := schema.NewLoaderClient(req.GetLoaderTarget())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	loader := schema.NewCachedLoader(client)
	paths := map[string]string{} // Python distribution -> directory of its SDK
	instructions := "You can import the SDK in your Python code with:\n\n"
	for _, dependency := range req.GetPackages() {
		if dependency.GetPackage().GetName() == "pulumi" {
			paths["pulumi"] = dependency.GetPath()
			continue
		}
		ref, err := schema.LoadPackageReferenceV2(ctx, loader, describe(dependency.GetPackage()))
		if err != nil {
			return nil, err
		}
		module := codegen.PyPack(ref.Namespace(), ref.Name())
		paths[module] = dependency.GetPath()
		instructions += fmt.Sprintf("  import %s as %s\n", module, strings.ReplaceAll(ref.Name(), "-", "_"))
	}
	if err := tc.LinkPackages(ctx, paths); err != nil {
		return nil, err
	}
	return &rpc.LinkResponse{ImportInstructions: instructions}, nil
}

// describe says which schema a dependency has. A version that is not a semantic one is left open: a package that lies
// in a directory has none.
func describe(dependency *rpc.PackageDependency) *schema.PackageDescriptor {
	wanted := &schema.PackageDescriptor{Name: dependency.GetName(), DownloadURL: dependency.GetServer()}
	if version, err := semver.ParseTolerant(dependency.GetVersion()); err == nil {
		wanted.Version = &version
	}
	if p := dependency.GetParameterization(); p != nil {
		wanted.Parameterization = &schema.ParameterizationDescriptor{Name: p.GetName(), Value: p.GetValue()}
		if version, err := semver.ParseTolerant(p.GetVersion()); err == nil {
			wanted.Parameterization.Version = version
		}
	}
	return wanted
}
