"""What a command, a script or a variable reads after it was moved."""

from pathlib import Path

import pytest

from emulator.services.eas.dataplane.relocation import Relocation

MOVED = Relocation(8000, 25_001, {"/mnt/model": Path("/run/i1/mnt/model"), "/mnt": Path("/run/i1/mnt")})


@pytest.mark.parametrize(
    ("declared", "moved"),
    [
        ("8000", "25001"),
        ("--port=8000", "--port=25001"),
        ("0.0.0.0:8000", "0.0.0.0:25001"),
        ("http://localhost:8000/health", "http://localhost:25001/health"),
        ("serve --port 8000; echo '8000'", "serve --port 25001; echo '25001'"),
        ("PORT=8000 exec serve", "PORT=25001 exec serve"),
        ("connect(('127.0.0.1', 8000))", "connect(('127.0.0.1', 25001))"),
        ("18000", "18000"),
        ("8000.5", "8000.5"),
        ("v8000", "v8000"),
        ("model-8000", "model-8000"),
        ("80001", "80001"),
        ("/data/8000", "/data/8000"),
        ("/mnt/model", "/run/i1/mnt/model"),
        ("/mnt/model/", "/run/i1/mnt/model/"),
        ("--model=/mnt/model/a.pt", "--model=/run/i1/mnt/model/a.pt"),
        ("/mnt/other:/mnt/model", "/run/i1/mnt/other:/run/i1/mnt/model"),
        ("/mnt/models", "/run/i1/mnt/models"),
        ("/srv/mnt/model", "/srv/mnt/model"),
        ("s3:/mnt", "s3:/run/i1/mnt"),
        ("cd /mnt/model && ls", "cd /run/i1/mnt/model && ls"),
    ],
)
def test_only_the_declared_port_and_paths_move(declared: str, moved: str) -> None:
    assert MOVED.text(declared) == moved


@pytest.mark.parametrize("declared", ["/mnt/model-v2", "/mnt/model.pt", "/mnt/model_old/x"])
def test_a_longer_name_is_not_a_mount_path(declared: str) -> None:
    only = Relocation(8000, 25_001, {"/mnt/model": Path("/run/m")})

    assert only.text(declared) == declared


def test_a_directory_with_special_characters_is_inserted_as_it_is() -> None:
    odd = Relocation(8000, 25_001, {"/m": Path(r"/run/\1/g<0>")})

    assert odd.text("/m/x") == r"/run/\1/g<0>/x"


@pytest.mark.parametrize(("port", "tried"), [(None, 25_001), (8000, 25_001), (9000, 9000)])
def test_a_probe_of_the_declared_port_goes_to_the_instances_own(port: int | None, tried: int) -> None:
    assert MOVED.probe_port(port) == tried
