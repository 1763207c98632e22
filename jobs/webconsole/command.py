"""`paistack console`: serves the page until it is interrupted."""

import os
import socket
import webbrowser

import uvicorn

from jobs.console import say
from jobs.problem import JobError
from jobs.stacks import OpenStack
from jobs.webconsole.app import create_app
from jobs.webconsole.source import Source

LOOPBACK = "127.0.0.1"


def serve(stack: OpenStack, port: int, *, browser: bool) -> None:
    """Serves the console of a stack on the loopback; port 0 is a free one. JobError when the port is taken."""
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=64)
    except OSError as error:
        raise JobError(
            f"--port {port}: {os.strerror(error.errno or 0)}; give another one, or 0 for any that is free"
        ) from None
    url = f"http://{LOOPBACK}:{listener.getsockname()[1]}/"
    say(f"Console of {stack.pulumi.name}: {url} (Ctrl-C ends it)")
    if browser:
        webbrowser.open(url)
    config = uvicorn.Config(create_app(Source.of(stack)), log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listener])
