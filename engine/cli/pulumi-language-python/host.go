package main

import (
	"context"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engineHealthInterval is how often the host asks whether the engine is still there. An engine that was killed cannot
// end the host and the program, and they must not meet the next run.
const engineHealthInterval = 2 * time.Second

// host is the LanguageRuntime service. Its methods lie in the file of their concern: run.go, plugin.go, dependencies.go,
// packages.go and program.go.
type host struct {
	rpc.UnimplementedLanguageRuntimeServer

	script string // path of the exec script
	engine string // gRPC address of the engine; empty until the engine is known

	alive context.Context // ends when the server stops
	stop  context.CancelFunc

	programs context.Context // ends when the engine cancels the operation, at the latest with alive
	cancel   context.CancelFunc
}

func newHost(script string, alive context.Context, stop context.CancelFunc) *host {
	programs, cancel := context.WithCancel(alive)
	return &host{script: script, alive: alive, stop: stop, programs: programs, cancel: cancel}
}

// attach remembers the engine's address and stops the host once the engine no longer answers there.
func (h *host) attach(engine string) error {
	if engine == "" || h.engine != "" {
		return nil
	}
	h.engine = engine
	return rpcutil.Healthcheck(h.alive, engine, engineHealthInterval, h.stop)
}

// Handshake tells a host that was started without an address where the engine is.
func (h *host) Handshake(_ context.Context, req *rpc.LanguageHandshakeRequest) (*rpc.LanguageHandshakeResponse, error) {
	return &rpc.LanguageHandshakeResponse{}, h.attach(req.GetEngineAddress())
}

// GetPluginInfo reports the version of the Pulumi SDK that this host was built from.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: version.Version}, nil
}

// Cancel interrupts running programs; the server stays up, so that Run can still report how they ended.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}
