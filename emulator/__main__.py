"""`python -m emulator`: serves Alibaba Cloud on the loopback until it is interrupted."""

import fcntl
import ipaddress
import logging
import os
import socket
import sqlite3
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from emulator.app import Emulator
from emulator.server import server
from emulator.state import Settings, State

LogLevel = Literal["debug", "info", "warning", "error"]


def main(
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.", min=0, max=65535)] = 8600,
    host: Annotated[str, typer.Option(help="Address to listen on; only the loopback is allowed.")] = "127.0.0.1",
    data_dir: Annotated[Path, typer.Option(help="Where state, objects and logs are kept.")] = Path(
        ".paistack/emulator"
    ),
    log_level: Annotated[LogLevel, typer.Option(help="The least severe messages to log.")] = "info",
    metrics: Annotated[bool, typer.Option(help="Measure services, and evaluate alarm rules.")] = True,
) -> None:
    """Alibaba Cloud on the loopback: OSS, EAS with live replicas, RAM, STS, CloudMonitor and PAI workspaces."""
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    listener = _listen(host, port)
    settings = Settings(data_dir=data_dir.resolve(), port=listener.getsockname()[1], metrics=metrics)
    try:
        lock = _claim(settings.data_dir)
        state = State(settings)
    except (OSError, sqlite3.Error) as error:
        raise typer.BadParameter(f"cannot keep data in {data_dir}: {error}", param_hint="--data-dir") from None
    logging.getLogger("emulator").info("serving on http://%s:%d, data in %s", host, settings.port, data_dir)
    with lock:
        server(Emulator(state)).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    if not _is_loopback(host):
        raise typer.BadParameter(
            f"{host} is not a loopback address; the emulator listens on 127.0.0.1 only", param_hint="--host"
        )
    try:
        return socket.create_server((host, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        message = f"cannot listen on {host}:{port}: {reason}; choose another port, or 0 for any"
        raise typer.BadParameter(message, param_hint="--port") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _claim(data_dir: Path) -> TextIO:
    """Keeps other emulators off `data_dir` until the file is closed, or this process is gone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        message = f"{data_dir} is in use by the emulator with the process id {lock.read()}; name another folder"
        raise typer.BadParameter(message, param_hint="--data-dir") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


if __name__ == "__main__":
    typer.run(main)
