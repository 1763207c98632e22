"""Creating, describing, listing, updating and deleting services."""

import json
import secrets
from typing import Literal

from pydantic import Field, Json

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.config.parsing import invalid, merged, parse_config, parse_json
from emulator.services.eas.config.service import ServiceConfig
from emulator.services.eas.endpoints import internet_endpoint, intranet_endpoint
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, SERVICES, eas
from emulator.services.eas.records import Service, ServiceKey, Version
from emulator.services.eas.resources.placement import check_resource
from emulator.services.eas.scaling.declared import declared_autoscaler, follow_declared
from emulator.services.eas.scaling.resize import resize
from emulator.services.eas.state import EasState
from emulator.services.eas.tokens import new_token
from emulator.services.eas.traffic.membership import group_of, join, refuse_taken_name, remove_empty_groups


class CreateService(Parameters):
    develop: bool = Field(False, alias="Develop")
    labels: Json[dict[str, str]] = Field({}, alias="Labels")
    workspace_id: str = Field("", alias="WorkspaceId")


@eas.operation("CreateService", "POST", SERVICES)
def create_service(state: EasState, call: Call, query: CreateService, body: bytes) -> Answer:
    if query.develop:
        raise invalid("The emulator has no developer mode: leave out Develop, or give false.")
    document = parse_json(body)
    config = parse_config(document)
    key = ServiceKey(call.region, config.service_name)
    if state.services.get(str(key)) is not None:
        raise ApiError("InvalidService.Exists", f"Service [{key.name}] already exists in region [{key.region}].", 409)
    refuse_taken_name(state, key)
    service = Service(
        region=key.region,
        name=key.name,
        id=f"eas-m-{secrets.token_hex(8)}",
        token=config.token or new_token(),
        config=document,
        labels=config.labels | query.labels,
        workspace_id=query.workspace_id or config.metadata.workspace_id or config.workspace_id or "",
        created_at=call.now,
        updated_at=call.now,
    )
    autoscaler = declared_autoscaler(service, config)
    join(state, service)
    check_resource(state, key.region, config)
    state.put_version(key, Version(number=1, config=document, built_at=call.now))
    state.put(service)
    if autoscaler is not None:
        state.put_autoscaler(key, autoscaler)
    state.record_service_event(service, "Creating", "Service is being created")
    return {
        "ServiceId": service.id,
        "ServiceName": service.name,
        "Region": service.region,
        "Status": "Creating",
        "InternetEndpoint": internet_endpoint(state, service),
        "IntranetEndpoint": intranet_endpoint(state, service),
    }


@eas.operation("DescribeService", "GET", SERVICE)
def describe_service(state: EasState, cluster_id: str, service_name: str) -> Answer:
    service = state.find(cluster_id, service_name)
    return described(state, service) | {
        "InternetEndpoint": internet_endpoint(state, service),
        "IntranetEndpoint": intranet_endpoint(state, service),
    }


class UpdateService(Parameters):
    cluster_id: str = Field("", alias="ClusterId")
    update_type: Literal["merge", "replace"] = Field("merge", alias="UpdateType")


