"""`paistack backtest`: the table and the page, from a file."""

import re
from pathlib import Path

import pytest

from tests.jobs.test_cli import paistack
from tests.jobs.test_forecast import FLAGS, written
from tests.planning.loads import daily


def test_policies_are_compared_in_a_table_and_on_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    history, page = written(daily(8), tmp_path / "load.csv"), tmp_path / "report.html"

    finished = paistack(
        "backtest",
        "--history",
        str(history),
        *FLAGS,
        "--days",
        "2",
        "--replica-hour-price",
        "0.5",
        "--report",
        str(page),
    )

    assert finished.returncode == 0, finished.stderr
    rows = {line.split("│")[1].strip(): line for line in finished.stdout.splitlines() if line.startswith("│")}
    assert [*rows] == [
        "reactive at 0.7",
        "reactive at the chosen target",
        "last week's peak, always",
        "daily plan, seasonal naive",
        "daily plan, seasons",
        "plan renewed every 5 minutes",
        "clairvoyant",
    ]
    text = page.read_text()
    assert all(name.replace("'", "&#x27;") in text for name in rows)
    assert text.count("<svg") == 4
    assert not re.search(r"(src|href)=|url\(|https?:", text)
    assert "prefers-color-scheme:dark" in text


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--days", "4"), "--days is 4, and"),
        (("--days", "1", "--methods", "prophet"), "--methods: there is no method 'prophet'; there are naive, seasons"),
        (("--days", "1", "--methods", "ensemble"), "--methods names none to forecast with"),
    ],
)
def test_a_mistake_names_the_flag(tmp_path: Path, flags: tuple[str, ...], told: str) -> None:
    history = written(daily(8), tmp_path / "load.csv")

    finished = paistack("backtest", "--history", str(history), *FLAGS, *flags)

    assert finished.returncode == 2
    assert told in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
