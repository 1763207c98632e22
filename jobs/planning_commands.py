"""`paistack forecast`, `loadtest` and `backtest`: flags, and which job they run."""

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from engine.environment import ROOT
from jobs.options import AsJson, LoadFrom, Service, Stack
from jobs.problem import JobError
from jobs.stacks import open_stack
from planning.wish import Aim, Renewal

PresentTarget = Annotated[float, typer.Option(help="Of the autoscaler, as a share of --qps-per-replica.")]
AimOption = Annotated[Aim, typer.Option(help="safe: no more overload or hours; economic: least cost.")]
OverloadPrice = Annotated[float, typer.Option(help="Of an hour of overload, in replica-hours.")]

_Value = TypeVar("_Value")


def forecast(
    history: Annotated[Path | None, typer.Option(help="CSV file with the columns timestamp and qps.")] = None,
    step_seconds: Annotated[int | None, typer.Option(help="Between two rows of the history.")] = None,
    qps_per_replica: Annotated[float | None, typer.Option(help="Requests/s that one replica can serve.")] = None,
    min_replicas: Annotated[int | None, typer.Option("--min", help="The least replicas.")] = None,
    max_replicas: Annotated[int | None, typer.Option("--max", help="The most replicas.")] = None,
    warm_up: Annotated[int | None, typer.Option(help="Seconds from asking for a replica until it serves.")] = None,
    horizon_hours: Annotated[float, typer.Option(help="So far the plan reaches, up to a week.")] = 24.0,
    present_target: PresentTarget = 0.7,
    aim: AimOption = Aim.ECONOMIC,
    overload_price: OverloadPrice = 100.0,
    renewal: Annotated[Renewal, typer.Option(help="How often the plan will be replaced.")] = Renewal.UNKNOWN,
    as_json: AsJson = False,
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="With --service: read CloudMonitor.")] = None,
    service: Annotated[str | None, typer.Option(help="With --stack: all else stands in its settings.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Of --service: write the plan that `up` follows.")] = False,
) -> None:
    """Plan replicas for the next hours: from a file, without a cloud, or for a --service of a --stack."""
    from jobs.forecast import ForecastFlags
    from jobs.forecast import forecast as run_forecast

    if stack is not None or service is not None:
        from jobs.plan import plan_service

        if stack is None or service is None:
            raise JobError("--stack and --service belong together: whose load is it, and where?")
        plan_service(open_stack(stack), service, horizon_hours, write=write, as_json=as_json)
        return
    flags = ForecastFlags(
        needed("--history", history),
        needed("--step-seconds", step_seconds),
        needed("--qps-per-replica", qps_per_replica),
        needed("--min", min_replicas),
        needed("--max", max_replicas),
        needed("--warm-up", warm_up),
        horizon_hours,
        present_target,
        overload_price,
        aim,
        renewal,
    )
    run_forecast(flags, as_json=as_json)


def loadtest(
    service: Service,
    stack: Stack = "local",
    data: Annotated[Path, typer.Option(help="Body of each request.")] = ROOT / "model/sample/pictures/bag.png",
    latency_ms: Annotated[float, typer.Option(help="The slowest that --percentile of the answers may be.")] = 100.0,
    percentile: Annotated[
        float | None, typer.Option(help="Of the answers; 95, and with --from eas 99.", show_default=False)
    ] = None,
    first: Annotated[float, typer.Option(help="Requests per second to begin with, to all replicas together.")] = 5.0,
    most: Annotated[float, typer.Option(help="Never offer more.")] = 1000.0,
    trial_seconds: Annotated[float, typer.Option(help="So long is each load offered.")] = 5.0,
    load_from: Annotated[
        LoadFrom, typer.Option("--from", help="Who sends the requests: this machine, or EAS's stress tests.")
    ] = LoadFrom.HERE,
    as_json: AsJson = False,
) -> None:
    """Raise the load on a service until it gets slow, and keep what one replica can serve, for forecasts."""
    from jobs.loadtest import LoadFlags
    from jobs.loadtest import loadtest as run_loadtest

    percentile = percentile or (99.0 if load_from is LoadFrom.EAS else 95.0)
    flags = LoadFlags(data, latency_ms, percentile, first, most, trial_seconds, load_from)
    run_loadtest(open_stack(stack), service, flags, as_json=as_json)


def backtest(
    history: Annotated[Path, typer.Option(help="CSV file with the columns timestamp and qps.")],
    step_seconds: Annotated[int, typer.Option(help="Between two rows of the history.")],
    qps_per_replica: Annotated[float, typer.Option(help="Requests per second that one replica can serve.")],
    min_replicas: Annotated[int, typer.Option("--min", help="The least replicas.")],
    max_replicas: Annotated[int, typer.Option("--max", help="The most replicas.")],
    warm_up: Annotated[int, typer.Option(help="Seconds from asking for a replica until it serves.")],
    days: Annotated[int, typer.Option(help="So many of the last days are replayed.")] = 3,
    methods: Annotated[str, typer.Option(help="naive, seasons, arima, lstm, boosting, ensemble.")] = "naive,seasons",
    present_target: PresentTarget = 0.7,
    aim: AimOption = Aim.ECONOMIC,
    overload_price: OverloadPrice = 100.0,
    replica_hour_price: Annotated[float | None, typer.Option(help="Adds a column of money.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as one HTML file.")] = None,
) -> None:
    """Replay the last days with and without forecasts: replicas, overload, cost; needs no cloud."""
    from jobs.backtest import BacktestFlags
    from jobs.backtest import backtest as run_backtest
    from jobs.forecast import ForecastFlags

    asked = ForecastFlags(
        history,
        step_seconds,
        qps_per_replica,
        min_replicas,
        max_replicas,
        warm_up,
        24.0,
        present_target,
        overload_price,
        aim,
    )
    run_backtest(BacktestFlags(asked, methods, days, report, replica_hour_price))


def needed(flag: str, value: _Value | None) -> _Value:
    """The value of a flag; JobError without one."""
    if value is None:
        raise JobError(
            f"{flag} is missing: a forecast from a file needs it, and one of a service --stack and --service"
        )
    return value
