"""Labels that came later: CSV with the columns id and label, in a file or in all objects below a prefix of OSS."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cloud.oss import oss_bucket
from jobs.problem import JobError
from jobs.stacks import OpenStack

if TYPE_CHECKING:
    from oss2 import Bucket

_COLUMNS = ("id", "label")
# Spreadsheets put a byte order mark before the first column.
_ENCODING = "utf-8-sig"


def read_labels(stack: OpenStack, source: str) -> dict[str, str]:
    """The label of each id; of an id that comes twice the last one. JobError names the file and the line."""
    found: dict[str, str] = {}
    for name, text in _texts(stack, source):
        rows = csv.DictReader(io.StringIO(text))
        if missing := [column for column in _COLUMNS if column not in (rows.fieldnames or [])]:
            there = ", ".join(rows.fieldnames or []) or "nothing"
            raise JobError(f"--labels: {name} has no column {missing[0]}: its first line is id,label; found {there}")
        for row in rows:
            if not row["id"] or not row["label"]:
                raise JobError(f"--labels: {name}, line {rows.line_num}: id or label is missing")
            found[row["id"].strip()] = row["label"].strip()
    return found


def _texts(stack: OpenStack, source: str) -> Iterator[tuple[str, str]]:
    if source.startswith("oss://"):
        yield from _objects(stack, source)
        return
    try:
        yield source, Path(source).read_text(_ENCODING)
    except OSError as error:
        raise JobError(f"--labels: cannot read {source}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise JobError(f"--labels: {source} is no text") from None


def _objects(stack: OpenStack, source: str) -> Iterator[tuple[str, str]]:
    from oss2 import ObjectIteratorV2
    from oss2.exceptions import OssError

    where = urlsplit(source)
    bucket: Bucket = oss_bucket(stack.target, stack.credentials(), where.netloc)
    try:
        keys = [found.key for found in ObjectIteratorV2(bucket, prefix=where.path.lstrip("/"))]
        tables = [key for key in keys if key.endswith(".csv")]
        if not tables:
            raise JobError(f"--labels: there is no .csv below {source}; found {len(keys)} objects")
        for key in tables:
            yield f"oss://{where.netloc}/{key}", bucket.get_object(key).read().decode(_ENCODING)
    except OssError as error:
        raise JobError(f"--labels: cannot read {source}: {error.code}: {error.message}") from None
    except UnicodeDecodeError:
        raise JobError(f"--labels: an object below {source} is no text") from None
