package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// upstream is a provider in the upstream's layout: two resources, one data source, a client with a call for each.
var upstream = map[string]string{
	"go.mod": "module example\n",
	"alicloud/provider.go": `package alicloud

import "example/alicloud/connectivity"

func Provider() any {
	return provider{
		DataSourcesMap: map[string]any{"alicloud_zones": dataZones()},
		ResourcesMap: map[string]any{
			"alicloud_bucket": resourceBucket(),
			"alicloud_queue":  resourceQueue(),
		},
	}
}

type provider struct{ DataSourcesMap, ResourcesMap map[string]any }

var client = &connectivity.AliyunClient{}
`,
	"alicloud/bucket.go": `package alicloud

import (
	"fmt"
	"strings"
)

func resourceBucket() any { return fmt.Sprint(client.Bucket(), kind) }

func unusedHelper() string { return strings.ToUpper("x") }

const kind = "bucket"
`,
	"alicloud/queue.go": "package alicloud\n\nfunc resourceQueue() any { return client.Queue() }\n",
	"alicloud/zones.go": "package alicloud\n\nfunc dataZones() any { return nil }\n",
	"alicloud/connectivity/client.go": `package connectivity

import (
	"example/sdk/bucket"
	"example/sdk/queue"
)

type AliyunClient struct {
	bucketconn *bucket.Client
	queueconn  *queue.Client
}

func (c *AliyunClient) Bucket() any { return c.bucketconn }

func (c *AliyunClient) Queue() any { return c.queueconn }
`,
	"alicloud/helper/helper.go":      "package helper\n",
	"alicloud/helper/helper_test.go": "package helper\n",
}

func trimmed(t *testing.T, wanted names) (string, error) {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	for name, text := range upstream {
		path := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return out, trim(in, out, wanted)
}

func TestOnlyWhatAWantedResourceReachesIsKept(t *testing.T) {
	out, err := trimmed(t, names{"alicloud_bucket": true})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ has, lacks []string }{
		"alicloud/provider.go": {has: []string{`"alicloud_bucket"`}, lacks: []string{"alicloud_queue", "alicloud_zones"}},
		"alicloud/bucket.go":   {has: []string{`import "fmt"`, "kind"}, lacks: []string{"unusedHelper", "strings"}},
		"alicloud/connectivity/client.go": {
			has: []string{"bucketconn", "Bucket()", `"example/sdk/bucket"`}, lacks: []string{"queue", "Queue"},
		},
		"alicloud/helper/helper.go": {has: []string{"package helper"}},
		"go.mod":                    {has: []string{"module example"}},
	} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want.has {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s lacks %s:\n%s", name, part, text)
			}
		}
		for _, part := range want.lacks {
			if strings.Contains(string(text), part) {
				t.Errorf("%s still has %s:\n%s", name, part, text)
			}
		}
	}
	for _, name := range []string{"alicloud/queue.go", "alicloud/zones.go", "alicloud/helper/helper_test.go"} {
		if _, err := os.Stat(filepath.Join(out, name)); !os.IsNotExist(err) {
			t.Errorf("%s is there (%v)", name, err)
		}
	}
}

func TestAResourceThatUpstreamLacksIsNamed(t *testing.T) {
	_, err := trimmed(t, names{"alicloud_bucket": true, "alicloud_bukcet": true})
	if err == nil || !strings.Contains(err.Error(), "not in the upstream provider: alicloud_bukcet") {
		t.Errorf("got %v", err)
	}
}
