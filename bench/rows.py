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


HEAD = """# Measured

Written by `make bench` from results.json, which has the same figures for machines. Each ratio is value / baseline, both
from one run on one machine, interleaved where a command is repeated; the median counts. A row without a baseline is a
figure that stands alone, one without a goal is held against what nature asks for.
"""

Benchmark = Callable[[], Iterator[Row]]


def figure(name: str, value: float, unit: str) -> Row:
    """A figure that stands alone."""
    return Row(name, round(value, 4), unit)


def beside(name: str, value: float, unit: str, *, baseline: float) -> Row:
    """A figure and what it is compared with, without a goal."""
    return Row(name, round(value, 4), unit, round(baseline, 4), round(value / baseline, 3))


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


def below(name: str, value: float, unit: str, *, limit: float) -> Row:
    """A figure that stands alone and should be below `limit`, in the same unit."""
    return Row(name, round(value, 4), unit, goal=f"< {limit:g} {unit}", holds=value < limit)


def read(path: Path) -> list[Row]:
    return [Row(**row) for row in json.loads(path.read_text())] if path.exists() else []


def write(path: Path, rows: list[Row]) -> None:
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def page(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = ["| what | value | baseline | ratio | goal | holds |", "|---|---|---|---|---|---|"]
    for row in rows:
        baseline = "" if row.baseline is None else f"{row.baseline:.4g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        holds = "" if row.holds is None else ("yes" if row.holds else "**no**")
        lines.append(f"| {row.name} | {row.value:.4g} {row.unit} | {baseline} | {ratio} | {row.goal or ''} | {holds} |")
    return "\n".join([HEAD, *lines, ""])
