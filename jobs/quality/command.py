"""`paistack quality`: how good a deployed model is, by its log and by labels that came later."""

import json
from dataclasses import asdict
from typing import Any

from rich.table import Table

from cloud.cms import cms_client
from cloud.eas import eas_client
from jobs.console import results, say
from jobs.custom_metrics import publish
from jobs.logs import service_of, since_of
from jobs.plan import stack_clock
from jobs.problem import JobError
from jobs.quality.judging import Judgement, judge, measurements, versions
from jobs.quality.labels import read_labels
from jobs.quality.reference import known
from jobs.quality.request_log import requests
from jobs.stacks import OpenStack
from planning.quality import Estimate


def show_quality(
    stack: OpenStack, service: str, since: str, labels: str | None, *, publishing: bool, as_json: bool
) -> None:
    """Prints what can be told of the version that answered most, and with `publishing` reports it to CloudMonitor."""
    name, now = service_of(stack, service), stack_clock(stack)
    found = requests(eas_client(stack.target, stack.credentials()), stack.target.region, name, since_of(since, now))
    there = versions(found)
    if not there:
        raise JobError(
            f"no request since {since} tells what {service} predicted; its log has {len(found)} requests. The server "
            "logs predictions unless its variable PREDICTION_LOG is off; EAS keeps the logs of replicas that are there"
        )
    model, version = there[-1]
    for other in there[:-1]:
        say(f"Left out: requests that {' '.join(other)} answered; {model} {version} answered more")
    of_version = [each for each in found if (each.model, each.version) == (model, version)]
    judged = judge(of_version, read_labels(stack, labels) if labels else {}, known(stack, model, version))
    _show(judged, as_json=as_json)
    if publishing:
        told = list(measurements(judged, name, now))
        publish(cms_client(stack.target, stack.credentials()), told)
        say(f"Reported to CloudMonitor: {', '.join(dict.fromkeys(each.metric for each in told)) or 'nothing'}")


def _show(judged: Judgement, *, as_json: bool) -> None:
    if as_json:
        results.file.write(f"{json.dumps(_document(judged))}\n")
        return
    results.print(
        f"{judged.model} {judged.version}: {judged.requests} requests, {judged.labelled} labels", highlight=False
    )
    if judged.quality is not None:
        trained = judged.known.trained.accuracy
        results.print(f"accuracy {_told(judged.quality.accuracy)}, after training {trained:.1%}", highlight=False)
        results.print(_table(judged))
    for verdict in judged.verdicts:
        results.print(f"• {verdict}", soft_wrap=True)


def _table(judged: Judgement) -> Table:
    table = Table("", "precision", "recall", "F1", "labels")
    assert judged.quality is not None  # noqa: S101 - it is asked for then only
    of, trained = judged.quality, judged.known.trained
    table.add_row("all classes", "", _told(of.recall), _told(of.f1), str(judged.labelled))
    table.add_row("after training", "", f"{trained.recall:.1%}", f"{trained.f1:.1%}", "")
    table.add_section()
    for each in of.per_class:
        count = str(each.recall.count) if each.recall else "0"
        table.add_row(each.label, _told(each.precision), _told(each.recall), _told(each.f1), count)
    return table


def _told(figure: Estimate | None) -> str:
    if figure is None:
        return "none"
    half = max(figure.high - figure.value, figure.value - figure.low)
    return f"{figure.value:.1%} ±{100 * half:.1f}" if figure.tells else "too few to tell"


def _document(judged: Judgement) -> dict[str, Any]:
    return {
        "model": judged.model,
        "version": judged.version,
        "requests": judged.requests,
        "labelled": judged.labelled,
        "quality": None if judged.quality is None else asdict(judged.quality),
        "drift": {name: {**asdict(each), "verdict": each.verdict} for name, each in judged.drifts.items()},
        "verdicts": judged.verdicts,
    }
