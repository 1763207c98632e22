"""Lifecycle rules: what they may say, and what they do to a bucket once a day of emulated time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from emulator.services.oss import xml
from emulator.services.oss.attributes import STORAGE_CLASSES
from emulator.services.oss.records import Bucket, MultipartUpload, Version
from emulator.services.oss.request import natural
from emulator.services.oss.service import Oss

DAY_S = 86_400
BATCH = 1000
MAX_DAYS = 2**31 - 1

_ACTIONS = (
    "Expiration",
    "Transition",
    "AbortMultipartUpload",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
)


def check_lifecycle(root: Element) -> None:
    """MalformedXML unless the rules can be applied; rules without an id are given one."""
    rules = root.findall("Rule")
    if not 1 <= len(rules) <= 1000:
        raise xml.malformed(f"there must be 1 to 1000 Rule, found {len(rules)}")
    seen: set[str] = set()
    for number, rule in enumerate(rules, 1):
        if not xml.text(rule, "ID"):
            _set_id(rule, f"rule-{number}")
        name = xml.text(rule, "ID")
        if name in seen:
            raise xml.malformed(f"there are two rules with the ID {name}")
        seen.add(name)
        xml.choice(rule, "Status", ("Enabled", "Disabled"))
        for size in (*rule.findall("Filter/ObjectSizeGreaterThan"), *rule.findall("Filter/ObjectSizeLessThan")):
            if natural((size.text or "").strip()) is None:
                raise xml.malformed(f"{size.tag} is {size.text}, not a number of bytes")
        actions = [element for element in rule if element.tag in _ACTIONS]
        if not actions:
            raise xml.malformed(f"rule {name} has no action; it needs one of {', '.join(_ACTIONS)}")
        for action in actions:
            _check_action(action)
            if action.tag.endswith("Transition"):
                xml.choice(action, "StorageClass", STORAGE_CLASSES)


def _set_id(rule: Element, name: str) -> None:
    element = rule.find("ID")
    if element is None:
        element = SubElement(rule, "ID")
    element.text = name


def _check_action(action: Element) -> None:
    for name in ("Days", "NoncurrentDays"):
        days = action.findtext(name)
        if days is not None and not 0 < (natural(days.strip()) or 0) <= MAX_DAYS:
            raise xml.malformed(f"{name} of {action.tag} is {days}, not a number from 1 to {MAX_DAYS}")
    for name in ("Date", "CreatedBeforeDate"):
        date = action.findtext(name)
        if date is not None and _date(date) % DAY_S:
            raise xml.malformed(f"{name} of {action.tag} is {date}, not midnight UTC")


def _date(text: str) -> float:
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00")).astimezone(UTC).timestamp()
    except ValueError:
        raise xml.malformed(f"{text} is not a date like 2030-01-31T00:00:00.000Z") from None


def apply_rules(oss: Oss, now: datetime) -> None:
    """Does to every bucket what its enabled rules say is due at `now`."""
    for bucket in oss.index.buckets():
        document = oss.index.setting(bucket.name, "lifecycle")
        if document is None:
            continue
        for rule in xml.read(document, "LifecycleConfiguration").findall("Rule"):
            if xml.text(rule, "Status") == "Enabled":
                _Rule(oss, bucket, rule, now).apply()


class _Aged(NamedTuple):
    """A version and when it ceased to be the current one, in seconds since the epoch; None while it is."""

    version: Version
    replaced: int | None


class _Rule:
    def __init__(self, oss: Oss, bucket: Bucket, rule: Element, now: datetime) -> None:
        self._oss, self._bucket, self._rule = oss, bucket, rule
        self._now, self._moment = now.timestamp(), now
        self._prefix = xml.text(rule, "Prefix")

    def apply(self) -> None:
        for aged in list(self._versions()):
            if not self._covers(aged.version):
                continue
            if aged.version.is_delete_marker:
                self._expire_marker(aged)
            elif aged.replaced is None:
                self._age_current(aged.version)
            else:
                self._age_noncurrent(aged.version, aged.replaced)
        aborted = self._rule.find("AbortMultipartUpload")
        if aborted is not None:
            for upload in list(self._uploads()):
                if self._due(aborted, upload.initiated):
                    self._oss.abort(upload)

    def _age_current(self, version: Version) -> None:
        expiration = self._rule.find("Expiration")
        if expiration is not None and self._due(expiration, version.modified):
            self._oss.versions.delete(self._bucket, version.key, None, self._moment)
            return
        self._move(version, "Transition", version.modified)

    def _age_noncurrent(self, version: Version, replaced: int) -> None:
        expiration = self._rule.find("NoncurrentVersionExpiration")
        if expiration is not None and self._due(expiration, replaced):
            self._oss.versions.delete(self._bucket, version.key, version.version_id, self._moment)
            return
        self._move(version, "NoncurrentVersionTransition", replaced)

    def _expire_marker(self, aged: _Aged) -> None:
        """A delete marker that hides nothing any more goes by its own rule, one that is history like any version."""
        version = aged.version
        if aged.replaced is not None:
            self._age_noncurrent(version, aged.replaced)
            return
        alone = len(self._oss.index.versions(self._bucket.name, version.key, version.key, None, 2)) == 1
        if alone and xml.text(self._rule, "Expiration/ExpiredObjectDeleteMarker") == "true":
            self._oss.versions.delete(self._bucket, version.key, version.version_id, self._moment)

    def _move(self, version: Version, action: str, since: int) -> None:
        due = [each for each in self._rule.findall(action) if xml.text(each, "IsAccessTime") != "true"]
        due = [each for each in due if self._due(each, since)]
        if due:
            coldest = max(due, key=lambda each: STORAGE_CLASSES.index(xml.text(each, "StorageClass")))
            self._oss.index.update(version, storage_class=xml.text(coldest, "StorageClass"))

    def _due(self, action: Element, since: int) -> bool:
        if days := xml.text(action, "Days") or xml.text(action, "NoncurrentDays"):
            return since + int(days) * DAY_S <= self._now
        if date := xml.text(action, "Date"):
            return _date(date) <= self._now
        if before := xml.text(action, "CreatedBeforeDate"):
            return since < _date(before)
        return False

    def _covers(self, version: Version) -> bool:
        tags = version.tags
        wanted = [(tag.findtext("Key") or "", tag.findtext("Value") or "") for tag in self._rule.findall("Tag")]
        if any(tags.get(key) != value for key, value in wanted):
            return False
        above, below = (xml.text(self._rule, f"Filter/ObjectSize{which}Than") for which in ("Greater", "Less"))
        if (above and version.size <= int(above)) or (below and version.size >= int(below)):
            return False
        return not any(_excepts(exception, version) for exception in self._rule.findall("Filter/Not"))

    def _versions(self) -> Iterator[_Aged]:
        start, beyond = "", None
        newer: Version | None = None
        while batch := self._oss.index.versions(self._bucket.name, self._prefix, start, beyond, BATCH):
            for version in batch:
                same = newer is not None and newer.key == version.key
                yield _Aged(version, newer.modified if same and newer is not None else None)
                newer = version
            start, beyond = batch[-1].key, batch[-1].sequence

    def _uploads(self) -> Iterator[MultipartUpload]:
        start, beyond = "", None
        while batch := self._oss.index.uploads(self._bucket.name, self._prefix, start, beyond, BATCH):
            yield from batch
            start, beyond = batch[-1].key, batch[-1].id


def _excepts(exception: Element, version: Version) -> bool:
    tag = exception.find("Tag")
    if not version.key.startswith(xml.text(exception, "Prefix")):
        return False
    return tag is None or version.tags.get(tag.findtext("Key") or "") == (tag.findtext("Value") or "")
