"""ali-oss, the Node SDK: its walk is in ali_oss.test.mjs."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator

HERE = Path(__file__).parent
# Path style needs a host name: at an IP address ali-oss sends the bucket's real host name as Host header.
WAYS: dict[str, dict[str, Any]] = {
    "version 1, path style": {"endpoint": "http://localhost:{port}", "sldEnable": True},
    "version 4, path style": {"endpoint": "http://localhost:{port}", "sldEnable": True, "authorizationV4": True},
    "version 1, virtual host": {"endpoint": "http://127.0.0.1:{port}"},
    "version 4, virtual host": {"endpoint": "http://127.0.0.1:{port}", "authorizationV4": True},
}


@pytest.fixture(scope="session")
def node() -> str:
    """The interpreter, with what package-lock.json pins installed beside this file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    installed, pinned = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < pinned.stat().st_mtime:
        run = subprocess.run([npm, "ci", "--ignore-scripts"], cwd=HERE, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    return node


@pytest.mark.parametrize("way", WAYS)
def test_ali_oss_walks_the_emulator(node: str, emulator: RunningEmulator, way: str) -> None:
    options = {
        **WAYS[way],
        "endpoint": WAYS[way]["endpoint"].format(port=emulator.state.settings.port),
        "region": "oss-cn-hangzhou",
        "accessKeyId": ACCESS_KEY_ID,
        "accessKeySecret": ACCESS_KEY_SECRET,
    }
    walk = subprocess.run(
        [node, "--test", "--test-reporter=spec", "ali_oss.test.mjs"],
        cwd=HERE,
        env={**os.environ, "ALI_OSS_OPTIONS": json.dumps(options)},
        capture_output=True,
        text=True,
    )

    assert walk.returncode == 0, walk.stdout
