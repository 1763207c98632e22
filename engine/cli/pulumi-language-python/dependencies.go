package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// InstallDependencies makes the virtual environment of a program or plugin and installs what it requires.
func (h *host) InstallDependencies(
	req *rpc.InstallDependenciesRequest, server rpc.LanguageRuntime_InstallDependenciesServer,
) error {
	tc, _, err := resolveToolchain(req.GetInfo(), req.GetIsPlugin())
	if err != nil {
		return err
	}
	streams, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, req.GetIsTerminal())
	if err != nil {
		return err
	}
	defer streams.Close()
	ctx, dir := server.Context(), req.GetInfo().GetProgramDirectory()
	fmt.Fprint(stdout, "Installing dependencies...\n\n")
	if req.GetIsPlugin() {
		if err := installPluginPackage(ctx, tc, req, stdout, stderr); err != nil {
			return err
		}
	}
	if err := tc.InstallDependencies(ctx, dir, req.GetUseLanguageVersionTools(), true, stdout, stderr); err != nil {
		return err
	}
	fmt.Fprint(stdout, "Finished installing dependencies\n\n")
	return streams.Close()
}

// installPluginPackage installs a plugin that is itself a Python package into its own environment, where
// pulumi.run.plugin imports it from; a plugin that is a plain directory needs nothing.
func installPluginPackage(
	ctx context.Context, tc toolchain.Toolchain, req *rpc.InstallDependenciesRequest, stdout, stderr io.Writer,
) error {
	dir := req.GetInfo().GetProgramDirectory()
	if isPackage, err := toolchain.IsBuildablePackage(dir); err != nil || !isPackage {
		return err
	}
	if err := tc.EnsureVenv(ctx, dir, req.GetUseLanguageVersionTools(), true, stdout, stderr); err != nil {
		return err
	}
	cmd, err := tc.ModuleCommand(ctx, "pip", "install", dir)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("installing the plugin's package %s: %w", dir, err)
	}
	return nil
}

// About reports the Python and the package manager in use, for `pulumi about`.
func (h *host) About(ctx context.Context, req *rpc.AboutRequest) (*rpc.AboutResponse, error) {
	tc, opts, err := resolveToolchain(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	info, err := tc.About(ctx)
	if err != nil {
		return nil, err
	}
	return &rpc.AboutResponse{
		Executable: info.PythonExecutable,
		Version:    info.PythonVersion.String(),
		Metadata: map[string]string{
			"toolchain":        toolchain.Name(opts.Toolchain),
			"toolchainVersion": info.ToolchainVersion.String(),
		},
	}, nil
}

// GetProgramDependencies lists the installed Python packages, for `pulumi about`.
func (h *host) GetProgramDependencies(
	ctx context.Context, req *rpc.GetProgramDependenciesRequest,
) (*rpc.GetProgramDependenciesResponse, error) {
	tc, _, err := resolveToolchain(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	packages, err := tc.ListPackages(ctx, req.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	resp := &rpc.GetProgramDependenciesResponse{}
	for _, p := range packages {
		resp.Dependencies = append(resp.Dependencies, &rpc.DependencyInfo{Name: p.Name, Version: p.Version})
	}
	return resp, nil
}
