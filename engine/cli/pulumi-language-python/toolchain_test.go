package main

import (
	"strings"
	"testing"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/protobuf/types/known/structpb"
)

func programWith(t *testing.T, options map[string]any) *rpc.ProgramInfo {
	t.Helper()
	encoded, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	return &rpc.ProgramInfo{RootDirectory: "/project", ProgramDirectory: "/project/program", Options: encoded}
}

func TestOptionsAreRead(t *testing.T) {
	for _, c := range []struct {
		name       string
		options    map[string]any
		isPlugin   bool
		virtualenv string
		toolchain  string
	}{
		{name: "a program without options uses the ambient Python", toolchain: "Auto"},
		{name: "a plugin without options has its own environment", isPlugin: true, virtualenv: "venv", toolchain: "Auto"},
		{
			name: "a plugin with uv leaves the place to uv", isPlugin: true,
			options: map[string]any{"toolchain": "uv"}, toolchain: "Uv",
		},
		{
			name:    "what is given is kept",
			options: map[string]any{"virtualenv": ".venv", "toolchain": "pip"}, virtualenv: ".venv", toolchain: "Pip",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts, err := parseOptions(programWith(t, c.options), c.isPlugin)
			if err != nil {
				t.Fatal(err)
			}
			if opts.Virtualenv != c.virtualenv || toolchain.Name(opts.Toolchain) != c.toolchain || opts.Root != "/project" {
				t.Errorf("got %+v", opts)
			}
		})
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	for want, options := range map[string]map[string]any{
		`runtime.options.toolchain is "conda"; it must be pip, poetry or uv`: {"toolchain": "conda"},
		"runtime.options.virtualenv is 3; it must be a string":               {"virtualenv": 3},
		`runtime.options.typechecker is "mypy"`:                              {"typechecker": "mypy"},
		"runtime.options.virtualenvs is unknown":                             {"virtualenvs": ".venv"},
	} {
		if _, err := parseOptions(programWith(t, options), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", options, err, want)
		}
	}
}
