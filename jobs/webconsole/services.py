"""What EAS says of a stack's services: how they are, their replicas, what happened, and how they share traffic."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from Tea.exceptions import TeaException

from jobs.webconsole.source import Source
from stacks.config import default_name
from stacks.plans import plan_file, read_plan
from stacks.problems import ConfigError

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

PAGE = 100
NOT_THERE = "NotDeployed"
_GONE = "InvalidService.NotFound"


def overview(source: Source) -> list[dict[str, Any]]:
    """Every service of the settings in their order, without its token; `status` is NotDeployed where EAS has none."""
    live = {found.service_name: found for found in _listed(source.eas)}
    return [_summary(key, name, live.get(name)) for key, name in source.names.items()]


def replicas(source: Source, name: str) -> list[dict[str, Any]]:
    """The instances of a service, newest first."""
    from alibabacloud_eas20210701.models import ListServiceInstancesRequest

    request = ListServiceInstancesRequest(page_size=PAGE)
    try:
        found = source.eas.list_service_instances(source.region, name, request).body.instances or []
    except TeaException as error:
        if error.code == _GONE:
            return []
        raise
    return [
        {
            "name": each.instance_name,
            "status": each.status,
            "ready": bool(each.ready_processes) and each.ready_processes == each.total_processes,
            "machine": each.instance_type,
            "spot": bool(each.is_spot),
            "restarts": each.restart_count or 0,
            "latest": bool(each.is_latest),
            "created": each.create_time,
            "started": each.start_time,
            "reason": each.reason or "",
        }
        for each in found
    ]


def events(source: Source, name: str) -> list[dict[str, Any]]:
    """What happened to a service in the last days, newest first: `scaling` tells changes of the number of replicas."""
    from alibabacloud_eas20210701.models import DescribeServiceEventRequest

    def page(number: int) -> Any:
        request = DescribeServiceEventRequest(page_num=number, page_size=PAGE)
        return source.eas.describe_service_event(source.region, name, request).body

    try:
        first = page(1)
    except TeaException as error:
        if error.code == _GONE:
            return []
        raise
    # Oldest first: what is new stands on the last pages.
    pages = first.total_page_num or 1
    found = [event for number in range(max(1, pages - 1), pages + 1) for event in page(number).events or []]
    return [
        {
            "at": event.time,
            "warning": event.type == "Warning",
            "reason": event.reason,
            "text": _in_words(event.message or ""),
            "scaling": event.reason == "Scaling",
        }
        for event in reversed(found)
    ]


def scaling(source: Source, key: str) -> dict[str, Any] | None:
    """The bounds of a service's autoscaler as they are now, and its plan; None for a fixed number of replicas."""
    from alibabacloud_eas20210701.models import DescribeServiceAutoScalerRequest

    settings = source.config.services[key].scaling
    if settings is None:
        return None
    answer: dict[str, Any] = {"plan": _plan(source, key)}
    try:
        live = source.eas.describe_service_auto_scaler(
            source.region, source.names[key], DescribeServiceAutoScalerRequest()
        ).body
    except TeaException as error:
        if (error.statusCode or 0) == 404 or "NotFound" in str(error.code):
            return answer
        raise
    thresholds = {strategy.metric_name: strategy.threshold for strategy in live.scale_strategies or []}
    return answer | {"least": live.min_replica, "most": live.max_replica, "thresholds": thresholds}


def traffic(source: Source) -> list[dict[str, Any]]:
    """The stack's groups of services, with the share of the requests that each version gets now."""
    live = {found.service_name: found for found in _listed(source.eas)} if source.config.traffic else {}
    return [
        {
            "group": its.group_name or default_name(key, source.stack),
            "mode": its.mode,
            "versions": _shares(source, {version: of.service for version, of in its.versions.items()}, live),
        }
        for key, its in source.config.traffic.items()
    ]


def _shares(source: Source, services: dict[str, str], live: dict[str, Any]) -> list[dict[str, Any]]:
    weights = {version: _weight(live.get(source.names[service])) for version, service in services.items()}
    total = sum(weights.values())
    return [
        {"version": version, "service": services[version], "share": weight / total if total else 0.0}
        for version, weight in weights.items()
    ]


def _weight(service: Any) -> int:
    """Out of the traffic of its group, a service has none of it, whatever its weight."""
    return int(service.weight or 0) if service is not None and service.traffic_state == "grouping" else 0


def _listed(client: "Client") -> Iterator[Any]:
    from alibabacloud_eas20210701.models import ListServicesRequest

    number = 1
    while True:
        body = client.list_services(ListServicesRequest(page_number=number, page_size=PAGE)).body
        yield from body.services or []
        if number * PAGE >= (body.total_count or 0):
            return
        number += 1


def _summary(key: str, name: str, live: Any) -> dict[str, Any]:
    if live is None:
        return {"key": key, "name": name, "status": NOT_THERE, "ready": 0, "wanted": 0}
    return {
        "key": key,
        "name": name,
        "status": live.status,
        "message": live.message or "",
        "ready": live.running_instance or 0,
        "wanted": live.total_instance or 0,
        "version": live.current_version,
        "group": live.service_group or "",
        "created": live.create_time,
        "updated": live.update_time,
        "scales": bool(live.autoscaler_enabled),
    }


def _in_words(message: str) -> str:
    """Some events have their message as JSON, beside numbers that are told elsewhere."""
    try:
        document = json.loads(message)
    except ValueError:
        return message
    return str(document["message"]) if isinstance(document, dict) and "message" in document else message


def _plan(source: Source, key: str) -> dict[str, Any] | None:
    """The plan that `paistack forecast --write` made, or what is wrong with it."""
    try:
        plan = read_plan(plan_file(source.config, source.stack, key))
    except ConfigError as problem:
        return {"problem": str(problem)}
    return None if plan is None else plan.model_dump(mode="json")
