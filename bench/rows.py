"""What a benchmark reports: one figure, the baseline it is held against, and whether the goal holds."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """`ratio` is value / baseline. `goal` says in words what must hold; without one, `holds` is None."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: str | None = None
    holds: bool | None = None


Benchmark = Callable[[], Iterator[Row]]


def figure(name: str, value: float, unit: str) -> Row:
    """A figure that stands alone."""
    return Row(name, round(value, 4), unit)


def at_most(name: str, value: float, unit: str, *, baseline: float, ratio: float) -> Row:
    """A figure that should not exceed `ratio` times its baseline."""
    measured = value / baseline
    goal = f"<= {ratio:g} x baseline"
    return Row(name, round(value, 4), unit, round(baseline, 4), round(measured, 3), goal, measured <= ratio)


def at_least(name: str, value: float, unit: str, *, baseline: float, ratio: float) -> Row:
    """A figure that should reach `ratio` times its baseline."""
    measured = value / baseline
    goal = f">= {ratio:g} x baseline"
    return Row(name, round(value, 4), unit, round(baseline, 4), round(measured, 3), goal, measured >= ratio)


def at_most_above(name: str, value: float, unit: str, *, baseline: float, above: float) -> Row:
    """A figure that should exceed its baseline by less than `above`, in the same unit."""
    goal = f"< baseline + {above:g} {unit}"
    return Row(
        name, round(value, 4), unit, round(baseline, 4), round(value / baseline, 3), goal, value - baseline < above
    )


def read(path: Path) -> list[Row]:
    return [Row(**row) for row in json.loads(path.read_text())] if path.exists() else []


def write(path: Path, rows: list[Row]) -> None:
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
