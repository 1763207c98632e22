"""Files to a bucket and objects from it: what is there already is not sent again, so that a cut run goes on."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from jobs.problem import JobError

if TYPE_CHECKING:
    from oss2 import Bucket

AT_ONCE = 8


def upload(bucket: "Bucket", files: Mapping[str, Path], prefix: str, last: str, console: Console) -> int:
    """Put the files under `prefix`, by their names; `last` after all others, so that it says that all are there.

    An object with the file's MD5 is left alone. Returns how many were sent. JobError when the bucket is not there.
    """
    there = _etags(bucket, prefix)
    missing = [name for name, path in files.items() if there.get(name) != _md5(path)]

    def put(name: str) -> int:
        bucket.put_object_from_file(f"{prefix}{name}", str(files[name]))
        return files[name].stat().st_size

    with _progress(console) as progress:
        sizes = {name: files[name].stat().st_size for name in missing}
        task = progress.add_task(f"uploading {len(missing)} of {len(files)} files", total=sum(sizes.values()))
        _at_once(put, [name for name in missing if name != last], lambda size: progress.advance(task, size))
        _at_once(put, [name for name in missing if name == last], lambda size: progress.advance(task, size))
    return len(missing)


def download(bucket: "Bucket", prefix: str, folder: Path, console: Console) -> int:
    """Get the objects under `prefix` into the folder; a file with the object's MD5 is left alone.

    Returns how many there are. Raises JobError when there are none, or one cannot be a file.
    """
    there = _etags(bucket, prefix)
    names = [name for name in there if name and not name.endswith("/")]
    if not names:
        raise JobError(f"oss://{bucket.bucket_name}/{prefix}: there are no objects")
    if stray := next((name for name in names if {"", ".", ".."} & set(name.split("/"))), None):
        raise JobError(f"oss://{bucket.bucket_name}/{prefix}{stray}: cannot be a file; rename the object")

    def get(name: str) -> int:
        path = folder / name
        if not (path.is_file() and _md5(path) == there[name]):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.partial")
            bucket.get_object_to_file(f"{prefix}{name}", str(partial))
            partial.replace(path)
        return 1

    with _progress(console, MofNCompleteColumn()) as progress:
        task = progress.add_task(f"getting {len(names)} objects", total=len(names))
        _at_once(get, names, lambda done: progress.advance(task, done))
    return len(names)


def _at_once(work: Callable[[str], int], names: list[str], on_done: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(work, names):
            on_done(done)


def _etags(bucket: "Bucket", prefix: str) -> dict[str, str]:
    """The MD5 of each object under `prefix`, by the rest of its key."""
    import oss2

    def listed() -> Iterator[tuple[str, str]]:
        for item in oss2.ObjectIteratorV2(bucket, prefix=prefix):
            yield item.key.removeprefix(prefix), item.etag.strip('"').upper()

    try:
        return dict(listed())
    except oss2.exceptions.NoSuchBucket:
        raise JobError(
            f"there is no bucket {bucket.bucket_name}: `paistack up --stack STACK` makes the stack's"
        ) from None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest().upper()


def _progress(console: Console, *columns: MofNCompleteColumn) -> Progress:
    shown = columns or (TransferSpeedColumn(), TimeRemainingColumn())
    return Progress("{task.description}", BarColumn(), *shown, console=console, disable=not console.is_terminal)
