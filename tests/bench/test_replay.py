"""The minutes around a rise, replayed as `python -m bench.replay` does a day."""

import csv
from pathlib import Path

import pytest

from bench.replay import CAPACITY, POLICIES, main

pytestmark = pytest.mark.slow


def test_controllers_have_replicas_for_a_rise_before_it_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "minutes.csv"

    main(from_hour=8.75, hours=0.4, pace_s=1, series=file)

    minutes = list(csv.DictReader(file.read_text().splitlines()))
    assert len(minutes) == 24
    rise = next(place for place, row in enumerate(minutes) if float(row["qps"]) > 30)
    assert rise == 15
    for policy in POLICIES:
        short = [place for place, row in enumerate(minutes) if too_few(row, policy.service)]
        if policy.planned:
            assert short == []
        else:
            assert short[:3] == [15, 16, 17], "a start takes three minutes"
    assert capsys.readouterr().out.count("rule at") == len(POLICIES)


def too_few(row: dict[str, str], service: str) -> bool:
    return float(row["qps"]) > CAPACITY * int(row[f"{service}_ready"])
