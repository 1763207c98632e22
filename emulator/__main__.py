"""`python -m emulator`: serves Alibaba Cloud on the loopback until it is interrupted."""

import ipaddress
import logging
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from emulator.app import Emulator
from emulator.state import Settings, State


def main(
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.", min=0, max=65535)] = 8600,
    host: Annotated[str, typer.Option(help="Address to listen on; only the loopback is allowed.")] = "127.0.0.1",
    data_dir: Annotated[Path, typer.Option(help="Where state, objects and logs are kept.")] = Path(
        ".paistack/emulator"
    ),
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Alibaba Cloud on the loopback: OSS, EAS with live replicas, RAM, STS, CloudMonitor and PAI workspaces."""
    if not _is_loopback(host):
        raise typer.BadParameter(
            f"{host} is not a loopback address; the emulator listens on 127.0.0.1 only", param_hint="--host"
        )
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise typer.BadParameter(f"cannot listen on {host}:{port}: {error.strerror}", param_hint="--port") from None
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings(data_dir=data_dir.resolve(), port=listener.getsockname()[1])
    logging.getLogger("emulator").info("serving on http://%s:%d, data in %s", host, settings.port, data_dir)
    config = uvicorn.Config(
        Emulator(State(settings)),
        http="httptools",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than the SDKs keep an idle connection
    )
    uvicorn.Server(config).run([listener])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    typer.run(main)
