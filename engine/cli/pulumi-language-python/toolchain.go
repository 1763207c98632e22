package main

import (
	"fmt"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// pluginVirtualenv is where a plugin with a pip toolchain keeps its own packages, if it does not say otherwise. A
// program without options uses the ambient Python instead.
const pluginVirtualenv = "venv"

// parseOptions reads `runtime.options` of Pulumi.yaml, PulumiPlugin.yaml or PulumiPolicy.yaml.
func parseOptions(info *rpc.ProgramInfo, isPlugin bool) (toolchain.PythonOptions, error) {
	opts := toolchain.PythonOptions{Root: info.GetRootDirectory(), ProgramDir: info.GetProgramDirectory()}
	for name, value := range info.GetOptions().AsMap() {
		text, ok := value.(string)
		if !ok {
			return opts, fmt.Errorf("runtime.options.%s is %v; it must be a string", name, value)
		}
		switch name {
		case "virtualenv":
			opts.Virtualenv = text
		case "toolchain":
			if err := setToolchain(&opts, text); err != nil {
				return opts, err
			}
		case "typechecker":
			return opts, fmt.Errorf(
				"runtime.options.typechecker is %q; this language host runs no type checker: remove the option", text)
		default:
			return opts, fmt.Errorf("runtime.options.%s is unknown; known are virtualenv and toolchain", name)
		}
	}
	usesPip := opts.Toolchain == toolchain.Auto || opts.Toolchain == toolchain.Pip
	if isPlugin && usesPip && opts.Virtualenv == "" {
		opts.Virtualenv = pluginVirtualenv
	}
	return opts, nil
}

func setToolchain(opts *toolchain.PythonOptions, name string) error {
	switch name {
	case "pip":
		opts.Toolchain = toolchain.Pip
	case "poetry":
		opts.Toolchain = toolchain.Poetry
	case "uv":
		opts.Toolchain = toolchain.Uv
	default:
		return fmt.Errorf("runtime.options.toolchain is %q; it must be pip, poetry or uv", name)
	}
	return nil
}

// resolveToolchain finds the Python and the package manager of a program or plugin.
func resolveToolchain(info *rpc.ProgramInfo, isPlugin bool) (toolchain.Toolchain, toolchain.PythonOptions, error) {
	opts, err := parseOptions(info, isPlugin)
	if err != nil {
		return nil, opts, err
	}
	tc, err := toolchain.ResolveToolchain(opts)
	return tc, opts, err
}
