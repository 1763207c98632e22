"""One service's minute in CloudMonitor's terms."""

from collections.abc import Mapping, Sequence

from emulator.services.eas.dataplane.routes import Access
from emulator.services.eas.metering.summary import Latencies, Summary

PERCENTILES = (5, 80, 90, 95, 99, 100)
CLASSES = ("2xx", "4xx", "5xx")
# A rate over less time says nothing about the highest and the lowest.
SHORTEST_RATE_S = 0.5


class Minute:
    """Adds up what happens in a minute of emulated time.

    Rates are by the real time in which there was a look at them, which counts as `SHORTEST_RATE_S` at least: load is
    real, however the clock is moved. What has no value, as the latency of a minute without requests, is not there.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._requests = 0
        self._by_class = dict.fromkeys(CLASSES, 0)
        self._received = self._sent = 0
        self._latencies = Latencies()
        self._rates: dict[str, Summary] = {}
        self._ratios: dict[str, Summary] = {name: Summary() for name in CLASSES}
        self._used = {"cpu_core_usage": Summary(), "memory_rss": Summary()}

    def add_requests(self, accesses: Sequence[Access], seconds: float) -> None:
        """What the gateway answered in the last `seconds`."""
        counts = dict.fromkeys(CLASSES, 0)
        for access in accesses:
            name = f"{access.status // 100}xx"
            if name in counts:
                counts[name] += 1
        received = sum(access.received for access in accesses)
        sent = sum(access.sent for access in accesses)
        self._latencies.add([access.latency_ms * 1000 for access in accesses if access.instance])
        for name, count in counts.items():
            self._by_class[name] += count
            if accesses:
                self._ratios[name].add(100 * count / len(accesses), len(accesses))
        self._seconds += seconds
        self._requests += len(accesses)
        self._received += received
        self._sent += sent
        if seconds >= SHORTEST_RATE_S:
            for name, amount in self._amounts(len(accesses), counts, received, sent).items():
                self._rates.setdefault(name, Summary()).add(amount / seconds)

    def add_usage(self, processors: float, memory: float) -> None:
        """What one instance uses: processors (1.5 is one and a half), and bytes of memory."""
        self._used["cpu_core_usage"].add(processors)
        self._used["memory_rss"].add(memory)

    def summaries(self) -> dict[str, Summary]:
        """Every metric that has a value."""
        found = {name: summary for name, summary in self._used.items() if summary.weight}
        found |= {f"rps_status_{name}_ratio": summary for name, summary in self._ratios.items() if summary.weight}
        if self._latencies.summary.weight:
            found["rt"] = self._latencies.summary
            values = self._latencies.percentiles(PERCENTILES)
            found |= {
                f"rt_tp{percent}": Summary(1, value, value, value)
                for percent, value in zip(PERCENTILES, values, strict=True)
            }
        if self._seconds:
            amounts = self._amounts(self._requests, self._by_class, self._received, self._sent)
            found |= {name: self._rate(name, amount) for name, amount in amounts.items()}
        return found

    def _rate(self, name: str, amount: float) -> Summary:
        seconds = max(self._seconds, SHORTEST_RATE_S)
        rate, seen = amount / seconds, self._rates.get(name, Summary())
        return Summary(seconds, amount, min(rate, seen.low), max(rate, seen.high))

    @staticmethod
    def _amounts(requests: int, by_class: Mapping[str, int], received: int, sent: int) -> dict[str, float]:
        """What is told a second: requests, and bits of traffic."""
        amounts: dict[str, float] = {f"rps_status_{name}": count for name, count in by_class.items()}
        return amounts | {"qps_total": requests, "traffic_in": 8 * received, "traffic_out": 8 * sent}
