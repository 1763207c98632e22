// Command pulumi-language-python lets the Pulumi engine run Python: programs, policy packs and component packages.
//
// It serves pulumirpc.LanguageRuntime (proto/pulumi/language.proto of the Pulumi SDK). Virtual environments and package
// managers are the SDK's toolchain package; code generation is pkg/v3/codegen. The SDK's script
// pulumi-language-python-exec, which prepares the Python side and then runs the program, must lie beside this binary.
//
// The runtime option `typechecker` is refused. Debugging, tracing, project templates, `pulumi convert` and
// `pulumi package pack-sdk` are not served; the engine reports them as unimplemented.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

const execScript = "pulumi-language-python-exec"

func main() {
	flag.String("tracing", "", "accepted because the engine passes it; traces are not emitted")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	logging.InitLogging(false, 0, false)
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-python:", err)
		os.Exit(1)
	}
}

// serve answers the engine at the given address until the engine goes away or this process is told to stop. The port it
// listens on is the first line of stdout, where the engine waits for it.
func serve(engine string) error {
	script, err := findExecScript()
	if err != nil {
		return err
	}
	alive, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	h := newHost(script, alive, stop)
	if err := h.attach(engine); err != nil {
		return err
	}
	stopped := make(chan bool)
	context.AfterFunc(alive, func() { close(stopped) })
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel:  stopped,
		Options: rpcutil.TracingServerInterceptorOptions(nil),
		Init: func(s *grpc.Server) error {
			rpc.RegisterLanguageRuntimeServer(s, h)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(server.Port)
	return <-server.Done
}

// findExecScript returns the path of the script beside this binary.
func findExecScript() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	script := filepath.Join(filepath.Dir(self), execScript)
	if _, err := os.Stat(script); err != nil {
		return "", fmt.Errorf("%s must lie beside this language host: %w", execScript, err)
	}
	return script, nil
}
