package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
)

// environment returns what a command runs with: its own environment, or that of this process.
func environment(cmd *exec.Cmd) []string {
	if cmd.Env != nil {
		return cmd.Env
	}
	return os.Environ()
}

// exitCode separates "ran and ended with a code" from "could not be run or was killed", which stays an error.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), nil
	case errors.Is(err, exec.ErrWaitDelay): // it ended well, but left a child that holds its output open
		return 0, nil
	}
	return 0, err
}

// jsonObject encodes configuration for an environment variable; nothing becomes {}.
func jsonObject(values map[string]string) (string, error) {
	if values == nil {
		values = map[string]string{}
	}
	text, err := json.Marshal(values)
	return string(text), err
}

// jsonArray encodes names for an environment variable; nothing becomes [].
func jsonArray(values []string) (string, error) {
	if values == nil {
		values = []string{}
	}
	text, err := json.Marshal(values)
	return string(text), err
}
