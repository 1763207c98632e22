package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	// exitMessageShown is the exec script's way to say that the user has already read what went wrong.
	exitMessageShown = 32
	// interruptGrace is how long an interrupted program may take to end before it is killed. Python often hangs in the
	// shutdown of its thread pool once the engine has gone, so a longer wait only delays the error message.
	interruptGrace = 2 * time.Second
)

// Run runs a Pulumi program to its end and reports how it ended.
func (h *host) Run(ctx context.Context, req *rpc.RunRequest) (*rpc.RunResponse, error) {
	tc, _, err := resolveToolchain(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	if err := tc.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(h.programs)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	cmd, err := tc.Command(running, h.programArguments(req)...)
	if err != nil {
		return nil, err
	}
	if cmd.Env, err = programEnvironment(cmd, req); err != nil {
		return nil, err
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptGrace
	cmd.Stdout, cmd.Stderr = untilInterrupted{running, os.Stdout}, untilInterrupted{running, os.Stderr}
	code, err := exitCode(cmd.Run())
	switch {
	case err != nil:
		return &rpc.RunResponse{Error: fmt.Sprintf("the Python program did not end by itself: %v", err)}, nil
	case code == exitMessageShown:
		return &rpc.RunResponse{Bail: true}, nil
	case code != 0:
		return &rpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", code)}, nil
	}
	return &rpc.RunResponse{}, nil
}

// untilInterrupted passes a program's output on until the program is interrupted. The engine interrupts it when a
// resource has failed or a policy has refused one; the tracebacks of that interruption would bury the reason.
type untilInterrupted struct {
	running context.Context
	out     io.Writer
}

func (u untilInterrupted) Write(output []byte) (int, error) {
	if u.running.Err() != nil {
		return len(output), nil
	}
	return u.out.Write(output)
}

// programArguments are those of the exec script: flags for what is known, then the program and its own arguments.
func (h *host) programArguments(req *rpc.RunRequest) []string {
	arguments := []string{h.script}
	for _, flag := range []struct{ name, value string }{
		{"--monitor", req.GetMonitorAddress()},
		{"--engine", h.engine},
		{"--project", req.GetProject()},
		{"--stack", req.GetStack()},
		{"--organization", req.GetOrganization()},
		{"--root_directory", req.GetInfo().GetRootDirectory()},
		{"--pwd", req.GetPwd()},
		{"--dry_run", strconv.FormatBool(req.GetDryRun())},
		{"--parallel", strconv.Itoa(int(req.GetParallel()))},
	} {
		if flag.value != "" {
			arguments = append(arguments, flag.name, flag.value)
		}
	}
	return append(append(arguments, req.GetInfo().GetEntryPoint()), req.GetArgs()...)
}

// programEnvironment adds the stack's configuration, secrets included: it must not appear in the arguments.
func programEnvironment(cmd *exec.Cmd, req *rpc.RunRequest) ([]string, error) {
	config, err := jsonObject(req.GetConfig())
	if err != nil {
		return nil, err
	}
	secrets, err := jsonArray(req.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	return append(environment(cmd), "PULUMI_CONFIG="+config, "PULUMI_CONFIG_SECRET_KEYS="+secrets), nil
}
