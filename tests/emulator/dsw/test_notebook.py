"""What answers at an instance's address."""

import contextlib
import stat
import sys
from pathlib import Path

import httpx
import pytest
from alibabacloud_pai_dsw20220101 import models

from emulator.services.dsw.runtime import notebook
from tests.emulator.dsw.conftest import Dsw, awaited

# Takes the options that JupyterLab is started with, and asks for the same token.
STAND_IN = f"""#!{sys.executable}
import http.server, os, sys

options = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
if os.path.exists(options["--ServerApp.root_dir"] + "/broken"):
    sys.exit("cannot start")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers.get("Authorization") == "token " + os.environ["JUPYTER_TOKEN"]
        self.send_response(200 if allowed else 403)
        self.end_headers()
        self.wfile.write(os.getcwd().encode() if allowed else b"no")
        if self.path == "/die":
            os._exit(9)

address = (options["--ServerApp.ip"], int(options["--ServerApp.port"]))
http.server.HTTPServer(address, Handler).serve_forever()
"""


@pytest.fixture
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for JupyterLab, installed where it is looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "jupyter-lab"
    program.write_text(STAND_IN)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(notebook, "SEARCH_PATH", f"{folder}:{notebook.SEARCH_PATH}")


def token(dsw: Dsw, instance_id: str) -> dict[str, str]:
    found = dsw.client.get_token(models.GetTokenRequest(instance_id=instance_id)).body.token
    return {"Authorization": f"token {found}"}


@pytest.mark.usefixtures("jupyter")
def test_the_notebook_answers_with_its_token_once_the_instance_runs(dsw: Dsw) -> None:
    instance_id = dsw.running()

    url = dsw.get(instance_id).instance_url

    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(url).status_code == 403
    opened = httpx.get(url, headers=token(dsw, instance_id))
    assert (opened.status_code, opened.text.endswith("/workspace")) == (200, True)


@pytest.mark.usefixtures("jupyter")
def test_the_address_stays_when_the_instance_is_started_again(dsw: Dsw) -> None:
    instance_id = dsw.running()
    before = dsw.get(instance_id).instance_url
    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    dsw.until(instance_id, "Stopped")
    with pytest.raises(httpx.ConnectError):
        httpx.get(before)

    dsw.client.start_instance(instance_id)
    dsw.until(instance_id, "Running")

    assert dsw.get(instance_id).instance_url == before
    assert httpx.get(before, headers=token(dsw, instance_id)).status_code == 200


@pytest.mark.usefixtures("jupyter")
def test_an_instance_whose_notebook_dies_has_failed(dsw: Dsw) -> None:
    instance_id = dsw.running()
    url = dsw.get(instance_id).instance_url.removesuffix("/lab")

    with contextlib.suppress(httpx.HTTPError):
        httpx.get(f"{url}/die", headers=token(dsw, instance_id))

    awaited(lambda: dsw.get(instance_id).status == "Failed", "the instance to fail")

    assert "exited with code 9" in dsw.get(instance_id).reason_message


def test_without_jupyterlab_the_address_says_what_is_missing(dsw: Dsw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "SEARCH_PATH", "/nowhere:/bin:/usr/bin")
    instance_id = dsw.running()

    answer = httpx.get(dsw.get(instance_id).instance_url)

    assert answer.status_code == 503
    assert "pip install jupyterlab" in answer.text
