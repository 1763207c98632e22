package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// installedSDK is an installed Python distribution that carries a pulumi-plugin.json.
type installedSDK struct {
	Distribution string
	Version      string
	PluginJSON   string
}

// listSDKs prints the installed SDKs as JSON. One start of Python; `pip list` would take several times as long.
const listSDKs = `
import importlib.metadata, json
found = {}
for distribution in importlib.metadata.distributions():
    for file in distribution.files or ():
        if file.name == "pulumi-plugin.json" and len(file.parts) == 2:
            found[distribution.metadata["Name"]] = (distribution.version, file.locate().read_text())
print(json.dumps([{"Distribution": n, "Version": v, "PluginJSON": t} for n, (v, t) in sorted(found.items())]))
`

// GetRequiredPackages tells the engine which resource plugins the program's installed SDKs want.
func (h *host) GetRequiredPackages(
	ctx context.Context, req *rpc.GetRequiredPackagesRequest,
) (*rpc.GetRequiredPackagesResponse, error) {
	tc, _, err := resolveToolchain(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	dir := req.GetInfo().GetProgramDirectory()
	if err := tc.EnsureVenv(ctx, dir, false, true, os.Stderr, os.Stderr); err != nil {
		return nil, err
	}
	cmd, err := tc.Command(ctx, "-c", listSDKs)
	if err != nil {
		return nil, err
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the installed Pulumi SDKs: %w", err)
	}
	var sdks []installedSDK
	if err := json.Unmarshal(out, &sdks); err != nil {
		return nil, fmt.Errorf("listing the installed Pulumi SDKs: %w", err)
	}
	resp := &rpc.GetRequiredPackagesResponse{}
	for _, sdk := range sdks {
		dependency, err := requiredPackage(sdk)
		if err != nil {
			return nil, err
		}
		if dependency != nil {
			resp.Packages = append(resp.Packages, dependency)
		}
	}
	return resp, nil
}

// requiredPackage reads which plugin an SDK wants; nil if it wants none, or if no version can be told. What its
// pulumi-plugin.json leaves open follows from the distribution: `pulumi_alicloud` 4.0.0 wants alicloud v4.0.0.
func requiredPackage(sdk installedSDK) (*rpc.PackageDependency, error) {
	var p plugin.PulumiPluginJSON
	if err := json.Unmarshal([]byte(sdk.PluginJSON), &p); err != nil {
		return nil, fmt.Errorf("pulumi-plugin.json of %s: %w", sdk.Distribution, err)
	}
	if !p.Resource {
		return nil, nil
	}
	name, version := p.Name, p.Version
	if name == "" {
		name = strings.TrimPrefix(strings.ReplaceAll(sdk.Distribution, "_", "-"), "pulumi-")
	}
	if version == "" {
		if _, err := semver.Parse(sdk.Version); err != nil {
			return nil, nil // a Python pre-release such as 4.0.0a1 does not tell the plugin's version
		}
		version = sdk.Version
	}
	dependency := &rpc.PackageDependency{
		Kind: "resource", Name: name, Version: "v" + strings.TrimPrefix(version, "v"), Server: p.Server,
	}
	if base := p.Parameterization; base != nil {
		dependency.Parameterization = &rpc.PackageParameterization{
			Name: base.Name, Version: base.Version, Value: base.Value,
		}
	}
	return dependency, nil
}
