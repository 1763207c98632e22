package main

import (
	"context"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	codegen "github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// GenerateProgram writes Python for resources that `pulumi import` has taken over; the engine describes them in PCL.
func (h *host) GenerateProgram(
	_ context.Context, req *rpc.GenerateProgramRequest,
) (*rpc.GenerateProgramResponse, error) {
	client, err := schema.NewLoaderClient(req.GetLoaderTarget())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	program, diagnostics, err := bindProgram(req, schema.NewCachedLoader(client))
	if err != nil {
		return nil, err
	}
	resp := &rpc.GenerateProgramResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(diagnostics)}
	if program == nil || diagnostics.HasErrors() {
		return resp, nil
	}
	files, generated, err := codegen.GenerateProgram(program)
	if err != nil {
		return nil, err
	}
	resp.Source = files
	resp.Diagnostics = append(resp.Diagnostics, plugin.HclDiagnosticsToRPCDiagnostics(generated)...)
	return resp, nil
}

func bindProgram(req *rpc.GenerateProgramRequest, loader schema.Loader) (*pcl.Program, hcl.Diagnostics, error) {
	parser := syntax.NewParser()
	for name, text := range req.GetSource() {
		if err := parser.ParseFile(strings.NewReader(text), name); err != nil {
			return nil, nil, err
		}
	}
	if parser.Diagnostics.HasErrors() {
		return nil, parser.Diagnostics, nil
	}
	options := []pcl.BindOption{pcl.PreferOutputVersionedInvokes}
	if !req.GetStrict() {
		options = append(options, pcl.NonStrictBindOptions()...)
	}
	return pcl.BindProgram(parser.Files, loader, options...)
}
