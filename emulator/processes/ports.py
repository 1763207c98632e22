"""Ports of the loopback for the servers that users bring."""

import random
import socket

# Below the range that the kernel gives to outgoing connections, so that none of them takes a server's port.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on; OSError when there is none."""
    for port in random.sample(PORTS, 200):
        if is_free(port):
            return port
    raise OSError(f"no free port between {PORTS.start} and {PORTS.stop - 1}")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
