"""Of several controllers one has the lease, in a bucket that keeps versions."""

import threading
from datetime import UTC, datetime, timedelta

import oss2
import pytest

from jobs.append_log import AppendLog, Tail
from jobs.problem import JobError
from jobs.scale.lease import Lease, LeaseHeldError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TERM = timedelta(minutes=15)


def lease(bucket: oss2.Bucket, key: str, holder: str) -> Lease:
    return Lease(AppendLog(bucket, key), holder, TERM)


def test_a_line_is_only_added_to_what_was_read(bucket: oss2.Bucket) -> None:
    log = AppendLog(bucket, "log")
    assert log.tail(100) == Tail((), 0)
    assert log.append("one", 0)
    assert not log.append("two", 0), "somebody else wrote meanwhile"
    assert not log.append("two", 9), "or the object is another one"
    assert log.append("two", 4)
    assert log.tail(100) == Tail(("one", "two"), 8)
    assert log.tail(6) == Tail(("two",), 8), "half a line is none"
    versions = bucket.list_object_versions(prefix="log").versions
    assert [version.key for version in versions] == ["log"]


def test_a_log_goes_on_after_it_was_deleted(bucket: oss2.Bucket) -> None:
    log = AppendLog(bucket, "deleted")
    assert log.append("one", 0)
    bucket.delete_object("deleted")
    assert log.tail(100) == Tail((), 0)
    assert log.append("two", 0)
    assert log.tail(100).lines == ("two",)


def test_what_is_no_log_is_told(bucket: oss2.Bucket) -> None:
    bucket.put_object("written", b"hello\n")
    with pytest.raises(JobError, match="written was put there by something else: move it away"):
        AppendLog(bucket, "written").append("one", 6)
    with pytest.raises(JobError, match="written does not end with a lease: move it away"):
        lease(bucket, "written", "a").hold(NOW)
    elsewhere = oss2.Bucket(bucket.auth, bucket.endpoint, "not-there", region="cn-hangzhou")
    with pytest.raises(JobError, match="the bucket not-there is not there: `paistack up` makes it"):
        AppendLog(elsewhere, "log").tail(10)


def test_the_second_is_told_who_holds_it_and_until_when(bucket: oss2.Bucket) -> None:
    lease(bucket, "held", "a").hold(NOW)
    with pytest.raises(LeaseHeldError, match="a until 2026-03-02 09:15:00 UTC"):
        lease(bucket, "held", "b").hold(NOW + timedelta(minutes=14))


def test_it_is_renewed_given_back_and_taken_when_it_expired(bucket: oss2.Bucket) -> None:
    one, other = lease(bucket, "passed", "a"), lease(bucket, "passed", "b")
    one.hold(NOW)
    one.hold(NOW + timedelta(minutes=10))
    with pytest.raises(LeaseHeldError):
        other.hold(NOW + timedelta(minutes=20))
    one.give_back(NOW + timedelta(minutes=20))
    other.hold(NOW + timedelta(minutes=20))
    one.give_back(NOW + timedelta(minutes=20))
    with pytest.raises(LeaseHeldError, match="b until"):
        one.hold(NOW + timedelta(minutes=21))
    one.hold(NOW + timedelta(minutes=36))
    with pytest.raises(LeaseHeldError, match="a until"):
        other.hold(NOW + timedelta(minutes=36))


def test_of_many_at_once_one_gets_it(bucket: oss2.Bucket) -> None:
    names = [f"controller-{number}" for number in range(8)]
    together, held, refused = threading.Barrier(len(names)), list[str](), list[str]()

    def run(name: str) -> None:
        mine = lease(bucket, "contested", name)
        together.wait()
        try:
            mine.hold(NOW)
            held.append(name)
        except LeaseHeldError as error:
            refused.append(error.claim.holder)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1
    assert set(refused) == set(held)
    assert len(refused) == len(names) - 1
