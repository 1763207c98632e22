"""The gateway's routing table: which service a path means, and which instances take its requests now."""

from collections import deque
from collections.abc import Collection, Iterator
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from emulator.services.eas.config.service import Limit, Networking, ServiceConfig
from emulator.services.eas.dataplane.admission import Bucket, RejectedError
from emulator.services.eas.dataplane.backend import Backend
from emulator.services.eas.records import Service, ServiceKey

if TYPE_CHECKING:
    from emulator.services.eas.dataplane.group_route import GroupRoute

# "Services using the shared gateway have a default single-service limit of 1000 QPS" (JSON deployment page).
SHARED_GATEWAY_QPS = 1000
# "The server has a default timeout of 5 seconds for each request" (status codes page); 600000 ms is the JSON page's
# default for a dedicated gateway.
SHARED_GATEWAY_KEEPALIVE_MS = 5_000
DEDICATED_GATEWAY_KEEPALIVE_MS = 600_000
KEPT_ACCESSES = 100_000

_in_flight = attrgetter("in_flight")


class Access(NamedTuple):
    """One request that a service got. `time` is in seconds since the epoch, `instance` empty when none was asked, and
    `received` and `sent` are the bytes of the request's body and of the answer's."""

    time: float
    method: str
    path: str
    status: int
    latency_ms: float
    instance: str
    request_id: str
    received: int = 0
    sent: int = 0


class Route:
    """One service's entry: its token, its limits, and the instances in traffic.

    `group` is the group whose traffic it takes part in, with `weight`; `mirror` says where its requests are copied.
    """

    def __init__(self, service: Service, config: ServiceConfig) -> None:
        self.key = service.key
        self.accesses: deque[Access] = deque(maxlen=KEPT_ACCESSES)
        self.in_flight = 0
        self.last_arrival: datetime | None = None  # in emulated time
        self.backends: tuple[Backend, ...] = ()
        self._turn = 0
        self._mirrored = 0
        self._config: ServiceConfig | None = None
        self.configure(service, config)

    def configure(self, service: Service, config: ServiceConfig) -> None:
        """Takes the limits from `config`; what they have already counted stays when they are the same."""
        self.token, self.weight, self.mirror = service.token, service.weight, service.mirror
        self.group = config.metadata.group if service.traffic_state == "grouping" else None
        if config == self._config:
            return
        networking, policy = config.networking, config.networking.gateway_policy
        self._config = config
        default_ms = DEDICATED_GATEWAY_KEEPALIVE_MS if networking.gateway else SHARED_GATEWAY_KEEPALIVE_MS
        self.keepalive_s = (config.metadata.rpc.keepalive or default_ms) / 1000
        self._rate = _rate(policy.rate_limit, networking)
        concurrency = policy.concurrency_limit
        self._most_in_flight = concurrency.limit if concurrency is not None and concurrency.enable else None

    def member(self) -> "Route":
        """The service that gets the next request: this one."""
        return self

    def mirrors_next(self) -> bool:
        """Whether the next request is one of the `mirror.ratio` in a hundred that are copied."""
        self._mirrored += self.mirror.ratio if self.mirror is not None else 0
        due = self._mirrored >= 100
        self._mirrored -= 100 * due
        return due

    def admit(self) -> None:
        """RejectedError with 429 when the service's own limits do not allow another request now."""
        if self._most_in_flight is not None and self.in_flight >= self._most_in_flight:
            raise RejectedError(429, f"The service takes {self._most_in_flight} requests at the same time")
        if self._rate is not None and not self._rate.take():
            raise RejectedError(429, "The service's limit of requests a second is exceeded")

    def choose(self, tried: Collection[Backend]) -> Backend | None:
        """The instance with the fewest requests in flight, in turn among equals, and none when all were tried.

        RejectedError with 503 when no instance is in traffic, with 429 when their own limits allow no request now.
        """
        if not self.backends:
            raise RejectedError(503, "The service has no ready instance")
        left = [backend for backend in self.backends if backend not in tried]
        if not left:
            return None
        open_now = [backend for backend in left if backend.rate is None or backend.rate.available()]
        if not open_now:
            raise RejectedError(429, "The rate limit of every instance is exceeded")
        self._turn += 1
        start = self._turn % len(open_now)
        best = min(open_now[start:] + open_now[:start], key=_in_flight)
        if best.rate is not None:
            best.rate.take()
        return best


class Routes:
    """Every service and every group by region and name, and by its name alone."""

    def __init__(self) -> None:
        self._routes: dict[ServiceKey, Route] = {}
        self._groups: dict[ServiceKey, GroupRoute] = {}

    def put(self, route: Route) -> None:
        self._routes[route.key] = route
        self.regroup()

    def remove(self, key: ServiceKey) -> None:
        self._routes.pop(key, None)
        self.regroup()

    def put_group(self, group: "GroupRoute") -> None:
        self._groups[group.key] = group
        self.regroup()

    def remove_group(self, key: ServiceKey) -> None:
        self._groups.pop(key, None)

    def regroup(self) -> None:
        """Gives every group the services that are in its traffic now."""
        for key, group in self._groups.items():
            members = (route for route in self._routes.values() if route.key.region == key.region)
            group.members = tuple(route for route in members if route.group == key.name)

    def get(self, key: ServiceKey) -> Route | None:
        return self._routes.get(key)

    def find(self, region: str, name: str) -> "Route | GroupRoute":
        """The service or group of that name; without a region (the bare endpoint names none) its name must be unique.

        RejectedError with 404 when there is none, or more than one."""
        if region:
            key = ServiceKey(region, name)
            entry = self._routes.get(key) or self._groups.get(key)
            if entry is None:
                raise RejectedError(404, f"There is no service {name} in {region}")
            return entry
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

    def _named(self, name: str) -> Iterator["Route | GroupRoute"]:
        for key in {**self._routes, **self._groups}:
            if key.name == name:
                yield self._routes.get(key) or self._groups[key]


def _rate(limit: Limit | None, networking: Networking) -> Bucket | None:
    if limit is None:
        return None if networking.gateway else Bucket(SHARED_GATEWAY_QPS)
    return Bucket(limit.limit) if limit.enable else None
