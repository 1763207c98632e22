"""Which files there are, and what each of them shows: from a folder for each class, or from a CSV file."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.problem import JobError

_LABEL = re.compile(r"[^\W_][\w .&+()-]{0,63}")
COLUMNS = ("file", "label", "group")


@dataclass(frozen=True)
class Labelled:
    """A file, its name within the source, its label; images of one group, of one product say, stay in one part."""

    path: Path
    name: str
    label: str
    group: str = ""


def from_folders(folder: Path) -> list[Labelled]:
    """Each file below FOLDER/LABEL/, hidden ones left out. Raises JobError."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path.relative_to(folder))]
    found = [_below(folder, path) for path in files if len(path.relative_to(folder).parts) > 1]
    if not found:
        raise JobError(f"{folder}: holds no files in sub-folders, one for each class; or name a CSV with --labels")
    return found


def from_csv(folder: Path, table: Path) -> list[Labelled]:
    """Each file that the table names; its columns are file, label and, where wanted, group. Raises JobError."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            return list(_rows(folder, table, csv.DictReader(lines)))
    except OSError as error:
        raise JobError(f"--labels {table}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise JobError(f"--labels {table}: not a CSV file in UTF-8: {error}") from None


def _rows(folder: Path, table: Path, reader: "csv.DictReader[str]") -> Iterator[Labelled]:
    columns = reader.fieldnames or []
    if not {"file", "label"} <= set(columns) <= set(COLUMNS):
        raise JobError(f"--labels {table}: found columns {', '.join(columns)}; allowed: file, label, group (optional)")
    seen: dict[str, int] = {}
    for row in reader:
        at = f"--labels {table}, line {reader.line_num}"
        name, label = (row["file"] or "").strip(), (row["label"] or "").strip()
        path = folder / name
        if not name or not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise JobError(f"{at}: there is no file {name!r} in {folder}")
        if name in seen:
            raise JobError(f"{at}: {name} is in line {seen[name]} already")
        seen[name] = reader.line_num
        yield Labelled(path, name, _checked(label, at), (row.get("group") or "").strip())


def _below(folder: Path, path: Path) -> Labelled:
    name = path.relative_to(folder)
    return Labelled(path, str(name), _checked(name.parts[0], str(folder / name.parts[0])))


def _checked(label: str, at: str) -> str:
    if _LABEL.fullmatch(label) is None:
        raise JobError(
            f"{at}: found the label {label!r}; allowed: up to 64 letters, digits, spaces and . & + ( ) - _, "
            "the first a letter or digit"
        )
    return label


def _hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)
