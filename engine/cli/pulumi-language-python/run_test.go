package main

import (
	"bytes"
	"context"
	"os/exec"
	"testing"
	"time"
)

func TestOutputEndsWithTheInterruption(t *testing.T) {
	running, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var shown bytes.Buffer
	out := untilInterrupted{running, &shown}
	for _, text := range []string{"before ", "after"} {
		if n, err := out.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("wrote %d of %q: %v", n, text, err)
		}
		interrupt()
	}
	if shown.String() != "before " {
		t.Errorf("shown: %q", shown.String())
	}
}

func TestEndingsAreTold(t *testing.T) {
	for script, want := range map[string]struct {
		code   int
		failed bool
	}{
		"exit 0":         {0, false},
		"exit 7":         {7, false},
		"kill -KILL $$":  {0, true},
		"sleep 5 & exit": {0, false}, // the child keeps the output open
	} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Stdout, cmd.WaitDelay = &bytes.Buffer{}, 50*time.Millisecond
		code, err := exitCode(cmd.Run())
		if code != want.code || (err != nil) != want.failed {
			t.Errorf("%s: code %d, error %v", script, code, err)
		}
	}
}
