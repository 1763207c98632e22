"""A service's load from a file: columns `timestamp,qps`, one row for each step."""

import csv
from datetime import datetime
from pathlib import Path

from jobs.problem import JobError
from planning.series import Repairs, Sample, Series, SeriesError, regular

_COLUMNS = ("timestamp", "qps")


def read_history(path: Path, step_s: int) -> tuple[Series, Repairs]:
    """The series in a CSV file, and what was mended; JobError names the file and the line."""
    try:
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            if missing := [name for name in _COLUMNS if name not in (rows.fieldnames or [])]:
                found = ", ".join(rows.fieldnames or []) or "nothing"
                raise JobError(f"{path} has no column {missing[0]}: its first line is timestamp,qps; found {found}")
            samples = [_sample(path, rows.line_num, row) for row in rows]
    except OSError as error:
        raise JobError(f"--history: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise JobError(f"--history: {path} is no text") from None
    if len({sample.at.tzinfo is None for sample in samples}) > 1:
        raise JobError(f"{path}: some timestamps have a time zone and others have none; write all of them alike")
    try:
        return regular(samples, step_s)
    except SeriesError as error:
        raise JobError(f"{path} with --step-seconds {step_s}: {error}") from None


def _sample(path: Path, line: int, row: dict[str, str]) -> Sample:
    try:
        at = datetime.fromisoformat(row["timestamp"])
    except (ValueError, TypeError):
        example = "2026-03-01T09:30:00"
        raise JobError(f"{path}, line {line}: {row['timestamp']!r} is no time; write it as {example}") from None
    text = row["qps"]
    try:
        return Sample(at, float(text) if text else float("nan"))
    except (ValueError, TypeError):
        raise JobError(f"{path}, line {line}: qps is {text!r}, no number; leave it empty when unknown") from None