@eas.operation("UpdateService", "PUT", SERVICE)
def update_service(
    state: EasState, call: Call, cluster_id: str, service_name: str, query: UpdateService, body: bytes
) -> Answer:
    """A change of nothing but `metadata.instance` scales the service; any other one makes a new version."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    change = parse_json(body)
    document = merged(service.config, change) if query.update_type == "merge" else change
    config = parse_config(document)
    if config.service_name != service.name:
        raise invalid(
            f"metadata.name cannot be changed: the service is {service.name!r}, found {config.service_name!r}."
        )
    if document != service.config:
        follow_declared(state, service, document, config)
        if _without_instance(document) == _without_instance(service.config):
            resize(state, service, document["metadata"]["instance"])
        else:
            _make_version(state, call, service, document, config)
    return {"Message": f"Succeed to update service [{service_name}] in region [{cluster_id}]"}


@eas.operation("DeleteService", "DELETE", SERVICE)
def delete_service(state: EasState, cluster_id: str, service_name: str) -> Answer:
    service = state.find(cluster_id, service_name)
    refuse_when_locked(service, dangerous=True)
    state.put(service.model_copy(update={"target": "deleted", "operation": ""}))
    state.record_service_event(service, "Deleting", "Service is being deleted")
    return {"Message": f"Service [{service_name}] in region [{cluster_id}] is going to be deleted"}


def described(state: EasState, service: Service) -> Answer:
    """A service as ListServices has it; the endpoints are DescribeService's alone."""
    config = parse_config(service.config)
    condition = state.condition(service)
    ready = [instance for instance in state.instances.values(f"{service.key}/") if instance.ready]
    running, dedicated = len(ready), sum(bool(instance.resource) for instance in ready)
    metadata = config.metadata
    answer: Answer = {
        "ServiceId": service.id,
        "ServiceUid": service.id,
        "ServiceName": service.name,
        "ServiceConfig": json.dumps(service.config, ensure_ascii=False, separators=(",", ":")),
        "Status": condition.status,
        "Reason": condition.reason,
        "Message": condition.message,
        "Region": service.region,
        "Namespace": service.name,
        "Resource": metadata.resource or "",
        "Cpu": metadata.cpu or 0,
        "Gpu": metadata.gpu or 0,
        "Memory": metadata.memory or 0,
        "Image": config.containers[0].image if config.containers else "",
        "TotalInstance": service.replicas,
        "RunningInstance": running,
        "PendingInstance": max(0, service.replicas - running),
        "InstanceCountInResource": {
            "Dedicated": dedicated,
            "Public": running - dedicated,
            "Quota": 0,
        },
        "CurrentVersion": service.version,
        "LatestVersion": service.latest_version,
        "Weight": service.weight,
        "TrafficState": service.traffic_state,
        "SafetyLock": service.safety_lock,
        "AccessToken": service.token,
        "Labels": [{"LabelKey": key, "LabelValue": value} for key, value in sorted(service.labels.items())],
        "Role": "Standard",
        "Source": "api",
        "CreateTime": iso(service.created_at),
        "UpdateTime": iso(service.updated_at),
        "CallerUid": state.account_id,
        "ParentUid": state.account_id,
        "AutoscalerEnabled": state.autoscalers.get(str(service.key)) is not None,
        "CronscalerEnabled": state.cronscalers.get(str(service.key)) is not None,
        "ResourceBurstable": metadata.resource_burstable,
        "ExtraData": "{}",
    }
    optional = {
        "ServiceGroup": metadata.group,
        "Gateway": config.networking.gateway,
        "WorkspaceId": service.workspace_id,
        "WorkloadType": metadata.workload_type,
        "GPUMemory": metadata.gpu_memory,
        "GPUCorePercentage": metadata.gpu_core_percentage,
    }
    return answer | {name: value for name, value in optional.items() if value}


def _make_version(
    state: EasState, call: Call, service: Service, document: dict[str, object], config: ServiceConfig
) -> None:
    check_resource(state, service.region, config)
    number = service.latest_version + 1
    state.put_version(service.key, Version(number=number, config=document, built_at=call.now))
    changes = {
        "config": document,
        "version": number,
        "latest_version": number,
        "token": config.token or service.token,
        "labels": service.labels | config.labels,
        "updated_at": call.now,
    }
    if service.target == "running":
        changes["operation"] = "update"
    updated = service.model_copy(update=changes)
    if group_of(updated) != group_of(service):
        updated = updated.model_copy(update={"traffic_state": "standalone", "weight": -1})
        join(state, updated)
    state.put(updated)
    remove_empty_groups(state, service.region)
    state.record_service_event(updated, "Updating", f"Update to version {number}")


def _without_instance(document: dict[str, object]) -> object:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - the document was parsed
    return document | {"metadata": {key: value for key, value in metadata.items() if key != "instance"}}
