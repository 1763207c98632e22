// Package bridge describes the upstream Terraform provider to the Pulumi bridge, cut down to the table's resources.
package bridge

import (
	"github.com/aliyun/terraform-provider-alicloud/alicloud"
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"paistack/engine/provider/table"
)

const (
	// Name is the Pulumi package that this provider serves.
	Name = "alicloud"
	// Version is that of the Python SDK pulumi_alicloud, whose pulumi-plugin.json asks for this plugin.
	Version = "4.0.0"
	// nameLength is the length up to which the released plugin makes names.
	nameLength = 255
)

// Info returns the bridge's description of the provider.
func Info() (tfbridge.ProviderInfo, error) {
	resources, err := table.Resources()
	if err != nil {
		return tfbridge.ProviderInfo{}, err
	}
	upstream := shimv1.NewProvider(alicloud.Provider().(*schema.Provider))
	info := tfbridge.ProviderInfo{
		P:            upstream,
		Name:         Name,
		Version:      Version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources:    map[string]*tfbridge.ResourceInfo{},
		Config: map[string]*tfbridge.SchemaInfo{ // the defaults of the released plugin
			"ecs_role_name": fromVariable("ALICLOUD_ECS_ROLE_NAME"),
			"profile":       fromVariable("ALICLOUD_PROFILE"),
			"region":        fromVariable("ALICLOUD_REGION"),
		},
	}
	for _, r := range resources {
		info.Resources[r.Terraform] = &tfbridge.ResourceInfo{Tok: tokens.Type(r.Token())}
	}
	ignoreOthers := func(name string, _ shim.Resource) bool {
		if info.Resources[name] == nil {
			info.IgnoreMappings = append(info.IgnoreMappings, name)
		}
		return true
	}
	upstream.ResourcesMap().Range(ignoreOthers)
	upstream.DataSourcesMap().Range(ignoreOthers)
	// As the released plugin does: a resource without a `name` is called "<logical name>-<7 hex digits>".
	info.SetAutonaming(nameLength, "-")
	return info, nil
}

func fromVariable(name string) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{name}}}
}
