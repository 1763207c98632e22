package table

import (
	"strings"
	"testing"
)

func TestResourcesAreReadable(t *testing.T) {
	resources, err := Resources()
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]bool{}
	for _, r := range resources {
		tokens[r.Token()] = true
	}
	if !tokens["alicloud:oss/bucketObject:BucketObject"] || len(tokens) != len(resources) {
		t.Errorf("%d resources give %d tokens: %v", len(resources), len(tokens), tokens)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"alicloud_vpc vpc":                           "resources.txt:1",
		"# comment\nalicloud_vpc vpc Network extra":  "resources.txt:2",
		"alicloud_vpc vpc Network\nalicloud_vpc a B": "alicloud_vpc is listed twice",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}
