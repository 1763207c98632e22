"""Days of load in the stack's bucket, written once, and read together with CloudMonitor's newest."""

import gzip
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud.cms import cms_client
from cloud.oss import oss_bucket
from emulator.services.eas.metering.summary import Summary
from emulator.state import Settings, State
from jobs.history import read_history
from jobs.load.command import keep_days, show_days
from jobs.load.kept import KeptDays, as_csv, joined, keep, midnight
from jobs.load.measured import measured
from jobs.load.series import LoadFeed, series_of, table_of
from jobs.problem import JobError
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from planning.series import Sample
from stacks.config import StackConfig
from tests.emulator.running import RunningEmulator, run_emulator
from tests.jobs.scale.conftest import BUCKET, target_of, versioned_bucket

# Of yesterday, so that the emulator's clock has it behind itself at any hour.
NOW = datetime.now(UTC).replace(hour=6, minute=2, second=0, microsecond=0) - timedelta(days=1)
TODAY = NOW.date()
DAY = timedelta(days=1)


def load(at: datetime) -> float:
    """Another value each five minutes, by which it is known again."""
    return float(at.day * 1000 + at.hour * 12 + at.minute // 5)


def moments(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += timedelta(minutes=5)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """Has measured shop_dev from noon five days ago until now, but for two hours of the day before yesterday."""
    folder = tmp_path_factory.mktemp("emulator")
    points = State(Settings(folder, port=1)).cms.points
    gap = midnight(TODAY - 2 * DAY) + timedelta(hours=3)
    for at in moments(midnight(TODAY - 5 * DAY) + timedelta(hours=12), NOW):
        if not gap <= at < gap + timedelta(hours=2):
            summary = Summary()
            summary.add(load(at))
            points.add("acs_learn", "qps_total", {"serviceName": "shop_dev"}, at.timestamp(), summary)
    with run_emulator(folder) as running:
        versioned_bucket(target_of(running))
        yield running


def opened(emulator: RunningEmulator) -> OpenStack:
    service = {"model": {"name": "m", "artefact": "a"}, "instance_type": "ecs.c7.large"}
    target = target_of(emulator)
    config = StackConfig.model_validate({"target": target, "services": {"shop": service}})
    return OpenStack(config, PulumiStack("dev", Path("unused"), Path("unused"), target.environment()))


@pytest.fixture
def kept(emulator: RunningEmulator, request: pytest.FixtureRequest) -> KeptDays:
    """Under the test's own name."""
    stack = opened(emulator)
    return KeptDays(oss_bucket(stack.target, stack.credentials(), BUCKET), request.node.name)


@pytest.fixture
def client(emulator: RunningEmulator) -> Any:
    stack = opened(emulator)
    return cms_client(stack.target, stack.credentials())


def values(samples: list[Sample]) -> dict[datetime, float]:
    return {each.at: each.qps for each in samples}


def test_every_day_that_is_over_is_kept_once(kept: KeptDays, client: Any) -> None:
    first = TODAY - 5 * DAY
    assert keep(kept, client, "shop_dev", NOW) == [first + number * DAY for number in range(5)]
    assert keep(kept, client, "shop_dev", NOW) == []
    assert kept.days() == [first + number * DAY for number in range(5)]
    listed = kept.bucket.list_object_versions(prefix=f"history/{kept.service}/").versions
    assert len(listed) == 5, "nothing is written a second time"


def test_a_kept_day_has_every_five_minutes_and_gaps_are_empty(kept: KeptDays, client: Any) -> None:
    keep(kept, client, "shop_dev", NOW)
    day = TODAY - 2 * DAY
    samples = kept.read(day)
    assert [each.at for each in samples] == list(moments(midnight(day), midnight(day + DAY)))
    missing = [each.at for each in samples if math.isnan(each.qps)]
    assert missing == list(moments(midnight(day) + timedelta(hours=3), midnight(day) + timedelta(hours=5)))
    assert all(each.qps == load(each.at) for each in samples if each.at not in missing)
    content = gzip.decompress(kept.bucket.get_object(f"history/{kept.service}/qps-300s/{day}.csv.gz").read())
    lines = content.decode().splitlines()
    assert lines[:2] == ["timestamp,qps", f"{day}T00:00:00+00:00,{load(midnight(day)):.6g}"]
    assert lines[1 + 3 * 12] == f"{day}T03:00:00+00:00,"


def test_a_day_is_kept_when_late_values_have_come(kept: KeptDays, client: Any) -> None:
    early = midnight(TODAY) + timedelta(minutes=10)
    assert TODAY - DAY not in keep(kept, client, "shop_dev", early)
    assert keep(kept, client, "shop_dev", early + timedelta(minutes=5)) == [TODAY - DAY]


def test_a_day_without_a_value_is_kept_as_a_gap_once_the_service_has_begun(kept: KeptDays, client: Any) -> None:
    assert keep(kept, client, "other_dev", NOW) == []
    kept.write(TODAY - 3 * DAY, [Sample(midnight(TODAY - 3 * DAY), 7.0)])
    assert keep(kept, client, "other_dev", NOW) == [TODAY - 2 * DAY, TODAY - DAY]
    assert all(math.isnan(each.qps) for each in kept.read(TODAY - DAY))


def test_kept_days_and_cloudmonitor_are_one_load(kept: KeptDays, client: Any) -> None:
    """A day that CloudMonitor no longer has, one that it has another value of, and what was not kept."""
    lost, changed = TODAY - 9 * DAY, TODAY - 3 * DAY
    kept.write(lost, [Sample(midnight(lost) + timedelta(hours=1), 7.0)])
    kept.write(changed, [Sample(at, 5.0) for at in moments(midnight(changed), midnight(changed + DAY))])

    found = joined(kept, client, "shop_dev", midnight(lost), NOW)

    assert [each.at for each in found] == sorted(each.at for each in found)
    by_time = values(found)
    assert by_time[midnight(lost) + timedelta(hours=1)] == 7.0
    assert {by_time[at] for at in moments(midnight(changed), midnight(changed + DAY))} == {5.0}
    day_after = midnight(changed + DAY)
    assert by_time[day_after] == load(day_after)
    newest = NOW - timedelta(minutes=7)
    assert max(by_time) == newest
    assert len(found) == len(by_time)
    begin = midnight(changed) + timedelta(hours=12)
    assert joined(kept, client, "shop_dev", begin, NOW)[0].at == begin


def test_what_is_not_over_is_not_measured(client: Any) -> None:
    at = midnight(TODAY) + timedelta(hours=4)
    found = list(measured(client, "shop_dev", at, at + timedelta(minutes=14, seconds=59)))
    assert [each.at for each in found] == [at, at + timedelta(minutes=5)]


def test_an_object_that_is_no_day_is_told(kept: KeptDays) -> None:
    for content in (b"hello", gzip.compress(b"a,b\n1,2\n"), gzip.compress(b"timestamp,qps\n2026-03-02T00:00:00,1\n")):
        kept.bucket.put_object(f"history/{kept.service}/qps-300s/2026-03-02.csv.gz", content)
        with pytest.raises(JobError, match=r"2026-03-02\.csv\.gz is no load of a day; delete it, and `paistack"):
            kept.read(date(2026, 3, 2))


def test_a_bucket_that_is_not_there_has_no_days_and_takes_none(emulator: RunningEmulator, client: Any) -> None:
    stack = opened(emulator)
    nowhere = KeptDays(oss_bucket(stack.target, stack.credentials(), "not-there"), "shop")
    assert nowhere.days() == []
    with pytest.raises(JobError, match="the bucket not-there is not there: `paistack up` makes it"):
        keep(nowhere, client, "shop_dev", NOW)


def test_what_is_shown_can_be_planned_by(kept: KeptDays, client: Any, tmp_path: Path) -> None:
    keep(kept, client, "shop_dev", NOW)
    samples = joined(kept, client, "shop_dev", midnight(TODAY - 5 * DAY), NOW)
    file = tmp_path / "load.csv"
    file.write_text(as_csv(samples))
    series, repairs = read_history(file, 300)
    assert series.end == NOW - timedelta(minutes=2)
    begun, _ = series_of(samples, "shop_dev")
    assert begun.start == midnight(TODAY - 5 * DAY) + timedelta(hours=12), "before that there was no service"
    assert begun.qps.tolist() == series.latest(len(begun)).qps.tolist()
    assert len(repairs.filled) == 24 + 144


def test_the_commands_keep_and_show(emulator: RunningEmulator, capsys: pytest.CaptureFixture[str]) -> None:
    stack = opened(emulator)
    keep_days(stack, "shop")
    show_days(stack, "shop", 9, as_csv=True)
    out, err = capsys.readouterr()
    assert "days of shop: " in err
    lines = out.splitlines()
    assert lines[0] == "timestamp,qps"
    noon = midnight(TODAY - 4 * DAY) + timedelta(hours=12)
    assert f"{noon.isoformat()},{load(noon):.6g}" in lines
    keep_days(stack, "shop")
    assert "nothing new to keep of shop" in capsys.readouterr().err
    with pytest.raises(JobError, match="no service 'other' in its settings; there are shop"):
        keep_days(stack, "other")


def test_a_table_tells_how_much_of_a_day_was_measured() -> None:
    day = date(2026, 3, 2)
    half = [Sample(at, 4.0) for at in moments(midnight(day), midnight(day) + timedelta(hours=12))]
    table = table_of([*half, Sample(midnight(day) + timedelta(hours=12), 10.0), Sample(midnight(day + DAY), math.nan)])
    assert [list(column.cells) for column in table.columns] == [
        ["2026-03-02", "2026-03-03"],
        ["50%", "0%"],
        ["4.0", ""],
        ["10.0", ""],
    ]


def test_a_feed_asks_for_what_is_new_and_forgets_what_is_old(emulator: RunningEmulator) -> None:
    feed = LoadFeed(opened(emulator), "shop", 1)
    assert feed.newest is None
    early = midnight(TODAY - DAY) + timedelta(hours=2)
    feed.look(early)
    assert feed.newest == early
    assert feed.samples[0].at >= early - DAY
    later = early + timedelta(hours=1)
    feed.look(later)
    assert feed.newest == later
    known = [each.at for each in feed.samples if not math.isnan(each.qps)]
    assert known == [at for at in moments(later - DAY, later) if not_in_gap(at)]


def not_in_gap(at: datetime) -> bool:
    gap = midnight(TODAY - 2 * DAY) + timedelta(hours=3)
    return not gap <= at < gap + timedelta(hours=2)
