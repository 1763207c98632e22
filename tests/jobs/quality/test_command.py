"""Quality and calls of a real model server behind the emulated EAS, to CloudMonitor and back."""

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from alibabacloud_cms20190101.client import Client as CmsClient
from alibabacloud_cms20190101.models import DescribeMetricListRequest, PutCustomMetricRuleRequest
from alibabacloud_eas20210701.client import Client as EasClient

from cloud.oss import oss_bucket
from jobs.problem import JobError
from jobs.pulumi_stack import PulumiStack
from jobs.quality.calls import Grouping, show_calls
from jobs.quality.command import show_quality
from jobs.stacks import OpenStack
from model import sources
from model.fashion_mnist import LABELS
from stacks.config import StackConfig
from tests.emulator.cms.calls import states
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import Eas, service_json
from tests.emulator.running import RunningEmulator, run_emulator
from tests.emulator.sdk import connect
from tests.model.conftest import untrained

__all__ = ["untrained"]

pytestmark = pytest.mark.model

ROOT = Path(__file__).parents[3]
PICTURES = [path.read_bytes() for path in sorted((sources.SAMPLE / "pictures").glob("*.png"))]
BUCKET = "paistack-dev-90123456-models"
REQUESTS = 300


@dataclass(frozen=True)
class Served:
    """A stack whose service has answered; `predicted` by the id of the request."""

    emulator: RunningEmulator
    stack: OpenStack
    predicted: dict[str, str]


@pytest.fixture(scope="module")
def served(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("quality")
    with run_emulator(folder / "emulator") as emulator:
        stack = _stack(emulator, folder)
        _store(stack)
        eas = Eas(connect(EasClient, emulator), emulator.url)
        command = f"{sys.executable} -m serving --model-dir {untrained} --port 8000"
        environment = {"PYTHONPATH": str(ROOT / "model"), "HOST": "127.0.0.1"}
        startup = {"http_get": {"path": "/healthz", "port": 8000}, "failure_threshold": 120, "period_seconds": 1}
        eas.deploy(service_json("shop_dev", command=command, env=environment, container={"startup_check": startup}))
        described = eas.describe("shop_dev")
        headers = {"Authorization": described["AccessToken"]}
        predicted = {}
        with httpx.Client(base_url=described["InternetEndpoint"], headers=headers, trust_env=False) as client:
            for number in range(REQUESTS):
                tags = {"x-paistack-source": "app" if number % 3 else "web"}
                answer = client.post("", content=PICTURES[number % len(PICTURES)], headers=tags)
                predicted[answer.headers["x-eas-request-id"]] = answer.json()["predictions"][0]["label"]
            assert client.post("", content=b"no image", headers={"x-paistack-source": "partner"}).status_code == 415
        yield Served(emulator, stack, predicted)
        eas.http.close()


def _stack(emulator: RunningEmulator, folder: Path) -> OpenStack:
    one = {"model": {"name": "fashion", "artefact": "out"}, "instance_type": "ecs.c7.large"}
    target = {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": emulator.url}
    config = StackConfig.model_validate_json(json.dumps({"target": target, "services": {"shop": one}}))
    return OpenStack(config, PulumiStack("dev", folder, folder, config.target.environment()))


def _store(stack: OpenStack) -> None:
    """The version's files, as `up` puts them into the bucket. The reference: every class as often, all images dark."""
    name = stack.config.store.bucket_name("dev", stack.target.account_id)
    bucket = oss_bucket(stack.target, stack.credentials(), name)
    bucket.create_bucket()
    reference = {
        "images": 1000,
        "predictions": dict.fromkeys(LABELS, 100),
        "confidence": [100] * 10,
        "mean": [1000] + [0] * 15,
        "deviation": [1000] + [0] * 15,
    }
    for file, content in {
        "labels.json": LABELS, "metrics.json": {"accuracy": 0.9, "recall": 0.9, "f1": 0.9}, "reference.json": reference,
    }.items():  # fmt: skip
        bucket.put_object(f"models/fashion/0123456789ab/{file}", json.dumps(content))


def table(path: Path, labels: dict[str, str]) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "label"), *labels.items()])
    return str(path)


def shown(served: Served, capsys: pytest.CaptureFixture[str], labels: str | None, *, publishing: bool = False) -> dict:  # type: ignore[type-arg]
    show_quality(served.stack, "shop", "2h", labels, publishing=publishing, as_json=True)
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def reported(served: Served, metric: str) -> list[float]:
    advance(served.emulator, 60)
    request = DescribeMetricListRequest(
        namespace="acs_customMetric_1234567890123456", metric_name=metric, period="60",
        dimensions=json.dumps([{"groupId": "0", "service": "shop_dev"}]),
    )  # fmt: skip
    body = connect(CmsClient, served.emulator).describe_metric_list(request).body
    return [point["Average"] for point in json.loads(body.datapoints)]


