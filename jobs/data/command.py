"""`paistack data prepare`."""

import re
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cloud.aiworkspace import aiworkspace_client
from cloud.oss import oss_bucket
from cloud.target import Credentials, Target
from jobs.console import notes, results, say
from jobs.data.image import Limits
from jobs.data.labels import from_csv, from_folders
from jobs.data.preparation import DESCRIPTION, Prepared, prepare
from jobs.data.registration import Registered, register
from jobs.data.transfer import download, upload
from jobs.problem import JobError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SHOWN = 20
"""Rejected files that are listed on the terminal; report.json has all of them."""


def prepare_folder(source: Path, name: str, labels: Path | None, datasets: Path, limits: Limits) -> Prepared:
    """Prepare the images in a folder, and show what became of them. Raises JobError."""
    if NAME.fullmatch(name) is None:
        raise JobError(f"--name {name}: allowed: up to 63 lower-case letters, digits and hyphens, no hyphen first")
    if not source.is_dir():
        raise JobError(f"{source}: no such folder; name a folder of images, or oss://BUCKET/PREFIX/")
    files = from_csv(source, labels) if labels else from_folders(source)
    with Progress(console=notes, disable=not notes.is_terminal) as progress:
        task = progress.add_task(f"examining {len(files)} files", total=len(files))
        try:
            prepared = prepare(name, files, datasets, limits, lambda: progress.advance(task))
        except OSError as error:
            raise JobError(f"{error.filename}: {error.strerror}") from None
    _show(prepared, results)
    return prepared


def fetch(target: Target, credentials: Credentials, uri: str, datasets: Path) -> Path:
    """The folder that the objects of oss://BUCKET/PREFIX/ were brought to. Raises JobError."""
    match = re.fullmatch(r"oss://([a-z0-9][a-z0-9-]{1,61}[a-z0-9])/(.+/)?", uri)
    if match is None:
        raise JobError(f"{uri}: allowed: oss://BUCKET/PREFIX/, with a slash at the end")
    bucket, prefix = match[1], match[2] or ""
    folder = datasets / ".raw" / bucket / prefix
    count = download(oss_bucket(target, credentials, bucket), prefix, folder, notes)
    say(f"{count} objects of {uri} are in {folder}")
    return folder


def publish(
    prepared: Prepared, target: Target, credentials: Credentials, bucket_name: str, workspace_id: str
) -> Registered:
    """Upload the dataset and register it as a version in PAI. Raises JobError."""
    description = prepared.description
    prefix = f"datasets/{description.name}/{description.version}/"
    files = {name: prepared.folder / name for name in (*description.files, DESCRIPTION)}
    bucket = oss_bucket(target, credentials, bucket_name)
    sent = upload(bucket, files, prefix, DESCRIPTION, notes)
    say(f"{sent} of {len(files)} files sent to oss://{bucket_name}/{prefix}, the others were there")
    registered = register(
        aiworkspace_client(target, credentials),
        workspace_id=workspace_id,
        name=description.name,
        content=description.version,
        uri=f"oss://{bucket_name}.oss-{target.region}-internal.aliyuncs.com/{prefix}",
        files=len(description.files),
        size=sum(path.stat().st_size for path in files.values()),
    )
    known = "registered as" if registered.is_new else "is"
    say(f"{description.name} {description.version} {known} {registered.dataset_id}, version {registered.version}")
    return registered


def _show(prepared: Prepared, console: Console) -> None:
    """What became of the files, and what the dataset holds."""
    description, report = prepared.description, prepared.report
    rejected = Table("rejected", "why")
    for name, (kind, reason) in list(report.rejected.items())[:SHOWN]:
        rejected.add_row(name, f"{kind}: {reason}")
    if report.rejected:
        console.print(rejected)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(report.counted().items())) or "none"
    console.print(f"{report.kept} images kept, {len(report.repaired)} of them repaired; rejected: {counted}")
    parts = Table("class", "train", "validation", "test")
    for label in description.labels:
        counts = [
            sum(name.startswith(f"{part}/{label}/") for name in description.files)
            for part in ("train", "validation", "test")
        ]
        parts.add_row(label, *map(str, counts))
    console.print(parts)
    console.print(f"{description.name} {description.version} in {prepared.folder}", soft_wrap=True)
