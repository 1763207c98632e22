package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

const kindAnalyzer = "analyzer" // the engine's name for policy packs; every other kind is a resource plugin

// RunPlugin runs a policy pack or a component package, passing its output on until it ends.
func (h *host) RunPlugin(req *rpc.RunPluginRequest, server rpc.LanguageRuntime_RunPluginServer) error {
	isPolicy := req.GetKind() == kindAnalyzer
	tc, opts, err := resolveToolchain(req.GetInfo(), !isPolicy)
	if err != nil {
		return err
	}
	arguments, err := pluginArguments(req, opts.Root)
	if err != nil {
		return err
	}
	ctx := server.Context()
	cmd, err := tc.Command(ctx, arguments...)
	if err != nil {
		return err
	}
	cmd.Env = append(environment(cmd), req.GetEnv()...)
	streams, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer streams.Close()
	cmd.Stderr = stderr
	if isPolicy {
		cmd.Dir = req.GetInfo().GetProgramDirectory()
		err = runPolicyPack(ctx, cmd, stdout)
	} else {
		cmd.Dir, cmd.Stdout = req.GetPwd(), stdout
		err = cmd.Run()
	}
	code, err := exitCode(err)
	if err != nil {
		return fmt.Errorf("running plugin %s: %w", req.GetName(), err)
	}
	if err := streams.Close(); err != nil || code == 0 {
		return err
	}
	return server.Send(&rpc.RunPluginResponse{Output: &rpc.RunPluginResponse_Exitcode{Exitcode: int32(code)}})
}

// pluginArguments says how Python starts a plugin: a policy pack under the SDK's policy runner, a directory with
// __main__.py as it is, and an installed package under the SDK's component host.
func pluginArguments(req *rpc.RunPluginRequest, root string) ([]string, error) {
	dir := req.GetInfo().GetProgramDirectory()
	if req.GetKind() == kindAnalyzer {
		return append(append([]string{"-u", "-m", "pulumi.policy"}, req.GetArgs()...), dir), nil
	}
	_, err := os.Stat(filepath.Join(root, "__main__.py"))
	switch {
	case err == nil:
		return append([]string{"-u", dir}, req.GetArgs()...), nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	pyproject, err := toolchain.LoadPyproject(root)
	if err != nil || pyproject.Project == nil {
		return nil, fmt.Errorf("%s has neither __main__.py nor a pyproject.toml with project.name", root)
	}
	return append([]string{"-u", "-m", "pulumi.run.plugin", pyproject.Project.Name}, req.GetArgs()...), nil
}

// runPolicyPack runs a policy pack behind the SDK's proxy. The engine tells the stack by a call (ConfigureStack), the
// pack reads it from environment variables when it starts: so the proxy takes that call before the pack is started, and
// then passes every other call on.
func runPolicyPack(ctx context.Context, cmd *exec.Cmd, stdout io.Writer) error {
	proxy, packOutput, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return err
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return fmt.Errorf("waiting for the stack's configuration: %w", err)
	}
	if stack != nil { // absent when the engine only asks what the pack contains
		variables, err := stackEnvironment(stack)
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, variables...)
	}
	cmd.Stdout = packOutput
	if err := cmd.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, cmd)
}

func stackEnvironment(stack *rpc.AnalyzerStackConfigureRequest) ([]string, error) {
	config, err := jsonObject(stack.GetConfig())
	if err != nil {
		return nil, err
	}
	variables := []string{
		"PULUMI_PROJECT=" + stack.GetProject(),
		"PULUMI_STACK=" + stack.GetStack(),
		"PULUMI_DRY_RUN=" + strconv.FormatBool(stack.GetDryRun()),
		"PULUMI_CONFIG=" + config,
	}
	if organization := stack.GetOrganization(); organization != "" {
		variables = append(variables, "PULUMI_ORGANIZATION="+organization)
	}
	return variables, nil
}
