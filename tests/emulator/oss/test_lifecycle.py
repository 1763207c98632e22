"""Lifecycle rules do what they say once the clock has moved far enough."""

import re

import httpx
import pytest

from tests.emulator.conftest import RunningEmulator

DAY_S = 86_400
ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


class Aging:
    """A bucket, and days that pass."""

    def __init__(self, owner: httpx.Client, url: str) -> None:
        self._owner, self._url = owner, url

    def put(self, key: str, tags: str = "") -> None:
        assert self._owner.put(f"/bucket/{key}", content=b"0123456789", headers={"x-oss-tagging": tags}).is_success

    def rule(self, *actions: str, prefix: str = "") -> None:
        rule = f"<Rule><Prefix>{prefix}</Prefix><Status>Enabled</Status>{''.join(actions)}</Rule>"
        body = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>"
        stored = self._owner.put("/bucket/?lifecycle", content=body)
        assert stored.is_success, stored.text

    def versioning(self) -> None:
        assert self._owner.put("/bucket/?versioning", content=ENABLED).is_success

    def after(self, days: float) -> None:
        assert httpx.post(f"{self._url}/_emulator/clock", json={"advance_s": days * DAY_S}).is_success

    def delete(self, key: str) -> None:
        assert self._owner.delete(f"/bucket/{key}").is_success

    def found(self, what: str = "Key", listing: str = "") -> list[str]:
        return re.findall(f"<{what}>([^<]*)</{what}>", self._owner.get(f"/bucket/?{listing}").text)


@pytest.fixture
def aging(emulator: RunningEmulator, owner: httpx.Client) -> Aging:
    return Aging(owner, emulator.url)


def test_objects_expire_after_their_days_and_not_before(aging: Aging) -> None:
    aging.put("logs/a")
    aging.put("kept")
    aging.rule("<Expiration><Days>3</Days></Expiration>", prefix="logs/")
    aging.after(2)
    assert aging.found() == ["kept", "logs/a"]
    aging.after(2)
    assert aging.found() == ["kept"]


def test_objects_from_before_a_date_expire(aging: Aging) -> None:
    aging.put("old")
    aging.rule("<Expiration><CreatedBeforeDate>2100-01-01T00:00:00.000Z</CreatedBeforeDate></Expiration>")
    aging.after(1)
    assert aging.found() == []


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("<Tag><Key>a</Key><Value>1</Value></Tag>", ["other", "plain"]),
        ("<Filter><Not><Prefix>ot</Prefix></Not></Filter>", ["other"]),
        ("<Filter><Not><Prefix></Prefix><Tag><Key>a</Key><Value>1</Value></Tag></Not></Filter>", ["tagged"]),
        ("<Filter><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan></Filter>", ["other", "plain", "tagged"]),
        ("<Filter><ObjectSizeLessThan>11</ObjectSizeLessThan></Filter>", []),
    ],
)
def test_a_rule_is_for_the_objects_that_it_describes(aging: Aging, condition: str, left: list[str]) -> None:
    aging.put("tagged", "a=1")
    aging.put("other", "a=2")
    aging.put("plain")
    aging.rule(condition, "<Expiration><Days>1</Days></Expiration>")
    aging.after(2)
    assert aging.found() == left


def test_objects_move_to_colder_classes(aging: Aging) -> None:
    aging.put("x")
    aging.rule(
        "<Transition><Days>60</Days><StorageClass>Archive</StorageClass></Transition>",
        "<Transition><Days>30</Days><StorageClass>IA</StorageClass></Transition>",
    )
    aging.after(31)
    assert aging.found("StorageClass") == ["IA"]
    aging.after(30)
    assert aging.found("StorageClass") == ["Archive"]


def test_with_versions_an_expired_object_is_hidden_and_old_versions_go_later(aging: Aging) -> None:
    aging.versioning()
    aging.put("x")
    aging.put("x")
    aging.rule(
        "<Expiration><Days>10</Days></Expiration>",
        "<NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays></NoncurrentVersionExpiration>",
    )
    aging.after(6)
    assert len(aging.found("VersionId", "versions")) == 1, "the version that was replaced is old enough"
    aging.after(5)
    assert aging.found() == []
    assert aging.found("IsLatest", "versions") == ["true", "false"], "a delete marker hides the last version"
    aging.after(6)
    assert aging.found("IsLatest", "versions") == ["true"], "only the delete marker is left"


def test_a_delete_marker_that_hides_nothing_goes_by_its_own_rule(aging: Aging) -> None:
    aging.versioning()
    aging.put("x")
    aging.delete("x")
    aging.rule(
        "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
    )
    aging.after(2)
    aging.found()
    aging.after(1)
    assert aging.found("VersionId", "versions") == []


def test_unfinished_uploads_are_aborted(aging: Aging, owner: httpx.Client) -> None:
    owner.post("/bucket/begun?uploads")
    aging.rule("<AbortMultipartUpload><Days>7</Days></AbortMultipartUpload>")
    aging.after(6)
    assert len(aging.found("UploadId", "uploads")) == 1
    aging.after(2)
    assert aging.found("UploadId", "uploads") == []
