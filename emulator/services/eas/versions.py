"""The kept versions of a service, and going back to one."""

import json

from pydantic import Field

from emulator.clock import iso
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.queries import page
from emulator.services.eas.state import EasState


class ListServiceVersions(Parameters):
    page_number: int = Field(1, ge=1, alias="PageNumber")
    page_size: int = Field(100, ge=1, le=1000, alias="PageSize")


@eas.operation("ListServiceVersions", "GET", f"{SERVICE}/versions")
def list_service_versions(state: EasState, cluster_id: str, service_name: str, query: ListServiceVersions) -> Answer:
    """Newest first. `ImageId` is the number of a version."""
    service = state.find(cluster_id, service_name)
    versions = state.versions.values(f"{service.key}/")[::-1]
    return {
        "Versions": [
            {
                "ImageId": version.number,
                "BuildTime": iso(version.built_at),
                "ImageAvailable": "true",
                "ServiceRunnable": "true",
                "ServiceConfig": json.dumps(version.config, ensure_ascii=False, separators=(",", ":")),
                "Message": "",
            }
            for version in page(versions, query.page_number, query.page_size)
        ],
        "TotalCount": len(versions),
        "PageNumber": query.page_number,
        "PageSize": query.page_size,
    }


class UpdateServiceVersion(Parameters):
    version: int = Field(alias="Version")


@eas.operation("UpdateServiceVersion", "PUT", f"{SERVICE}/version")
def update_service_version(state: EasState, cluster_id: str, service_name: str, body: UpdateServiceVersion) -> Answer:
    """Goes back to an earlier version ("greater than 0 and smaller than the current version").

    The number of instances stays as it is: what the load needs now is not part of what is rolled back.
    """
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if not 0 < body.version < service.version:
        raise invalid(f"Version must be greater than 0 and smaller than {service.version}, found {body.version}.")
    kept = state.version(service.key, body.version).config
    instances = service.config["metadata"]["instance"]
    changes = {
        "config": kept | {"metadata": kept["metadata"] | {"instance": instances}},
        "version": body.version,
        "token": kept.get("token") or service.token,
        "updated_at": state.now(),
        "operation": "update" if service.target == "running" else "",
    }
    changed = service.model_copy(update=changes)
    state.put(changed)
    state.record_service_event(changed, "Updating", f"Roll back from version {service.version} to {body.version}")
    return {"Message": f"Succeed to update service [{service_name}] in region [{cluster_id}]"}
