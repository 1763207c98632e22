"""`paistack forecast` on a file: the plan as JSON, and what a person is told who gives it something else."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from planning.series import Series
from tests.jobs.test_cli import paistack
from tests.planning.loads import daily, wandering

FLAGS = ("--step-seconds", "300", "--qps-per-replica", "60", "--min", "1", "--max", "40", "--warm-up", "180")


def written(series: Series, path: Path) -> Path:
    rows = [f"{series.at(place).isoformat()},{qps:.3f}" for place, qps in enumerate(series.qps)]
    path.write_text("\n".join(["timestamp,qps", *rows, ""]))
    return path


def test_the_plan_is_json_with_the_keys_that_were_promised(tmp_path: Path) -> None:
    history = daily(10)
    finished = paistack("forecast", "--history", str(written(history, tmp_path / "load.csv")), *FLAGS, "--json")

    plan = json.loads(finished.stdout)

    assert set(plan) == {"steps", "target_utilisation", "method", "why"}
    moments = [datetime.fromisoformat(step["at"]) for step in plan["steps"]]
    assert moments == sorted(moments)
    assert moments[0] == history.end
    assert moments[-1] < history.end + timedelta(hours=24)
    assert all(1 <= step["replicas"] <= 40 for step in plan["steps"])
    assert 0.6 <= plan["target_utilisation"] <= 1
    assert "replica-hours" in plan["why"]


def test_without_a_season_the_plan_is_empty_and_the_target_the_present_one(tmp_path: Path) -> None:
    history = str(written(wandering(12), tmp_path / "load.csv"))

    plan = json.loads(paistack("forecast", "--history", history, *FLAGS, "--json").stdout)

    assert (plan["steps"], plan["target_utilisation"], plan["method"]) == ([], 0.7, "reactive")


def test_a_person_sees_the_hours_and_what_was_mended(tmp_path: Path) -> None:
    path = written(daily(10), tmp_path / "load.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:500] + lines[502:]))

    finished = paistack("forecast", "--history", str(path), *FLAGS)

    assert "2 missing steps filled" in finished.stderr
    assert "2026-03-12 09:00" in finished.stdout
    assert "target utilisation" in finished.stdout


@pytest.mark.parametrize(
    ("content", "changed", "told"),
    [
        (None, {}, "--history: cannot read"),
        ("time,qps\n", {}, "has no column timestamp: its first line is timestamp,qps; found time, qps"),
        ("timestamp,qps\nyesterday,1\n", {}, "line 2: 'yesterday' is no time; write it as 2026-03-01T09:30:00"),
        ("timestamp,qps\n2026-03-01T00:00:00,many\n", {}, "line 2: qps is 'many', no number"),
        ("timestamp,qps\n2026-03-01T00:00:00,1\n", {}, "a series has at least two"),
        (
            "timestamp,qps\n2026-03-01T00:00:00,1\n2026-03-01T00:05:00Z,1\n",
            {},
            "some timestamps have a time zone and others have none",
        ),
        ("timestamp,qps\n", {"--max": "0"}, "--max has to be at least --min and 1, found 0 with --min 1"),
        ("timestamp,qps\n", {"--qps-per-replica": "0"}, "--qps-per-replica has to be above 0, found 0"),
        ("timestamp,qps\n", {"--warm-up": "-1"}, "--warm-up has to be 0 to 3600 seconds, found -1"),
        ("timestamp,qps\n", {"--horizon-hours": "999"}, "--horizon-hours has to be above 0 and at most 168, found 999"),
    ],
)
def test_a_mistake_names_the_flag_or_the_line(
    tmp_path: Path, content: str | None, changed: dict[str, str], told: str
) -> None:
    path = tmp_path / "load.csv"
    if content is not None:
        path.write_text(content)
    flags = dict(zip(FLAGS[::2], FLAGS[1::2], strict=True)) | changed

    finished = paistack("forecast", "--history", str(path), *(part for pair in flags.items() for part in pair))

    assert finished.returncode == 2
    assert told in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
