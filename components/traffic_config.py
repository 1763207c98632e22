"""How requests are divided between the versions of a service: settings, their checks, and what follows from them."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.eas_config import EasServiceSettings, ServiceName
from components.settings import NAME_PATTERN, Problem, Settings, refuse

VersionName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]

ALL = 100


class VersionSettings(Settings):
    """One version: a service of this stack, and its share of the requests."""

    service: str = Field(description="Key of the version's service under services.")
    weight: int = Field(default=0, ge=0, le=ALL, description="Percent of the requests; all versions together get 100.")


class ShadowSettings(Settings):
    """A service that gets copies of requests; nobody gets its answers."""

    service: str = Field(description="Key of the shadow's service under services.")
    percent: int = Field(ge=1, le=100, description="Of the requests to each version.")


class TrafficSplitSettings(Settings):
    """Several versions behind one address and one token, each with its share of the requests."""

    mode: Literal["blue_green", "canary", "ab"] = Field(
        description="blue_green: one version has everything; canary: two versions, any shares; ab: each has a share."
    )
    versions: dict[VersionName, VersionSettings] = Field(
        min_length=1, description="By a short name, such as v1 or blue."
    )
    shadow: ShadowSettings | None = Field(default=None, description="Copies of the requests for a service on trial.")
    rollback_to: str | None = Field(
        default=None, description="The version that gets every request, whatever mode and weights say."
    )
    group_name: ServiceName | None = Field(
        default=None, description="Of the service group, unique beside services too; by default SPLIT_STACK."
    )
    adopt: bool = Field(default=False, description="Take over a service group of that name that is there already.")

    def weights(self) -> dict[str, int]:
        """The percentage that each version gets."""
        if self.rollback_to is not None:
            return {name: ALL if name == self.rollback_to else 0 for name in self.versions}
        return {name: version.weight for name, version in self.versions.items()}

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse(TrafficSplitSettings, _problems(self))
        return self


def services_in_traffic(traffic: Mapping[str, TrafficSplitSettings]) -> set[str]:
    """The keys of the services that get requests through a split."""
    return {
        split.versions[name].service for split in traffic.values() for name, weight in split.weights().items() if weight
    }


def split_problems(
    traffic: Mapping[str, TrafficSplitSettings], services: Mapping[str, EasServiceSettings]
) -> Iterator[Problem]:
    """What is wrong between splits and services, by paths from the top of the stack's settings."""
    users: dict[str, str] = {}
    for name, split in traffic.items():
        for version, settings in split.versions.items():
            path = ("traffic", name, "versions", version, "service")
            if settings.service not in services:
                yield Problem(path, _unknown(settings.service, services))
            elif other := users.get(settings.service):
                yield Problem(path, f"it is {other} already, and EAS has a service in one group only")
            else:
                users[settings.service] = f"version {version} of traffic.{name}"
    for name, split in traffic.items():
        yield from _shadow_problems(name, split, services, users)
        yield from _name_problems(name, split, services)
    for service, user in users.items():
        if services[service].safety_lock == "all":
            message = f"it is {user}, whose shares could not be changed, not even to roll back; dangerous is allowed"
            yield Problem(("services", service, "safety_lock"), message)


def _problems(split: TrafficSplitSettings) -> Iterator[Problem]:
    by_service: dict[str, str] = {}
    for name, version in split.versions.items():
        if other := by_service.get(version.service):
            message = f"it is version {other} already; every version needs a service of its own"
            yield Problem(("versions", name, "service"), message)
        by_service.setdefault(version.service, name)
    if split.shadow is not None and (version_name := by_service.get(split.shadow.service)):
        message = f"it is version {version_name} itself, which would get copies of its own requests"
        yield Problem(("shadow", "service"), message)
    if split.rollback_to is None:
        yield from _share_problems(split)
    elif split.rollback_to not in split.versions:
        yield Problem(("rollback_to",), f"there is no such version; there are {', '.join(split.versions)}")


def _share_problems(split: TrafficSplitSettings) -> Iterator[Problem]:
    weights = split.weights()
    told = ", ".join(f"{name} {weight}" for name, weight in weights.items())
    served = [name for name, weight in weights.items() if weight]
    if sum(weights.values()) != ALL:
        yield Problem(("versions",), f"the weights add up to {sum(weights.values())} instead of 100: {told}")
    elif split.mode == "blue_green" and len(served) > 1:
        message = f"one version has all requests and the others none, but the weights are {told}; canary and ab share"
        yield Problem(("mode",), message)
    elif split.mode == "canary" and len(weights) != 2:
        message = f"a canary is one new version beside one old one, but there are {len(weights)} versions; ab takes any"
        yield Problem(("mode",), message)
    elif split.mode == "ab" and (len(weights) < 2 or len(served) < len(weights)):
        message = f"at least two versions are compared, each with a share, but the weights are {told}; canary allows 0"
        yield Problem(("mode",), message)


def _shadow_problems(
    name: str, split: TrafficSplitSettings, services: Mapping[str, EasServiceSettings], users: Mapping[str, str]
) -> Iterator[Problem]:
    if split.shadow is None:
        return
    path, service = ("traffic", name, "shadow", "service"), split.shadow.service
    if service not in services:
        yield Problem(path, _unknown(service, services))
    elif user := users.get(service):
        yield Problem(path, f"it is {user} and answers requests of its own; a shadow gets copies only")


def _name_problems(
    name: str, split: TrafficSplitSettings, services: Mapping[str, EasServiceSettings]
) -> Iterator[Problem]:
    """Names by default are told apart by the key alone, for all of them end with the stack."""
    for key, service in services.items():
        if split.group_name is None and service.service_name is None and key == name:
            message = f"a service is called {key} too, and EAS gives a name once only: rename one, or set group_name"
            yield Problem(("traffic", name), message)
        if split.group_name is not None and split.group_name == service.service_name:
            yield Problem(("traffic", name, "group_name"), f"services.{key} has that name; EAS gives a name once only")


def _unknown(service: str, services: Mapping[str, EasServiceSettings]) -> str:
    if close := difflib.get_close_matches(service, services, n=1):
        return f"there is no such service; did you mean {close[0]}?"
    return f"there is no such service; there are {', '.join(services) or 'none'}"
