"""What an instance mounts is live: buckets in both directions, file systems between instances."""

import pytest
from alibabacloud_aiworkspace20210204 import models as workspace_models
from alibabacloud_aiworkspace20210204.client import Client as Workspaces
from alibabacloud_pai_dsw20220101 import models

from tests.emulator.dsw.conftest import BUCKET, Dsw, awaited, start_command
from tests.emulator.refusals import refused

URI = f"oss://{BUCKET}.oss-cn-hangzhou-internal.aliyuncs.com/team/"


def mounted(access: str = "RW") -> list[dict[str, str]]:
    return [{"Uri": URI, "MountPath": "/mnt/data", "MountAccess": access}]


def test_a_job_reads_the_bucket_and_its_results_come_back_while_it_still_runs(dsw: Dsw) -> None:
    dsw.bucket.put_object("team/in/images.csv", b"1,2,3")
    dsw.bucket.put_object("other/secret", b"not mounted")
    command = "ls -R /mnt/data; mkdir -p /mnt/data/out; wc -c < /mnt/data/in/images.csv > /mnt/data/out/size; sleep 600"

    instance_id = dsw.running(Datasets=mounted(), UserCommand=start_command(command))

    awaited(lambda: dsw.object("team/out/size") == b"5\n", "the result to be in the bucket")
    assert "secret" not in dsw.log(instance_id)


def test_what_is_written_last_is_in_the_bucket_when_the_instance_has_stopped(dsw: Dsw) -> None:
    command = "trap 'echo checkpoint > /mnt/data/model.pt; exit' TERM; echo ready; while :; do sleep 0.1; done"
    instance_id = dsw.running(Datasets=mounted(), UserCommand=start_command(command))
    dsw.written(instance_id, "ready")

    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    dsw.until(instance_id, "Stopped")

    assert dsw.object("team/model.pt") == b"checkpoint\n"


def test_what_others_put_into_the_bucket_or_delete_there_shows_in_the_mount(dsw: Dsw) -> None:
    dsw.bucket.put_object("team/old", b"")
    command = "until [ -e /mnt/data/go ]; do sleep 0.1; done; while [ -e /mnt/data/old ]; do sleep 0.1; done; echo both"
    instance_id = dsw.running(Datasets=mounted(), UserCommand=start_command(command))

    dsw.bucket.put_object("team/go", b"")
    dsw.bucket.delete_object("team/old")

    dsw.written(instance_id, "both")


def test_a_file_deleted_in_the_mount_takes_its_object_with_it(dsw: Dsw) -> None:
    dsw.bucket.put_object("team/a", b"a")
    dsw.bucket.put_object("team/b", b"b")

    dsw.running(Datasets=mounted(), UserCommand=start_command("rm /mnt/data/a; sleep 600"))

    awaited(lambda: dsw.object("team/a") is None, "the object to go")
    assert dsw.object("team/b") == b"b"


def test_nothing_comes_back_from_a_read_only_mount(dsw: Dsw) -> None:
    dsw.bucket.put_object("team/a", b"a")
    command = "rm -f /mnt/data/a; echo x > /mnt/data/new; echo done"

    instance_id = dsw.running(Datasets=mounted("RO"), UserCommand=start_command(command))
    dsw.written(instance_id, "done")
    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    dsw.until(instance_id, "Stopped")

    assert dsw.object("team/a") == b"a"
    assert dsw.object("team/new") is None


def test_a_pai_dataset_is_mounted_in_the_version_that_is_named(dsw: Dsw, workspaces: Workspaces) -> None:
    dsw.bucket.put_object("set/v2/x", b"second")
    request = workspace_models.CreateDatasetRequest(
        name="images", workspace_id="1000", uri=f"oss://{BUCKET}.oss-cn-hangzhou.aliyuncs.com/set/v1/",
        property="DIRECTORY", data_source_type="OSS",
    )  # fmt: skip
    dataset_id = workspaces.create_dataset(request).body.dataset_id
    version = workspace_models.CreateDatasetVersionRequest(
        uri=f"oss://{BUCKET}.oss-cn-hangzhou.aliyuncs.com/set/v2/", property="DIRECTORY", data_source_type="OSS"
    )
    workspaces.create_dataset_version(dataset_id, version)
    dataset = {"DatasetId": dataset_id, "DatasetVersion": "v2", "MountPath": "/mnt/data"}

    instance_id = dsw.running(Datasets=[dataset], UserCommand=start_command("cat /mnt/data/x; echo"))

    dsw.written(instance_id, "second")


def test_instances_share_a_file_system_and_one_can_work_in_it(dsw: Dsw) -> None:
    shared = {"Uri": "nas://0123-abc.cn-hangzhou.nas.aliyuncs.com/team/", "MountPath": "/mnt/nas"}
    dsw.running(InstanceName="writer", Datasets=[shared], UserCommand=start_command("echo hello > /mnt/nas/note"))
    command = "until [ -e note ]; do sleep 0.1; done; cat note"

    reader = dsw.running(Datasets=[shared], WorkspaceSource="/mnt/nas", UserCommand=start_command(command))

    dsw.written(reader, "hello")


def test_the_working_directory_outlives_a_stop(dsw: Dsw) -> None:
    instance_id = dsw.running(UserCommand=start_command("ls; touch /mnt/workspace/first_run; echo done"))
    dsw.written(instance_id, "done")
    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    dsw.until(instance_id, "Stopped")

    dsw.client.start_instance(instance_id)

    dsw.written(instance_id, "first_run")


def test_an_instance_fails_with_the_mount_that_cannot_be_made(dsw: Dsw) -> None:
    instance_id = dsw.create(Datasets=[{"Uri": "oss://no-such-bucket/x/", "MountPath": "/mnt/data"}])

    awaited(lambda: dsw.get(instance_id).status == "Failed", "the instance to fail")

    failed = dsw.get(instance_id)
    assert failed.reason_code == "FailedMount"
    assert "NoSuchBucket" in failed.reason_message
    assert "The instance failed" in dsw.events(instance_id)


@pytest.mark.parametrize("key", ["team/../../escape", "team//root"])
def test_an_object_cannot_leave_the_mounted_directory(dsw: Dsw, key: str) -> None:
    dsw.bucket.put_object(key, b"x")
    instance_id = dsw.create(Datasets=mounted())

    awaited(lambda: dsw.get(instance_id).status == "Failed", "the instance to fail")

    assert "cannot be a file" in dsw.get(instance_id).reason_message


def test_a_file_that_cannot_be_an_object_keeps_no_other_one_back(dsw: Dsw) -> None:
    deep = "/".join(["d" * 200] * 6)
    command = f"mkdir -p /mnt/data/{deep}; touch /mnt/data/{deep}/x /mnt/data/z; sleep 600"

    instance_id = dsw.running(Datasets=mounted(), UserCommand=start_command(command))

    awaited(lambda: dsw.object("team/z") == b"", "the other file to be in the bucket")
    awaited(lambda: "longer than 1023 bytes" in dsw.events(instance_id), "the problem to be told")


def test_a_dataset_that_does_not_exist_is_refused_at_once(dsw: Dsw) -> None:
    with refused("ValidationError", 400, "The dataset version does not exist|The dataset does not exist"):
        dsw.create(Datasets=[{"DatasetId": "d-nowhere", "MountPath": "/mnt/data"}])
