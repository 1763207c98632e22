"""A headless browser: an installed one, or else the one that package-lock.json pins, which npm brings."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
UNPACKED = HERE / "node_modules" / ".browser"
_INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowserError(Exception):
    """There is no browser, and nothing that could bring one."""


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser until the block ends; NoBrowserError says what is missing."""
    arguments = ["--no-sandbox", "--no-zygote", "--disable-gpu"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=_executable(), args=[*arguments, "--headless=shell"])
        yield launched
        launched.close()


def _executable() -> str:
    for name in _INSTALLED:
        if found := shutil.which(name):
            return found
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoBrowserError("install chromium, or node and npm, which bring one")
    installed, pinned = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < pinned.stat().st_mtime:
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=HERE, check=True, capture_output=True)
    UNPACKED.mkdir(exist_ok=True)
    unpacked = subprocess.run(
        [node, "unpack.mjs"],
        cwd=HERE,
        env={**os.environ, "TMPDIR": str(UNPACKED)},
        check=True,
        capture_output=True,
        text=True,
    )
    return unpacked.stdout.strip()
