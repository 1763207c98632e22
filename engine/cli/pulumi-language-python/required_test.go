package main

import "testing"

func TestAnSDKNamesItsPlugin(t *testing.T) {
	for _, c := range []struct {
		sdk           installedSDK
		name, version string
	}{
		{installedSDK{"pulumi_alicloud", "4.0.0", `{"resource": true, "name": "alicloud", "version": "4.0.0"}`}, "alicloud", "v4.0.0"},
		{installedSDK{"pulumi_alicloud", "4.0.0", `{"resource": true}`}, "alicloud", "v4.0.0"},
		{installedSDK{"pulumi-aws-native", "v1.2.3", `{"resource": true, "version": "v1.2.3"}`}, "aws-native", "v1.2.3"},
		{installedSDK{"pulumi_alicloud", "4.0.0a1", `{"resource": true}`}, "", ""},
		{installedSDK{"pulumi_policy", "1.0.0", `{"resource": false}`}, "", ""},
	} {
		got, err := requiredPackage(c.sdk)
		if err != nil {
			t.Fatal(err)
		}
		if got.GetName() != c.name || got.GetVersion() != c.version {
			t.Errorf("%+v wants %v, expected %s %s", c.sdk, got, c.name, c.version)
		}
	}
}

func TestABrokenPluginFileIsNamed(t *testing.T) {
	if _, err := requiredPackage(installedSDK{"pulumi_x", "1.0.0", "{"}); err == nil {
		t.Error("no error")
	}
}