def test_right_labels_show_a_good_model_and_wrong_ones_a_bad_one_in_cloudmonitor(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cms = connect(CmsClient, served.emulator)
    put_contact(cms)
    put_group(cms)
    cms.put_custom_metric_rule(
        PutCustomMetricRuleRequest(
            rule_id="wrong too often", metric_name="accuracy_percent", level="CRITICAL", statistics="Average",
            comparison_operator="<", threshold="80", evaluation_count=1, period="60", contact_groups="on-call",
            resources='[{"groupId": 0, "dimension": "service=shop_dev"}]',
        )
    )  # fmt: skip
    right = shown(served, capsys, table(tmp_path / "right.csv", served.predicted), publishing=True)
    assert (right["labelled"], right["quality"]["accuracy"]["value"]) == (REQUESTS, 1.0)
    assert right["verdicts"][0].startswith("better than after training")
    assert reported(served, "accuracy_percent") == [100.0]
    assert states(cms) == {"wrong too often": "OK"}

    others = dict(zip(LABELS, [*LABELS[1:], LABELS[0]], strict=True))
    bad = {id_: others[label] for id_, label in served.predicted.items()}
    wrong = shown(served, capsys, table(tmp_path / "wrong.csv", bad), publishing=True)
    assert wrong["verdicts"][0].startswith("degraded: right in 0.0% to")
    assert reported(served, "accuracy_percent") == [100.0, 0.0]
    assert states(cms) == {"wrong too often": "ALARM"}


def test_labels_come_from_oss_too_and_too_few_of_them_tell_nothing(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    name = served.stack.config.store.bucket_name("dev", served.stack.target.account_id)
    bucket = oss_bucket(served.stack.target, served.stack.credentials(), name)
    for number, (id_, label) in enumerate(list(served.predicted.items())[:4]):
        bucket.put_object(f"labels/{number}.csv", f"id,label\n{id_},{label}\n")
    bucket.put_object("labels/readme.txt", "no table")

    found = shown(served, capsys, f"oss://{name}/labels/")
    assert found["labelled"] == 4
    assert found["verdicts"][0].startswith("too few labels to tell: 4 leave the accuracy at")


def test_labels_that_a_spreadsheet_saved_are_read(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id_, label = next(iter(served.predicted.items()))
    file = tmp_path / "labels.csv"
    file.write_text(f"id,label\n{id_},{label}\n", encoding="utf-8-sig")
    name = served.stack.config.store.bucket_name("dev", served.stack.target.account_id)
    bucket = oss_bucket(served.stack.target, served.stack.credentials(), name)
    bucket.put_object("spreadsheet/labels.csv", file.read_bytes())

    assert shown(served, capsys, str(file))["labelled"] == 1
    assert shown(served, capsys, f"oss://{name}/spreadsheet/")["labelled"] == 1


def test_a_service_that_is_not_in_the_settings_is_told(served: Served) -> None:
    told = "stack dev has no service 'hat' in its settings; there are shop"
    with pytest.raises(JobError, match=told):
        show_quality(served.stack, "hat", "2h", None, publishing=False, as_json=True)
    with pytest.raises(JobError, match=told):
        show_calls(served.stack, "hat", "2h", Grouping.SOURCE, publishing=False, as_json=True)


def test_a_log_without_requests_is_told_of_calls(served: Served) -> None:
    with pytest.raises(JobError, match="the log of shop has no requests since 2027-01-01"):
        show_calls(served.stack, "shop", "2027-01-01", Grouping.SOURCE, publishing=False, as_json=True)


def test_inputs_that_are_not_those_of_training_are_told(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(served, capsys, None)
    assert found["drift"]["brightness"]["verdict"] == "much"
    assert found["verdicts"][0] == "no labels: how often it is right cannot be told"


def test_the_table_can_be_read(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = table(tmp_path / "right.csv", served.predicted)
    show_quality(served.stack, "shop", "2h", labels, publishing=False, as_json=False)
    told = capsys.readouterr().out
    assert f"fashion 0123456789ab: {REQUESTS} requests, {REQUESTS} labels" in told
    assert "after training" in told


def test_calls_are_counted_and_reported(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    show_calls(served.stack, "shop", "2h", Grouping.SOURCE, publishing=True, as_json=True)
    groups = {each["of"]: each for each in json.loads(capsys.readouterr().out)}
    assert {of: (each["count"], each["errors"]) for of, each in groups.items()} == {
        "app": (200, 0), "web": (100, 0), "partner": (1, 1),
    }  # fmt: skip
    assert len(reported(served, "calls_per_minute")) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name,label\na,b\n", "has no column id: its first line is id,label; found name, label"),
        ("id,label\na,\n", "line 2: id or label is missing"),
        (None, "cannot read"),
    ],
)
def test_what_is_wrong_with_a_file_of_labels_is_told(
    served: Served, tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "labels.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(JobError, match=told):
        show_quality(served.stack, "shop", "2h", str(file), publishing=False, as_json=True)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("oss://paistack-dev-90123456-models/nothing/", "there is no .csv below"),
        ("oss://somebody-elses/labels/", "cannot read oss://somebody-elses/labels/: NoSuchBucket"),
    ],
)
def test_what_is_wrong_with_a_prefix_of_labels_is_told(served: Served, labels: str, told: str) -> None:
    with pytest.raises(JobError, match=told):
        show_quality(served.stack, "shop", "2h", labels, publishing=False, as_json=True)


def test_a_log_without_predictions_is_told(served: Served) -> None:
    with pytest.raises(JobError, match="no request since 2027-01-01 tells what shop predicted; its log has 0 requests"):
        show_quality(served.stack, "shop", "2027-01-01", None, publishing=False, as_json=True)
