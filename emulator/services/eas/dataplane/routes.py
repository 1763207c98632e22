"""The gateway's routing table: which service a path means, and which instances take its requests now."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from emulator.services.eas.config.service import Limit, Networking, ServiceConfig
from emulator.services.eas.dataplane.admission import Bucket, RejectedError
from emulator.services.eas.dataplane.backend import Backend
from emulator.services.eas.records import ServiceKey

# "Services using the shared gateway have a default single-service limit of 1000 QPS" (JSON deployment page).
SHARED_GATEWAY_QPS = 1000
# "The server has a default timeout of 5 seconds for each request" (status codes page); 600000 ms is the JSON page's
# default for a dedicated gateway.
SHARED_GATEWAY_KEEPALIVE_MS = 5_000
DEDICATED_GATEWAY_KEEPALIVE_MS = 600_000
KEPT_ACCESSES = 100_000


class Access(NamedTuple):
    """One request that a service got. `time` is in seconds since the epoch, `instance` empty when none was asked."""

    time: float
    method: str
    path: str
    status: int
    latency_ms: float
    instance: str
    request_id: str


class Route:
    """One service's entry: its token, its limits, and the instances in traffic."""

    def __init__(self, key: ServiceKey, token: str, config: ServiceConfig) -> None:
        self.key = key
        self.accesses: deque[Access] = deque(maxlen=KEPT_ACCESSES)
        self.in_flight = 0
        self.backends: tuple[Backend, ...] = ()
        self._turn = 0
        self.token = ""
        self._config: ServiceConfig | None = None
        self.configure(token, config)

    def configure(self, token: str, config: ServiceConfig) -> None:
        """Takes the limits from `config`; what they have already counted stays when they are the same."""
        if token == self.token and config == self._config:
            return
        networking, policy = config.networking, config.networking.gateway_policy
        self.token, self._config = token, config
        default_ms = DEDICATED_GATEWAY_KEEPALIVE_MS if networking.gateway else SHARED_GATEWAY_KEEPALIVE_MS
        self.keepalive_s = (config.metadata.rpc.keepalive or default_ms) / 1000
        self._rate = _rate(policy.rate_limit, networking)
        concurrency = policy.concurrency_limit
        self._most_in_flight = concurrency.limit if concurrency is not None and concurrency.enable else None

    def admit(self) -> None:
        """RejectedError with 429 when the service's own limits do not allow another request now."""
        if self._most_in_flight is not None and self.in_flight >= self._most_in_flight:
            raise RejectedError(429, f"The service takes {self._most_in_flight} requests at the same time")
        if self._rate is not None and not self._rate.take():
            raise RejectedError(429, "The service's limit of requests a second is exceeded")

    def choose(self, tried: frozenset[Backend]) -> Backend:
        """The instance with the fewest requests in flight, in turn among equals; RejectedError when none takes one."""
        if not self.backends:
            raise RejectedError(503, "The service has no ready instance")
        self._turn += 1
        best: Backend | None = None
        limited = False
        for position in range(len(self.backends)):
            backend = self.backends[(self._turn + position) % len(self.backends)]
            if backend in tried or (best is not None and backend.in_flight >= best.in_flight):
                continue
            if backend.rate is not None and not backend.rate.available():
                limited = True
                continue
            best = backend
        if best is None:
            raise (
                RejectedError(429, "The rate limit of every instance is exceeded")
                if limited
                else RejectedError(503, "No instance could be reached")
            )
        if best.rate is not None:
            best.rate.take()
        return best


class Routes:
    """Every service by region and name, and by its name alone."""

    def __init__(self) -> None:
        self._routes: dict[ServiceKey, Route] = {}

    def put(self, route: Route) -> None:
        self._routes[route.key] = route

    def remove(self, key: ServiceKey) -> None:
        self._routes.pop(key, None)

    def find(self, region: str, name: str) -> Route:
        """The service of that name; without a region (the bare endpoint names none) its name must be unique.

        RejectedError with 404 when there is none, or more than one."""
        if region:
            route = self._routes.get(ServiceKey(region, name))
            if route is None:
                raise RejectedError(404, f"There is no service {name} in {region}")
            return route
        found = list(self._named(name))
        if not found:
            raise RejectedError(404, f"There is no service {name}")
        if len(found) > 1:
            regions = ", ".join(sorted(route.key.region for route in found))
            raise RejectedError(
                404,
                f"There is a service {name} in {regions}: call it through the emulator as a proxy, by its host name "
                "http://<account>.<region>.pai-eas.aliyuncs.com",
            )
        return found[0]

    def _named(self, name: str) -> Iterator[Route]:
        return (route for key, route in self._routes.items() if key.name == name)


def _rate(limit: Limit | None, networking: Networking) -> Bucket | None:
    if limit is None:
        return None if networking.gateway else Bucket(SHARED_GATEWAY_QPS)
    return Bucket(limit.limit) if limit.enable else None
