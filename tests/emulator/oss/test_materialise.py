"""Objects laid out as files, for services that mount a bucket."""

import os
from pathlib import Path

import httpx
import pytest

from emulator.errors import ApiError
from emulator.services.oss.service import Oss
from emulator.store import Store
from tests.emulator.conftest import RunningEmulator


@pytest.fixture
def oss(emulator: RunningEmulator, owner: httpx.Client) -> Oss:
    """The state of the running emulator, read through a connection of this thread's own."""
    assert owner.get("/").status_code == 200
    settings = emulator.state.settings
    return Oss(Store(settings.data_dir / "state.sqlite"), settings.data_dir, settings.region, settings.account_id)


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


async def test_the_directory_holds_what_the_prefix_holds(oss: Oss, owner: httpx.Client, tmp_path: Path) -> None:
    directory, large = tmp_path / "mounted", os.urandom(200_000)
    owner.put("/bucket/models/v1/net.pt", content=large)
    owner.put("/bucket/models/v1/deep/er/meta.json", content=b"{}")
    owner.put("/bucket/models/v2/net.pt", content=b"other")
    owner.put("/bucket/models/v1/gone", content=b"other")
    owner.delete("/bucket/models/v1/gone")
    owner.put("/bucket/models/v1/empty/", content=b"")
    directory.mkdir()
    await oss.materialise("bucket", "models/v1/", directory)

    assert files(directory) == {"net.pt": large, "deep/er/meta.json": b"{}"}
    assert (directory / "empty").is_dir()


async def test_what_is_written_into_a_laid_out_file_never_reaches_the_bucket(
    oss: Oss, owner: httpx.Client, tmp_path: Path
) -> None:
    owner.put("/bucket/large", content=b"x" * 100_000)
    await oss.materialise("bucket", "", tmp_path / "mounted")
    with (tmp_path / "mounted" / "large").open("r+b") as file:
        file.write(b"changed")

    assert owner.get("/bucket/large").content == b"x" * 100_000
    await oss.materialise("bucket", "", tmp_path / "again")
    assert files(tmp_path / "again") == {"large": b"x" * 100_000}


async def test_multipart_objects_and_links_are_laid_out_too(oss: Oss, owner: httpx.Client, tmp_path: Path) -> None:
    begun = owner.post("/bucket/joined?uploads").text
    upload = begun.partition("<UploadId>")[2].partition("<")[0]
    pieces = [b"a" * 102_400, b"tail"]
    for number, piece in enumerate(pieces, 1):
        owner.put(f"/bucket/joined?partNumber={number}&uploadId={upload}", content=piece)
    done = owner.post(f"/bucket/joined?uploadId={upload}", headers={"x-oss-complete-all": "yes"})
    assert done.status_code == 200
    owner.put("/bucket/link?symlink", headers={"x-oss-symlink-target": "joined"})
    await oss.materialise("bucket", "", tmp_path / "mounted")

    assert files(tmp_path / "mounted") == {"joined": b"".join(pieces), "link": b"".join(pieces)}


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "a" * 300])
async def test_a_key_that_cannot_be_a_file_there_is_refused(
    oss: Oss, owner: httpx.Client, tmp_path: Path, key: str
) -> None:
    assert owner.put(httpx.URL("/bucket/x"), content=b"").status_code == 200
    with oss.transaction():
        version = oss.index.latest("bucket", "x")
        assert version is not None
        oss.index.replace(version._replace(key=key))

    with pytest.raises(ValueError, match="cannot be the file"):
        await oss.materialise("bucket", "", tmp_path / "mounted")
    assert not (tmp_path / "outside").exists()


async def test_an_unknown_bucket_is_an_error(oss: Oss, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="NoSuchBucket"):
        await oss.materialise("no-such-bucket", "", tmp_path / "mounted")
