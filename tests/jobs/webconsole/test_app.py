"""What the console's server answers, on a real socket over an emulator."""

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.problem import JobError
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from jobs.webconsole.command import serve
from tests.jobs.webconsole.stack import ROBOT, TOKEN, settings_of

SECRETS = (TOKEN, ROBOT, "nor-this", "paistack-emulator-secret", "LTAI5tPaistackEmulator")
PATHS = ("/", "/api/stack", "/api/services/shop", "/api/services/shop/metrics", "/api/services/shop/logs?since=1h")


def get(url: str, path: str) -> Any:
    return httpx.get(url + path, timeout=30).raise_for_status().json()


def test_the_list_has_every_service_of_the_settings_and_how_it_is(url: str) -> None:
    found = get(url, "/api/stack")
    services = {each["key"]: each for each in found["services"]}

    assert list(services) == ["shop", "trial", "dormant"]
    assert {key: (its["status"], its["ready"], its["wanted"]) for key, its in services.items()} == {
        "shop": ("Running", 2, 2), "trial": ("Running", 1, 1), "dormant": ("NotDeployed", 0, 0),
    }  # fmt: skip
    assert services["shop"]["newest"]["qps"] >= 0
    assert services["dormant"]["newest"] == {}


def test_shares_of_traffic_are_those_of_eas(url: str) -> None:
    (group,) = get(url, "/api/stack")["traffic"]
    assert group["group"] == "fashion_dev"
    assert [(each["version"], each["share"]) for each in group["versions"]] == [("old", 0.9), ("new", 0.1)]


def test_alarms_are_the_stacks_own_with_their_levels(url: str) -> None:
    alarms = get(url, "/api/stack")["alarms"]

    assert alarms["rules"] == 2
    assert [(each["service"], each["metric"], each["level"]) for each in alarms["firing"]] == [
        ("shop", "accuracy_percent", "emergency")
    ]
    past = [(each["metric"], each["level"]) for each in alarms["past"]]
    assert set(past[:2]) == {("accuracy_percent", "emergency"), ("input_drift_psi", "over")}
    assert past[2:] == [("input_drift_psi", "emergency")]


def test_the_outbox_tells_by_which_way_whom_and_not_the_address(url: str) -> None:
    sent = get(url, "/api/stack")["outbox"]

    fired = [each for each in sent if each["subject"] == "[Critical] paistack-dev-shop-accuracy_percent"]
    assert {(each["channel"], each["contact"]) for each in fired} == {("MAIL", "anna"), ("DING", "anna")}
    assert {key for each in sent for key in each} == {"time", "channel", "contact", "subject", "text"}


def test_a_service_is_told_with_its_replicas_its_scaling_and_what_happened(url: str) -> None:
    found = get(url, "/api/services/shop")

    assert [each["ready"] for each in found["replicas"]] == [True, True]
    assert {each["reason"] for each in found["events"]} >= {"Creating", "Running"}
    plan = found["scaling"].pop("plan")
    assert found["scaling"] == {"least": 1, "most": 4, "thresholds": {"qps": 50.0}}
    assert (plan["method"], len(plan["steps"]), len(plan["expected"])) == ("seasons", 6, 24)


def test_what_is_not_deployed_has_nothing_rather_than_an_error(url: str) -> None:
    found = get(url, "/api/services/dormant")
    assert (found["replicas"], found["events"], found["scaling"]) == ([], [], None)
    values = get(url, "/api/services/dormant/metrics")["values"]
    assert {value for line in values.values() for value in line} == {None}


@pytest.mark.parametrize(("asked", "count", "step"), [("1h", 60, 60), ("1d", 1440, 60), ("7d", 2016, 300)])
def test_courses_are_regular_and_whole(url: str, asked: str, count: int, step: int) -> None:
    found = get(url, f"/api/services/shop/metrics?range={asked}")
    times, values = found["times"], found["values"]

    assert len(times) == count
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {step}
    assert {len(line) for line in values.values()} == {count}
    # The last minutes are those of the moved clock, of which the emulator saw little.
    known = [value for value in values["qps"][: count - 10] if value is not None]
    assert len(known) >= 0.9 * (count - 10)
    assert 20 <= min(known) <= max(known) <= 192
    assert times[-1] <= datetime.now(UTC).timestamp() + 600


def test_what_jobs_reported_is_there_beside_what_cloudmonitor_measures(url: str) -> None:
    reported = get(url, "/api/services/shop/metrics")["reported"]
    assert {name: [value for _, value in pairs] for name, pairs in reported.items()} == {
        "accuracy_percent": [88, 86, 71], "input_drift_psi": [0.02, 0.3, 0.02],
    }  # fmt: skip


def test_logs_are_searched(url: str) -> None:
    lines = get(url, "/api/services/shop/logs?since=1h&grep=hidden")["lines"]
    assert [line["text"].rpartition(" ")[2] for line in lines] == ["/hidden?status=500"]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/services/nobody", 404, "stack dev has no service 'nobody'; there are shop, trial, dormant"),
        ("/api/services/shop/metrics?range=2h", 404, "range: found '2h'; there are 1h, 6h, 1d, 7d"),
        ("/api/services/shop/logs?since=soon", 404, "--since: found 'soon'"),
        ("/api/services/shop/logs?level=loud", 404, "level: found 'loud'; there are debug"),
        ("/api/nothing", 404, "Not Found"),
    ],
)
def test_what_cannot_be_answered_is_told(url: str, path: str, status: int, told: str) -> None:
    answer = httpx.get(url + path)
    assert answer.status_code == status
    assert told in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example:80"}, {"host": "evil.example"}, {"origin": "http://evil.example"}],
)
def test_pages_of_others_get_nothing(url: str, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{url}/api/stack", headers=headers)
    assert answer.status_code == 403
    assert "services" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_holds_a_secret_or_may_load_from_elsewhere(url: str, path: str) -> None:
    answer = httpx.get(url + path, timeout=30)
    assert answer.status_code == 200
    assert [secret for secret in SECRETS if secret in answer.text] == []
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = Path("jobs/webconsole/page")
    ours = [file.read_text() for file in page.iterdir() if not file.name.startswith("uplot.")]
    assert len(ours) == 5
    assert [text for text in ours if "https://" in text or "http://" in text] == []


def test_a_taken_port_is_told(url: str, tmp_path: Path) -> None:
    config = settings_of("http://127.0.0.1:1")
    stack = OpenStack(config, PulumiStack("dev", tmp_path, tmp_path, config.target.environment()))
    with pytest.raises(JobError, match=r"--port .*: Address already in use; give another one, or 0 for any that is"):
        serve(stack, int(url.rpartition(":")[2]), browser=False)
