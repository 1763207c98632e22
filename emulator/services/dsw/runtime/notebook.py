"""What answers at an instance's address: JupyterLab where it is installed, else a page that says that it is not."""

import asyncio
import shutil
import sys
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SEARCH_PATH = f"{Path(sys.executable).parent}:{SYSTEM_PATH}"
POLL_S = 0.05

MISSING = (
    "JupyterLab is not installed where the emulator runs, so this instance has no notebook. "
    "Install it there (pip install jupyterlab), then stop and start the instance.\n"
)


def find_jupyter() -> str | None:
    """The path of `jupyter-lab` in the emulator's environment, or of the system's."""
    return shutil.which("jupyter-lab", path=SEARCH_PATH)


def jupyter_command(executable: str, port: int, directory: Path) -> list[str]:
    """Its token comes by the variable JUPYTER_TOKEN, which a list of processes does not show."""
    return [
        executable,
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={directory}",
    ]


async def listening(port: int) -> None:
    """Returns as soon as something listens on `port`."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(POLL_S)
            continue
        writer.close()
        await writer.wait_closed()
        return


async def serve_missing(port: int) -> asyncio.Server:
    """Answers every request on `port` with 503 and what is missing; OSError when the port is taken."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        body = MISSING.encode()
        head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)
