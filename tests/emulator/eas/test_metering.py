"""What is made of many measurements."""

import random

import pytest

from emulator.services.eas.dataplane.routes import Access
from emulator.services.eas.metering.minute import Minute
from emulator.services.eas.metering.summary import Latencies

VALUES = [random.Random(7).lognormvariate(10, 1) for _ in range(5000)]  # noqa: S311 - not for secrets


def test_percentiles_are_within_half_a_percent_of_the_sorted_values() -> None:
    latencies = Latencies()
    for begin in range(0, len(VALUES), 100):
        latencies.add(VALUES[begin : begin + 100])

    ordered = sorted(VALUES)
    exact = [ordered[len(ordered) * percent // 100 - 1] for percent in (5, 50, 95, 99, 100)]
    assert latencies.percentiles((5, 50, 95, 99, 100)) == pytest.approx(exact, rel=0.005)


def test_percentiles_of_one_request_are_that_request() -> None:
    latencies = Latencies()
    latencies.add([1234.5])

    assert latencies.percentiles((5, 100)) == [1234.5, 1234.5]


def test_a_rate_is_by_the_time_that_was_looked_at_and_its_extremes_by_whole_looks() -> None:
    minute = Minute()
    minute.add_requests([answered(200)] * 10, 1.0)
    minute.add_requests([answered(200)] * 2, 1.0)
    minute.add_requests([answered(500)] * 8, 0.01)

    rates = minute.summaries()["qps_total"]
    assert rates.average == pytest.approx(20 / 2.01)
    assert (rates.low, rates.high) == (2, 10), "8 requests in a hundredth of a second are not 800 a second"
    assert minute.summaries()["rps_status_5xx_ratio"].average == pytest.approx(40)


def test_refused_requests_have_a_status_and_no_response_time() -> None:
    minute = Minute()
    minute.add_requests([answered(429, instance="")], 1.0)

    assert "rt" not in minute.summaries()
    assert minute.summaries()["rps_status_4xx"].average == 1


def answered(status: int, instance: str = "one") -> Access:
    return Access(0.0, "GET", "/", status, 1.0, instance, "id")
