"""From raw images to a served version: dataset, a run on the emulated DSW, registration, promotion, and back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from alibabacloud_pai_dsw20220101 import models
from PIL import Image

from bench.measure import until
from cloud.dsw import dsw_client
from cloud.oss import oss_bucket
from jobs.data.command import prepare_folder, publish
from jobs.data.image import Limits
from jobs.emulator import EmulatorProcess
from jobs.models.command import promote, register_running, table_of
from jobs.models.registration import registry_of
from jobs.models.run import log_of
from jobs.models.train import train
from jobs.problem import JobError
from jobs.stacks import OpenStack
from model import network
from model.fashion_mnist import LABELS, FashionMnist
from model.sources import SAMPLE
from tests.engine.conftest import Deployment
from tests.jobs.data.pictures import bomb
from tests.model.conftest import store

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.slow]

CLASSES = ("Bag", "Sandal", "Trouser")
PICTURE = SAMPLE / "pictures" / "trouser.png"


def raw_images(folder: Path) -> Path:
    """60 of each of three classes of the sample, and two files that nobody should train on."""
    source = FashionMnist(SAMPLE)
    part = source.load(source.input_spec(None, None)).train
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for number, image in enumerate(part.pixels[part.classes == LABELS.index(label)][:60]):
            Image.fromarray(image[0]).save(folder / label / f"{number}.png")
    (folder / "Bag" / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "Bag" / "notes.jpg").write_bytes(b"not an image")
    return folder


@pytest.fixture
def deployed(emulator: EmulatorProcess, state_folder: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A stack whose service runs an untrained version."""
    torch.manual_seed(0)
    body = network.resnet("resnet18", classes=10, channels=1, size=28, width=8)
    measured = {"accuracy": 0.1, "recall": 0.1, "f1": 0.02, "images": 100, "per_class": []}
    untrained = store(tmp_path / "first", body, metrics=json.dumps(measured).encode())
    deployment = Deployment("tr", tmp_path, state_folder, emulator)
    service = {"model": {"name": "fashion", "artefact": str(untrained)}, "instance_type": "ecs.c7.large"}
    deployment.settings["services"] = {"shop": service}
    deployment.up()
    yield deployment
    deployment.destroy()


def answer(deployment: Deployment) -> dict[str, Any]:
    """What the service says of a picture."""
    outputs = deployment.open().pulumi.outputs()["services"]["shop"]
    response = httpx.post(
        outputs["endpoint"],
        content=PICTURE.read_bytes(),
        headers={"Authorization": outputs["token"]},
        trust_env=False,
        timeout=60,
    )
    found: dict[str, Any] = response.raise_for_status().json()
    return found


def log_of_run(stack: OpenStack, bucket: str) -> str:
    found = log_of(oss_bucket(stack.target, stack.credentials(), bucket), "models/fashion/.training.log")
    return found[1] if found else ""


def stop_once_an_epoch_is_done(stack: OpenStack, bucket: str) -> None:
    """Takes the machine away from the run, as a person or a limit would."""
    until(lambda: "epoch 1/" in log_of_run(stack, bucket), limit_s=120)
    dsw = dsw_client(stack.target, stack.credentials())
    (instance,) = dsw.list_instances(models.ListInstancesRequest(workspace_id="1000")).body.instances
    dsw.stop_instance(instance.instance_id, models.StopInstanceRequest())


def test_raw_images_become_a_version_that_a_service_runs_and_leaves_again(deployed: Deployment, tmp_path: Path) -> None:
    stack = deployed.open()
    prepared = prepare_folder(raw_images(tmp_path / "raw"), "products", None, tmp_path / "datasets", Limits())
    assert dict(prepared.report.counted()) == {"huge": 1, "not an image": 1}
    bucket = stack.config.store.bucket_name("tr", stack.target.account_id)
    dataset = publish(prepared, stack.target, stack.credentials(), bucket, "1000")
    deployed.settings["training"] = {
        "shop-run": {
            "model": "fashion",
            "workspace_id": "1000",
            "machine": "CPU",
            "data": {"dataset": dataset.dataset_id, "version": dataset.version},
            "recipe": {"epochs": 40, "width": 8, "batch_size": 16, "size": 28, "channels": "1"},
        }
    }

    first = register_running(deployed.open(), "shop", "1000")
    deployed.keep_settings()
    assert (first.name, first.content, first.metrics["accuracy"]) == ("0.1.0", "0123456789ab", "0.1")

    with ThreadPoolExecutor(1) as apart:
        cut_off = apart.submit(train, deployed.open(), "shop-run", models=tmp_path / "versions")
        stop_once_an_epoch_is_done(stack, bucket)
        with pytest.raises(JobError, match="stored no version; its machine is Stopped"):
            cut_off.result()
    version = train(deployed.open(), "shop-run", models=tmp_path / "versions")
    deployed.keep_settings()
    assert "resumed after step" in log_of_run(stack, bucket)

    assert version.name == "0.2.0"
    assert version.labels["dataset-version"] == prepared.description.version
    assert float(version.metrics["accuracy"]) > 0.7
    dsw = dsw_client(stack.target, stack.credentials())
    instance_id = deployed.open().pulumi.outputs()["training"]["shop-run"]["instance_id"]
    assert dsw.get_instance(instance_id, models.GetInstanceRequest()).body.status == "Stopped"
    keys = deployed.cloud().objects(bucket)
    assert {f"models/fashion/{version.content}/{name}" for name in ("model.pt", "model.onnx", "manifest.json")} <= {
        *keys
    }
    assert deployed.open().pulumi.outputs()["services"]["shop"]["model"] == "fashion 0123456789ab"

    registry = registry_of(stack, "1000")
    assert [each.content for each in registry.versions("fashion")] == [first.content, version.content]
    assert table_of(registry.versions("fashion"), {}).row_count == 2
    promote(deployed.open(), registry, "shop", version.name, tmp_path / "versions")
    deployed.keep_settings()
    service = deployed.settings["services"]["shop"]
    assert service["model"]["artefact"] == str(tmp_path / "versions" / "fashion" / version.content)
    assert deployed.settings["models"]["fashion"]["versions"]["0.2.0"]["approved"] is True
    planned = deployed.planned()
    assert (planned["fashion-0.2.0"], planned["shop-revision"]) == ("update", "update")
    assert "fashion-0.1.0" not in planned

    deployed.up()
    assert deployed.planned() == {}
    promoted = answer(deployed)
    assert promoted["model"]["version"] == version.content
    assert promoted["predictions"][0]["label"] in CLASSES

    service["model"]["artefact"] = str(tmp_path / "first")
    deployed.up()
    assert answer(deployed)["model"]["version"] == "0123456789ab"
