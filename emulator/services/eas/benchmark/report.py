"""A stress test's report, as DescribeBenchmarkTaskReport documents it by an example of names and types.

Times are in milliseconds, which the pages say of the report's pictures. That timestamps and `Total`, taken for the
duration, are in seconds is a guess.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from emulator.services.eas.benchmark.agent import Second
from emulator.services.eas.benchmark.pressure import tp

PERCENTAGES = (10, 25, 50, 75, 90, 95, 99, 100)
BINS = 10


def report_of(seconds: Sequence[Second], began: float) -> dict[str, Any]:
    """Of all agents together, second by second from `began`."""
    whole = _sum(seconds)
    latencies, count = whole.latencies_ms, len(whole.latencies_ms)
    return {
        "TimestampList": [round(began) + number for number in range(len(seconds))],
        "QPSList": [float(len(second.latencies_ms)) for second in seconds],
        "RTList": [_times(second.latencies_ms) for second in seconds],
        "TrafficList": [{"Send": float(second.sent), "Receive": float(second.received)} for second in seconds],
        "StatusCode": {str(status): number for status, number in sorted(whole.statuses.items())},
        "Count": count,
        "Total": float(len(seconds)),
        "MinRT": min(latencies, default=0.0),
        "AvgRT": sum(latencies) / max(1, count),
        "MaxRT": max(latencies, default=0.0),
        "QPS": count / max(1, len(seconds)),
        "TotalSend": float(whole.sent),
        "TotalReceive": float(whole.received),
        "RTDistribution": [{"Latency": tp(latencies, percent), "Percentage": percent} for percent in PERCENTAGES],
        "RTHistogram": _histogram(latencies),
    }


def joined(of_agents: Sequence[Sequence[Second]]) -> list[Second]:
    """The same second of every agent as one; an agent that ended early adds nothing to the later ones."""
    length = max(map(len, of_agents), default=0)
    return [_sum([seconds[number] for seconds in of_agents if number < len(seconds)]) for number in range(length)]


def _sum(seconds: Sequence[Second]) -> Second:
    return Second(
        latencies_ms=[value for second in seconds for value in second.latencies_ms],
        statuses=sum((second.statuses for second in seconds), Counter[int]()),
        sent=sum(second.sent for second in seconds),
        received=sum(second.received for second in seconds),
    )


def _times(latencies_ms: Sequence[float]) -> dict[str, float]:
    average = sum(latencies_ms) / max(1, len(latencies_ms))
    return {"AVG": average} | {f"TP{percent}": tp(latencies_ms, percent) for percent in (100, 99, 90, 50, 10)}


def _histogram(latencies_ms: Sequence[float]) -> list[dict[str, float]]:
    """`Mark` is the upper end of each class."""
    if not latencies_ms:
        return []
    low, width = min(latencies_ms), (max(latencies_ms) - min(latencies_ms)) / BINS
    places = Counter(min(BINS - 1, int((value - low) / width)) if width else 0 for value in latencies_ms)
    total = len(latencies_ms)
    return [
        {"Count": places[number], "Mark": low + (number + 1) * width, "Frequency": places[number] / total}
        for number in range(BINS)
    ]
