"""What a whole stack registers, and when it does not begin."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from cloud.target import Target
from components.billing_config import BillingSettings
from engine.environment import ROOT
from stacks.config import StackConfig
from stacks.deploy import deploy
from tests.components.conftest import Recorder, engine, run

__all__ = ["engine", "run"]

TARGET = {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": "http://127.0.0.1:8600"}


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.pt").write_bytes(b"weights")
    files = {"model.pt": hashlib.sha256(b"weights").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"version": "3f9c", "files": files}))
    return folder


@pytest.fixture
def _in_the_emulators_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Target.model_validate(TARGET).environment().items():
        monkeypatch.setenv(name, value)


def config(artefact: Path, *services: str, **settings: Any) -> StackConfig:
    service = {"model": {"name": "fashion", "artefact": str(artefact)}, "instance_type": "ecs.c7.large"}
    values = {"target": TARGET, "services": dict.fromkeys(services, service), **settings}
    return StackConfig.model_validate_json(json.dumps(values))


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_names_in_the_cloud_tell_the_stack(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    run(lambda: deploy(config(artefact, "product-images")))

    inputs = {name: args.inputs for name, args in engine.registered.items()}
    assert inputs["store-bucket"]["bucket"] == "paistack-test-90123456-models"
    assert inputs["product-images-role"]["roleName"] == "paistack-test-product-images"
    assert inputs["product-images-revision"]["config"]["metadata"]["name"] == "product_images_test"
    assert inputs["store-bucket"]["tags"] == {"paistack-stack": "paistack/test"}


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_services_of_one_model_share_its_objects(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    run(lambda: deploy(config(artefact, "one", "two")))

    stored = [name for name, args in engine.registered.items() if args.typ == "alicloud:oss/bucketObject:BucketObject"]
    assert sum(name.startswith("store/models/") for name in stored) == 2
    code = [name for name in stored if name.startswith("store/code/")]
    assert sum(name.endswith("/serving/__main__.py") for name in code) == 1
    assert len(code) == len(list((ROOT / "model" / "serving").glob("*.py")))


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_every_resource_of_the_cloud_uses_the_stacks_own_provider(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    run(lambda: deploy(config(artefact, "one")))

    of_cloud = [args for args in engine.registered.values() if args.typ.startswith("alicloud:")]
    assert len(of_cloud) > 5
    assert all("::alicloud::" in (args.provider or "") for args in of_cloud)


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_containers_listen_where_they_are_alone_and_on_the_loopback_where_they_are_not(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    run(lambda: deploy(config(artefact, "one")))

    assert engine.registered["one-revision"].inputs["environment"]["HOST"] == "127.0.0.1"


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_a_missing_model_ends_the_run_before_anything_is_registered(engine: Recorder, tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="run `make demo`"):
        deploy(config(tmp_path / "nowhere", "one"))
    assert engine.registered == {}


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_a_model_without_the_file_of_its_runtime_ends_the_run(engine: Recorder, artefact: Path) -> None:
    service = {"model": {"name": "fashion", "artefact": str(artefact), "runtime": "onnx"}}
    settings = config(artefact, services={"one": service | {"instance_type": "ecs.c7.large"}})
    with pytest.raises(pulumi.RunError, match=r"runtime is onnx, but .* holds no model\.onnx: train again"):
        deploy(settings)
    assert engine.registered == {}


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_a_run_gets_its_code_and_a_way_to_stop_its_machine(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    training = {"model": "fashion", "workspace_id": "1000", "machine": "CPU", "data": {"store": "datasets/a/1/"}}
    run(lambda: deploy(config(artefact, training={"nightly": training})))

    instance = engine.registered["nightly-machine-instance"].inputs
    assert instance["instance_name"] == "nightly_test"
    assert instance["environment"]["DSW_ENDPOINT"] == "http://127.0.0.1:8600"
    assert any(name.endswith("/train.py") for name in engine.registered if name.startswith("store/code/"))
    assert {"nightly-machine-culler", "nightly-machine-timer"} <= {*engine.registered}


def test_an_environment_that_leads_elsewhere_ends_the_run_before_anything_is_registered(
    engine: Recorder, artefact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(pulumi.RunError, match="HTTP_PROXY is not set"):
        deploy(config(artefact, "one"))
    assert engine.registered == {}


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_a_split_divides_the_traffic_of_its_group_between_services_of_that_group(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    versions = {"v1": {"service": "old", "weight": 100}, "v2": {"service": "new"}}
    split = {"mode": "canary", "versions": versions, "shadow": {"service": "trial", "percent": 5}}
    run(lambda: deploy(config(artefact, "new", "old", "trial", traffic={"shop": split})))

    inputs = {name: args.inputs for name, args in engine.registered.items()}
    assert inputs["shop-group"]["group_name"] == "shop_test"
    assert inputs["shop-group"]["labels"] == {"paistack-stack": "paistack/test"}
    groups = {name: inputs[f"{name}-revision"]["config"]["metadata"].get("group") for name in ("old", "new", "trial")}
    assert groups == {"old": "shop_test", "new": "shop_test", "trial": None}
    parts = {name: inputs[f"shop-release-{name}"] for name in ("v1", "v2")}
    assert {name: (part["service_name"], part["traffic_state"], part["weight"]) for name, part in parts.items()} == {
        "v1": ("old_test", "grouping", 100),
        "v2": ("new_test", "standalone", 0),
    }
    assert [inputs[f"shop-mirror-{name}"]["targets"] for name in ("v1", "v2")] == [["trial-service-id"]] * 2


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_parts_wait_for_services_with_traffic_and_services_without_wait_for_the_parts(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    versions = {"v1": {"service": "zebra", "weight": 100}, "v2": {"service": "ant"}}
    split = {"mode": "canary", "versions": versions}
    run(lambda: deploy(config(artefact, "ant", "zebra", "other", traffic={"shop": split})))

    order = [name for name in engine.registered if "-release-" in name or name.endswith("-revision")]
    assert order[:3] == ["zebra-revision", "shop-release-v1", "shop-release-v2"]
    assert set(order[3:]) == {"ant-revision", "other-revision"}


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_a_mix_tries_its_sources_in_the_order_in_which_they_stand(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    machines = {"pool": {"pools": {"base": {"instance_type": "ecs.c7.large", "count": 2}}}}
    cheap = {"instance_type": "ecs.c7.large", "max_price_usd_per_hour": 0.05}
    mixes = {"blend": {"sources": [{"machines": "pool"}, cheap, {"instance_type": "ecs.c7.large"}]}}
    of = config(artefact, "one", machines=machines, mixes=mixes)
    billing = BillingSettings.model_validate({"mix": "blend", "size": {"cpu": 1, "memory_mib": 2048}})
    service = of.services["one"].model_copy(update={"billing": billing})
    engine.outputs["pulumi-python:dynamic/eas:ResourceMachines"] = {"instance_ids": ["eas-i-1"]}
    run(lambda: deploy(of.model_copy(update={"services": {"one": service}})))

    inputs = {name: args.inputs for name, args in engine.registered.items()}
    none = {"instance_type": "", "resource_id": "", "spot_price_limit": 0}
    assert inputs["blend-mix"]["sources"] == [
        none | {"resource_id": "pool-group-id", "priority": 3},
        none | {"instance_type": "ecs.c7.large", "spot_price_limit": 0.05, "priority": 2},
        none | {"instance_type": "ecs.c7.large", "priority": 1},
    ]
    assert inputs["blend-mix"]["group_name"] == "blend_test"
    assert inputs["one-revision"]["config"]["metadata"]["resource"] == "blend-mix-id"
    assert "cloud" not in inputs["one-revision"]["config"]


@pytest.mark.usefixtures("_in_the_emulators_environment")
def test_a_service_runs_on_the_stacks_own_machines_behind_its_own_gateway(
    engine: Recorder, run: Callable[[Callable[[], object]], None], artefact: Path
) -> None:
    machines = {"pool": {"pools": {"base": {"instance_type": "ecs.c7.large", "count": 2}}}}
    subscribed = {"instance_type": "ecs.c7.large", "count": 1, "subscription": {"auto_renewal": True}}
    machines["pool"]["pools"]["kept"] = subscribed
    of = config(artefact, "one", machines=machines, gateways={"front": {"size": "2c4g"}})
    billing = BillingSettings.model_validate({"machines": "pool", "size": {"cpu": 1, "memory_mib": 2048}})
    service = of.services["one"].model_copy(update={"billing": billing, "gateway": "front"})
    engine.outputs["pulumi-python:dynamic/eas:ResourceMachines"] = {"instance_ids": ["eas-i-1"]}
    run(lambda: deploy(of.model_copy(update={"services": {"one": service}})))

    inputs = {name: args.inputs for name, args in engine.registered.items()}
    ours = {"paistack-stack": "paistack/test"}
    assert inputs["pool-group"]["group_name"] == "pool_test"
    assert inputs["pool-group"]["first_machines"]["labels"] == ours | {"paistack-machines": "pool/base"}
    assert inputs["pool-base"]["labels"] == ours | {"paistack-machines": "pool/base"}
    paid = [(inputs[name]["charge_type"], inputs[name]["auto_renewal"]) for name in ("pool-base", "pool-kept")]
    assert paid == [("PostPaid", False), ("PrePaid", True)]
    assert {inputs[name]["resource_id"] for name in ("pool-base", "pool-kept")} == {"pool-group-id"}
    assert (inputs["front-gateway"]["gateway_name"], inputs["front-gateway"]["labels"]) == ("front_test", ours)
    running = inputs["one-revision"]["config"]
    assert running["metadata"]["resource"] == "pool-group-id"
    assert running["networking"] == {"gateway": "front-gateway-id"}
    assert "cloud" not in running
    order = list(engine.registered)
    assert max(order.index(name) for name in ("pool-base", "pool-kept", "front-gateway")) < order.index("one-service")
