"""`paistack backtest`: what forecast scaling would have been worth on the last days of a service's load."""

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from jobs.backtest_report import report
from jobs.console import results, say
from jobs.forecast import ForecastFlags
from jobs.history import read_history
from jobs.problem import JobError
from planning.arima import Arima
from planning.boosting import Boosting
from planning.comparison import Comparison, compare
from planning.forecast import Ensemble, ForecastError, Method
from planning.load import Load
from planning.lstm import Lstm
from planning.seasons import SeasonalNaive, Seasons
from planning.trial import LEAST_DAYS

METHODS: dict[str, Method] = {
    method.name.replace("seasonal ", ""): method for method in (SeasonalNaive(), Seasons(), Arima(), Lstm(), Boosting())
}
_ALL = (*METHODS, "ensemble")


@dataclass(frozen=True)
class BacktestFlags:
    forecast: ForecastFlags
    methods: str
    days: int
    report: Path | None
    replica_hour_price: float | None


def backtest(flags: BacktestFlags) -> None:
    """Prints the comparison, and writes the report where one is wanted."""
    wish = flags.forecast.wish()
    history, repairs = read_history(flags.forecast.history, flags.forecast.step_seconds)
    load, methods = Load.of(history), methods_by_name(flags.methods)
    if not 1 <= flags.days <= load.days - LEAST_DAYS:
        most = int(load.days - LEAST_DAYS)
        raise JobError(
            f"--days is {flags.days}, and {flags.forecast.history} has {load.days:.1f} days: {LEAST_DAYS} are needed "
            f"before the first that is replayed, so at most {max(most, 0)}"
        )
    try:
        found = compare(load, wish, methods, flags.days)
    except ForecastError as error:
        raise JobError(f"{error} before the first of --days {flags.days}") from None
    if repairs.told():
        say(repairs.told())
    results.print(table_of(found, wish.overload_price, flags.replica_hour_price))
    for day, choice in enumerate(found.choices):
        say(f"day {day + 1}: {choice.why}")
    if flags.report is not None:
        try:
            flags.report.write_text(report(found, wish, flags.replica_hour_price, flags.forecast.history.name))
        except OSError as error:
            raise JobError(f"--report: cannot write {flags.report}: {error.strerror}") from None
        say(f"report in {flags.report}")


def methods_by_name(names: str) -> list[Method]:
    """From names with commas; `ensemble` is the mean of the others that are named. JobError for one that is none."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in _ALL]:
        raise JobError(f"--methods: there is no method {unknown[0]!r}; there are {', '.join(_ALL)}")
    single = [METHODS[name] for name in wanted if name != "ensemble"]
    if not single:
        raise JobError(f"--methods names none to forecast with; there are {', '.join(METHODS)}")
    return [*single, Ensemble(single)] if "ensemble" in wanted else single


def table_of(found: Comparison, overload_price: float, replica_hour_price: float | None) -> Table:
    """One row for each policy: replica-hours and cost, also as shares of the first, which is how it is now."""
    table = Table()
    table.add_column("policy", no_wrap=True)
    titles = ["hours", "to now", "overload", "cost", "missed", "fit"]
    for title in [*titles, *(["money"] if replica_hour_price is not None else [])]:
        table.add_column(title, justify="right")
    now = found.policies[0]
    for row in found.policies:
        cells = [
            f"{row.replica_hours:.0f}",
            f"{row.replica_hours / now.replica_hours:.2f}",
            f"{row.short_hours * 60:.0f} min",
            f"{row.cost(overload_price) / now.cost(overload_price):.2f}",
            "" if row.missed is None else f"{row.missed:.1%}",
            "" if row.fit_s is None else f"{row.fit_s:.2f} s",
        ]
        money = [] if replica_hour_price is None else [f"{row.replica_hours * replica_hour_price:.2f}"]
        table.add_row(row.name, *cells, *money)
    return table
