package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestAPluginIsStartedByItsLayout(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		files      map[string]string
		want       []string // DIR stands for the plugin's directory
	}{
		{"a policy pack", kindAnalyzer, nil, []string{"-u", "-m", "pulumi.policy", "ADDRESS", "DIR"}},
		{"a directory with __main__.py", "resource", map[string]string{"__main__.py": ""}, []string{"-u", "DIR", "ADDRESS"}},
		{
			"a package with components", "resource",
			map[string]string{"pyproject.toml": "[project]\nname = \"parts\"\nversion = \"1.0\"\n"},
			[]string{"-u", "-m", "pulumi.run.plugin", "parts", "ADDRESS"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			req := &rpc.RunPluginRequest{
				Kind: c.kind, Args: []string{"ADDRESS"}, Info: &rpc.ProgramInfo{ProgramDirectory: dir},
			}
			got, err := pluginArguments(req, dir)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				c.want[i] = strings.ReplaceAll(c.want[i], "DIR", dir)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestADirectoryThatIsNoPluginIsNamed(t *testing.T) {
	dir := t.TempDir()
	req := &rpc.RunPluginRequest{Kind: "resource", Info: &rpc.ProgramInfo{ProgramDirectory: dir}}
	if _, err := pluginArguments(req, dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestAMissingConfigurationIsEmptyNotNull(t *testing.T) {
	variables, err := stackEnvironment(&rpc.AnalyzerStackConfigureRequest{Project: "p", Stack: "dev", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"PULUMI_PROJECT=p", "PULUMI_STACK=dev", "PULUMI_DRY_RUN=true", "PULUMI_CONFIG={}"}
	if !slices.Equal(variables, want) {
		t.Errorf("got %v", variables)
	}
}
