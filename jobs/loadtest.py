"""`paistack loadtest`: how many requests per second a replica of a service can serve, measured at its endpoint."""

import asyncio
import math
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from cloud.eas import eas_client
from jobs.classify import Endpoint, endpoint_of
from jobs.console import results, say
from jobs.eas_ramps import EAS_PERCENTILE, LONGEST_TASK_S, EasRamps, line_of
from jobs.options import LoadFrom
from jobs.problem import JobError
from jobs.stacks import OpenStack
from planning.capacity import RAMP_STEPS, Capacity, Objective, Trial, find_by_ramps, find_capacity
from stacks.capacity import CAPACITIES, MeasuredCapacity, capacity_file

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

# One trial sends no more, so that a wrong flag floods nobody.
MOST_REQUESTS = 100_000
_AT_ONCE = 1000


@dataclass(frozen=True)
class LoadFlags:
    """What the command was asked: `first` and `most` are requests per second, to all replicas together."""

    data: Path
    latency_ms: float
    percentile: float
    first: float
    most: float
    trial_s: float
    load_from: LoadFrom = LoadFrom.HERE

    def objective(self) -> Objective:
        """JobError names the flag that cannot be."""
        problems = [
            (self.latency_ms <= 0, f"--latency-ms has to be above 0, found {self.latency_ms:g}"),
            (not 50 <= self.percentile <= 99, f"--percentile has to be 50 to 99, found {self.percentile:g}"),
            (not 0 < self.first <= self.most, f"--first has to be above 0 and at most --most, found {self.first:g}"),
            (not 1 <= self.trial_s <= 600, f"--trial-seconds has to be 1 to 600, found {self.trial_s:g}"),
            (
                self.most * self.trial_s > MOST_REQUESTS,
                f"--most for --trial-seconds are {self.most * self.trial_s:g} requests; allowed: {MOST_REQUESTS}",
            ),
            *self._problems_of_eas(),
        ]
        for wrong, told in problems:
            if wrong:
                raise JobError(told)
        return Objective(self.latency_ms, self.percentile)

    def _problems_of_eas(self) -> list[tuple[bool, str]]:
        if self.load_from is LoadFrom.HERE:
            return []
        longest = LONGEST_TASK_S // (RAMP_STEPS + 1)
        return [
            (
                self.percentile != EAS_PERCENTILE,
                f"--from eas judges by the 99th --percentile, found {self.percentile:g}",
            ),
            (
                not (1 <= self.trial_s <= longest and self.trial_s == int(self.trial_s)),
                f"--from eas takes 1 to {longest} whole --trial-seconds, found {self.trial_s:g}",
            ),
        ]


def loadtest(
    stack: OpenStack, service: str, flags: LoadFlags, *, as_json: bool, folder: Path = CAPACITIES
) -> MeasuredCapacity:
    """Find the capacity, print it, and keep it for forecasts.

    Raises JobError for a service that is not there, scales meanwhile, or misses the objective at any load.
    """
    objective = flags.objective()
    try:
        payload = flags.data.read_bytes()
    except OSError as error:
        raise JobError(f"--data: cannot read {flags.data}: {error.strerror}") from None
    endpoint = endpoint_of(stack, service)
    replicas = _replicas(stack, service)
    say(f"Loading {service}, {replicas} replicas, until p{flags.percentile:g} is above {flags.latency_ms:g} ms")
    if flags.load_from is LoadFrom.EAS:
        name = stack.config.service_names(stack.pulumi.name)[service]
        ramps = EasRamps(_client(stack), stack.target.region, name, payload, objective, int(flags.trial_s))
        found = find_by_ramps(ramps, objective, first=flags.first, most=flags.most)
    else:
        found = measure(endpoint, payload, flags, objective)
    if (now := _replicas(stack, service)) != replicas:
        raise JobError(
            f"{service} had {replicas} replicas when the test began and {now} at its end, so that nobody knows what "
            "one can serve: give it a fixed number of `replicas` in place of `scaling` for the test"
        )
    if found.qps is None:
        last = found.trials[-1]
        raise JobError(
            f"{service} misses the objective at {last.offered:.3g} requests per second already: "
            f"p{flags.percentile:g} {last.latency_ms:.0f} ms, {last.failed_share:.0%} failed; raise --latency-ms, or "
            f"see `paistack logs {service}`"
        )
    measured = MeasuredCapacity(
        qps_per_replica=round(found.qps / replicas, 2),
        measured_at=datetime.now(UTC),
        replicas=replicas,
        instance_type=stack.config.services[service].instance_type,
        model=endpoint.model,
        latency_ms=flags.latency_ms,
        percentile=flags.percentile,
        payload_bytes=len(payload),
        limited=found.limited,
        load_from=flags.load_from.value,
    )
    file = capacity_file(stack.pulumi.name, service, folder)
    _store(file, measured)
    if as_json:
        results.file.write(f"{measured.model_dump_json()}\n")
    more = ", and no higher load was tried: raise --most" if found.limited else ""
    say(f"{service}: {measured.qps_per_replica:g} requests per second and replica{more}; kept in {file}")
    return measured


def measure(endpoint: Endpoint, payload: bytes, flags: LoadFlags, objective: Objective) -> Capacity:
    """Trials at one endpoint, each told as it ends."""

    def offer(qps: float) -> Trial:
        trial = asyncio.run(_offer(endpoint, payload, qps, flags))
        say(line_of(trial, flags.percentile))
        return trial

    return find_capacity(offer, objective, first=flags.first, most=flags.most)


async def _offer(endpoint: Endpoint, payload: bytes, qps: float, flags: LoadFlags) -> Trial:
    """Requests at equal distances, whether those before are answered or not; latency counts from when each was due."""
    count = max(2, round(qps * flags.trial_s))
    latencies: list[float] = []
    limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
    timeout_s = max(5.0, 10 * flags.latency_ms / 1000)
    async with httpx.AsyncClient(
        headers={"Authorization": endpoint.token}, trust_env=endpoint.proxied, timeout=timeout_s, limits=limits
    ) as client:

        async def request(due: float) -> None:
            try:
                answer = await client.post(endpoint.url, content=payload)
            except httpx.HTTPError:
                return  # counted as failed, like every answer that is not 200
            if answer.status_code == httpx.codes.OK:
                latencies.append((time.perf_counter() - due) * 1000)

        begun = time.perf_counter()
        under_way = []
        for number in range(count):
            due = begun + number / qps
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            under_way.append(asyncio.create_task(request(due)))
        await asyncio.gather(*under_way)
        took = max(time.perf_counter() - begun, count / qps)
    if len(latencies) < 2:
        return Trial(qps, 0.0, math.inf, 1.0)
    latency_ms = statistics.quantiles(latencies, n=100, method="inclusive")[round(flags.percentile) - 1]
    return Trial(qps, len(latencies) / took, latency_ms, 1 - len(latencies) / count)


def _client(stack: OpenStack) -> "Client":
    return eas_client(stack.target, stack.credentials())


def _replicas(stack: OpenStack, service: str) -> int:
    from alibabacloud_eas20210701.models import DescribeServiceRequest

    name = stack.config.service_names(stack.pulumi.name)[service]
    running = int(
        _client(stack).describe_service(stack.target.region, name, DescribeServiceRequest()).body.running_instance or 0
    )
    if not running:
        raise JobError(f"no replica of {service} is running; see `paistack logs {service}`")
    return running


def _store(file: Path, measured: MeasuredCapacity) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(measured.model_dump_json(indent=2) + "\n")
    scratch.replace(file)
