"""`python -m bench`: measures, and writes bench/results.json and the same figures as a table, bench/README.md."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import classifier, console, emulator, gateway, rows, scaling, stacks, watching
from bench.rows import Benchmark, Row

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "results.json", HERE / "README.md"
BENCHMARKS: Mapping[str, Benchmark] = {
    "first-answer": emulator.first_answer,
    "objects": emulator.object_latency,
    "gateway-latency": gateway.added_latency,
    "gateway-throughput": gateway.throughput,
    "scaling-replica": scaling.first_traffic,
    "scaling-load-step": scaling.load_step,
    "gateway-watched": watching.throughput,
    "stacks": stacks.many_services,
    "stacks-scaling": stacks.services_with_scaling_and_traffic,
    "console": console.console,
    "training": classifier.training,
    "serving": classifier.serving,
}


def main(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Measure just this; may be repeated. One of: {', '.join(BENCHMARKS)}.")
    ] = None,
) -> None:
    """Measures the project beside its baselines. With --only, all other rows keep their last figures."""
    unknown = [name for name in only or () if name not in BENCHMARKS]
    if unknown:
        raise typer.BadParameter(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    # Whoever's packages they are: Python keeps what it has compiled, as it does for whoever does not forbid it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    terminal = Console()
    _install_rivals(terminal)
    measured = {row.name: row for row in (rows.read(RESULTS) if only else ())}
    for name in only or BENCHMARKS:
        with terminal.status(f"measuring {name}"):
            measured.update({row.name: row for row in BENCHMARKS[name]()})
        rows.write(RESULTS, list(measured.values()))
        PAGE.write_text(rows.page(list(measured.values())))
    terminal.print(_table(list(measured.values())))


def _install_rivals(terminal: Console) -> None:
    """The emulators to compare with live in .venv-bench, apart from the project's own dependencies."""
    venv, requirements = HERE.parent / ".venv-bench", HERE.parent / "requirements-bench.txt"
    stamp = venv / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes():
        return
    with terminal.status("installing moto and ministack into .venv-bench"):
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)], check=True)
        python = str(venv / "bin" / "python")
        subprocess.run([uv, "pip", "install", "--quiet", "-p", python, "-r", str(requirements)], check=True)
    stamp.write_bytes(requirements.read_bytes())


def _table(measured: list[Row]) -> Table:
    table = Table("what", "value", "baseline", "ratio", "goal", "holds")
    for row in measured:
        baseline = "" if row.baseline is None else f"{row.baseline:g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        holds = "" if row.holds is None else ("[green]yes" if row.holds else "[red]no")
        table.add_row(row.name, f"{row.value:g} {row.unit}", baseline, ratio, row.goal or "", holds)
    return table


if __name__ == "__main__":
    typer.run(main)
