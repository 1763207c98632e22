"""A group's entry at the gateway: which member gets the next request."""

from collections import deque
from collections.abc import Sequence

from emulator.services.eas.dataplane.admission import Bucket, RejectedError
from emulator.services.eas.dataplane.routes import Access, Route
from emulator.services.eas.records import ServiceKey
from emulator.services.eas.traffic.records import TrafficMode

# "The default maximum QPS of a service group that uses a shared gateway" ("JSON deployment" of the EAS user guide).
SHARED_GATEWAY_QPS = 10_000


class GroupRoute:
    """Spreads requests over `members`, the services that are in the group's traffic.

    By default in proportion to their ready instances, with the mode `customized` by their fixed weights ("Service
    groups and traffic management" of the EAS user guide; UpdateGroup). A member without a ready instance gets nothing
    either way. The order is that of smooth weighted round robin: after any number of requests every member has its
    share to within one request.
    """

    def __init__(self, key: ServiceKey, token: str, mode: TrafficMode) -> None:
        self.key, self.token, self.mode = key, token, mode
        self.members: tuple[Route, ...] = ()
        self.accesses: deque[Access] = deque(maxlen=1)  # those of refused requests; the others are the members'
        self._rate = Bucket(SHARED_GATEWAY_QPS)
        self._weights: Sequence[int] = ()
        self._credits: list[int] = []

    def member(self) -> Route:
        """The member that gets the next request; RejectedError when there is none.

        When no member has a ready instance the first one gets it: its autoscaler may be waiting for a request.
        """
        if not self._rate.take():
            raise RejectedError(429, f"The group's limit of {SHARED_GATEWAY_QPS} requests a second is exceeded")
        weights = [self._weight(member) for member in self.members]
        total = sum(weights)
        if not total:
            waiting = [member for member in self.members if self.mode == "auto" or member.weight > 0]
            if not waiting:
                raise RejectedError(503, "No service of the group is in its traffic")
            return waiting[0]
        if weights != self._weights:
            self._weights, self._credits = weights, [0] * len(weights)
        self._credits = [credit + weight for credit, weight in zip(self._credits, weights, strict=True)]
        chosen = max(range(len(weights)), key=lambda number: (self._credits[number], weights[number]))
        self._credits[chosen] -= total
        return self.members[chosen]

    def _weight(self, member: Route) -> int:
        if not member.backends:
            return 0
        return len(member.backends) if self.mode == "auto" else max(0, member.weight)
