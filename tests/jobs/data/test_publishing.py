"""A dataset goes to OSS and is registered in PAI, through the SDKs, against the emulator."""

from collections.abc import Iterator
from pathlib import Path

import oss2
import pytest
from alibabacloud_aiworkspace20210204 import models

from cloud.aiworkspace import aiworkspace_client
from cloud.oss import oss_bucket
from cloud.target import Credentials, Target, emulator_credentials
from jobs.console import notes
from jobs.data.command import fetch, prepare_folder, publish
from jobs.data.image import Limits
from jobs.data.preparation import Prepared
from jobs.data.transfer import upload
from jobs.problem import JobError
from tests.emulator.running import RunningEmulator, run_emulator
from tests.jobs.data.pictures import encoded, heap, picture


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with run_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def target(emulator: RunningEmulator) -> Target:
    return Target(region="cn-hangzhou", account_id="1234567890123456", emulator=emulator.url)


@pytest.fixture
def credentials(target: Target) -> Credentials:
    return Credentials.from_environment(target, emulator_credentials())


@pytest.fixture
def bucket(target: Target, credentials: Credentials) -> oss2.Bucket:
    made = oss_bucket(target, credentials, "products-store")
    made.create_bucket()
    return made


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return prepare_folder(heap(tmp_path / "raw"), "products", None, tmp_path / "out", Limits())


def test_a_dataset_is_uploaded_and_registered_once_and_a_change_makes_a_version(
    prepared: Prepared, target: Target, credentials: Credentials, bucket: oss2.Bucket, tmp_path: Path
) -> None:
    first = publish(prepared, target, credentials, "products-store", "1000")
    again = publish(prepared, target, credentials, "products-store", "1000")
    assert (first.version, first.is_new) == ("v1", True)
    assert (again.dataset_id, again.version, again.is_new) == (first.dataset_id, "v1", False)

    (tmp_path / "raw" / "bags" / "new.png").write_bytes(encoded(picture(5000)))
    changed = prepare_folder(tmp_path / "raw", "products", None, tmp_path / "out", Limits())
    second = publish(changed, target, credentials, "products-store", "1000")
    assert (second.dataset_id, second.version) == (first.dataset_id, "v2")

    client = aiworkspace_client(target, credentials)
    version = client.get_dataset_version(second.dataset_id, "v2", models.GetDatasetVersionRequest()).body
    assert version.uri == (
        f"oss://products-store.oss-cn-hangzhou-internal.aliyuncs.com/datasets/products/{changed.description.version}/"
    )
    assert version.data_count == 81
    assert [(label.key, label.value) for label in version.labels] == [("paistack-version", changed.description.version)]
    prefix = f"datasets/products/{changed.description.version}/"
    keys = {item.key.removeprefix(prefix) for item in oss2.ObjectIteratorV2(bucket, prefix=prefix)}
    assert keys == {*changed.description.files, "dataset.json"}


def test_an_upload_that_was_cut_sends_only_what_is_missing(prepared: Prepared, bucket: oss2.Bucket) -> None:
    names = list(prepared.description.files)
    files = {name: prepared.folder / name for name in (*names, "dataset.json")}
    for name in names[:50]:
        bucket.put_object_from_file(f"d/{name}", str(files[name]))
    bucket.put_object(f"d/{names[0]}", b"half of it")
    assert upload(bucket, files, "d/", "dataset.json", notes) == 81 - 49
    assert upload(bucket, files, "d/", "dataset.json", notes) == 0
    assert bucket.get_object(f"d/{names[0]}").read() == files[names[0]].read_bytes()


def test_images_are_taken_from_a_bucket(
    target: Target, credentials: Credentials, bucket: oss2.Bucket, tmp_path: Path
) -> None:
    for path in sorted(heap(tmp_path / "raw").rglob("*.png")):
        bucket.put_object_from_file(f"incoming/{path.relative_to(tmp_path / 'raw')}", str(path))
    folder = fetch(target, credentials, "oss://products-store/incoming/", tmp_path / "out")
    from_bucket = prepare_folder(folder, "products", None, tmp_path / "out", Limits())
    direct = prepare_folder(tmp_path / "raw", "products", None, tmp_path / "other", Limits())
    assert from_bucket.description == direct.description


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("oss://products-store/nothing/", "oss://products-store/nothing/: there are no objects"),
        ("oss://products-store/incoming", "allowed: oss://BUCKET/PREFIX/, with a slash at the end"),
        ("oss://no-such-bucket/a/", "there is no bucket no-such-bucket: `paistack up --stack STACK` makes the stack's"),
    ],
)
def test_a_source_that_is_not_there_is_told(
    target: Target, credentials: Credentials, bucket: oss2.Bucket, tmp_path: Path, uri: str, message: str
) -> None:
    del bucket
    with pytest.raises(JobError) as refused:
        fetch(target, credentials, uri, tmp_path)
    assert message in str(refused.value)


def test_an_object_that_would_leave_the_folder_is_not_fetched(
    target: Target, credentials: Credentials, bucket: oss2.Bucket, tmp_path: Path
) -> None:
    bucket.put_object("incoming/a/../../evil.png", encoded(picture(1)))
    with pytest.raises(JobError, match="cannot be a file; rename the object"):
        fetch(target, credentials, "oss://products-store/incoming/", tmp_path / "out")
    assert not list(tmp_path.rglob("evil.png"))


def test_a_name_that_oss_and_pai_would_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="--name Products!: allowed: up to 63 lower-case letters"):
        prepare_folder(tmp_path, "Products!", None, tmp_path, Limits())
