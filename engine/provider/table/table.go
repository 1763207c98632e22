// Package table is the list of Alibaba Cloud resources that this provider serves.
package table

import (
	_ "embed"
	"fmt"
	"strings"
)

// Resource is a line of resources.txt.
type Resource struct {
	Terraform string // name in the upstream Terraform provider: alicloud_oss_bucket
	Module    string // module of the Pulumi package: oss
	Name      string // class in that module: Bucket
}

// Token is the Pulumi type of the resource: alicloud:oss/bucket:Bucket.
func (r Resource) Token() string {
	return fmt.Sprintf("alicloud:%s/%s%s:%s", r.Module, strings.ToLower(r.Name[:1]), r.Name[1:], r.Name)
}

//go:embed resources.txt
var text string

// Resources returns the table in the order of resources.txt.
func Resources() ([]Resource, error) { return parse(text) }

func parse(text string) ([]Resource, error) {
	var resources []Resource
	known := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("resources.txt:%d: %q is not: terraform name, module, Pulumi name", i+1, line)
		}
		if known[fields[0]] {
			return nil, fmt.Errorf("resources.txt:%d: %s is listed twice", i+1, fields[0])
		}
		known[fields[0]] = true
		resources = append(resources, Resource{Terraform: fields[0], Module: fields[1], Name: fields[2]})
	}
	return resources, nil
}
