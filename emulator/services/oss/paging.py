"""How every listing of keys is cut into pages and folded at a delimiter."""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

from emulator.services.oss import xml
from emulator.services.oss.errors import invalid_argument
from emulator.services.oss.index import after_prefix
from emulator.services.oss.request import OssRequest

Encode = Callable[[str], str]


class Keyed(Protocol):
    """What has a key, and a position among those with the same key."""

    @property
    def key(self) -> str: ...
    @property
    def position(self) -> int | str: ...


Entry = TypeVar("Entry", bound=Keyed)


class Place(NamedTuple):
    """Where a page begins: at `key`, or with `beyond` after that position of it."""

    key: str
    beyond: int | str | None = None


class Page(NamedTuple, Generic[Entry]):
    """`found` and `prefixes` are each in key order; `last` is what the next page begins after, if there is one."""

    found: list[Entry]
    prefixes: list[str]
    last: Entry | str | None

    @property
    def truncated(self) -> bool:
        return self.last is not None

    @property
    def last_key(self) -> str | None:
        return self.last if self.last is None or isinstance(self.last, str) else self.last.key

    @property
    def size(self) -> int:
        return len(self.found) + len(self.prefixes)


def page(request: OssRequest, start: Place, limit: int, fetch: Callable[[Place, int], list[Entry]]) -> Page[Entry]:
    """Up to `limit` entries of those with the request's prefix, which `fetch` brings in order.

    Keys that share what goes before the next delimiter are one common prefix. Their rest is skipped over, not read.
    """
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    if delimiter and _group(start.key, prefix, delimiter) == start.key:
        start = Place(after_prefix(start.key))
    entries: list[Entry | str] = []
    group = ""
    while len(entries) <= limit:
        wanted = limit + 1 - len(entries)
        batch = fetch(start, wanted)
        for entry in batch:
            if group and entry.key.startswith(group):
                continue
            group = _group(entry.key, prefix, delimiter)
            entries.append(group or entry)
        if len(batch) < wanted:
            break
        start = Place(after_prefix(group)) if group else Place(batch[-1].key, batch[-1].position)
        if not start.key:
            break
    shown = entries[:limit]
    return Page(
        [entry for entry in shown if not isinstance(entry, str)],
        [entry for entry in shown if isinstance(entry, str)],
        shown[-1] if shown and len(entries) > limit else None,
    )


def _group(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix that `key` is shown as; empty when it is shown itself."""
    if not key or not delimiter or not key.startswith(prefix):
        return ""
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else ""


def encoding(request: OssRequest) -> Encode:
    """How the answer writes keys: as they are, or percent-encoded when the request asks for that."""
    wanted = request.query.get("encoding-type", "")
    if wanted not in ("", "url"):
        raise invalid_argument("encoding-type", wanted, "The encoding type must be url.")
    return (lambda text: quote(text, safe="")) if wanted else str


def asked(request: OssRequest, encode: Encode) -> list[tuple[str, xml.Value]]:
    """What the answer repeats of the request."""
    return [
        ("Prefix", encode(request.query.get("prefix", ""))),
        ("Delimiter", encode(request.query.get("delimiter", ""))),
        ("EncodingType", request.query.get("encoding-type") or None),
    ]


def common_prefixes(prefixes: list[str], encode: Encode) -> list[tuple[str, xml.Value]]:
    return [("CommonPrefixes", [("Prefix", encode(prefix))]) for prefix in prefixes]
