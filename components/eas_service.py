"""EasService: a model behind an HTTP endpoint with its own address and token."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import CustomTimeouts, Input, Output, ResourceOptions
from pulumi_alicloud import pai, ram

from components.eas_config import EasServiceSettings, plain_environment, service_config
from components.eas_rollout import bring_up
from components.eas_scaling import scale_service
from components.model_artefact import ModelArtefact
from components.ram_policy import read_prefixes, trust_of_eas
from components.stored_code import StoredCode
from providers.service_endpoint import ServiceEndpoint
from providers.service_revision import on_the_wire, with_environment, without_replicas


class EasService(pulumi.ComponentResource):
    """One service of EAS, with a role that may read its model and its code and nothing else.

    `host` is the address that replicas listen on: all of a container's own, or the loopback where they have none.
    """

    service_name: Output[str]
    endpoint: Output[str]
    """Where requests go, with the token in the header Authorization."""
    token: Output[str]
    """Secret."""

    def __init__(
        self,
        name: str,
        settings: EasServiceSettings,
        *,
        service_name: str,
        role_name: str,
        region: str,
        host: str,
        bucket: Input[str],
        model: ModelArtefact,
        code: StoredCode,
        tags: Mapping[str, str],
        group: Input[str] | None = None,
        resource_id: Input[str] | None = None,
        gateway_id: Input[str] | None = None,
        needs: Sequence[pulumi.Resource] = (),
        change_after: Sequence[pulumi.Resource] = (),
        opts: ResourceOptions | None = None,
    ) -> None:
        """`group` is the service group that it is a member of, `resource_id` the resource group that it runs in, and
        `gateway_id` the gateway that it is called through, should it be the stack's own. `needs` are there before it
        and go after it, such as its model and its code in `bucket`; it changes only once `change_after` are as
        declared, too."""
        declared = settings.model_dump(mode="json", exclude_none=True, exclude={"alarms"})  # those are Monitoring's
        super().__init__("paistack:eas:EasService", name, declared, opts)
        child = ResourceOptions(parent=self)
        known_bucket = Output.from_input(bucket)

        role = ram.Role(
            f"{name}-role",
            role_name=role_name,
            description=f"EAS service {service_name}: reads its model and its code",
            assume_role_policy_document=json.dumps(trust_of_eas()),
            tags=dict(tags),
            opts=child,
        )
        policy = ram.Policy(
            f"{name}-policy",
            policy_name=role_name,
            policy_document=known_bucket.apply(
                lambda known: json.dumps(read_prefixes(known, [model.prefix, code.prefix]))
            ),
            tags=dict(tags),
            opts=child,
        )
        grant = ram.RolePolicyAttachment(
            f"{name}-grant",
            role_name=role.role_name,
            policy_name=policy.policy_name,
            policy_type="Custom",
            opts=child,
        )

        plain = plain_environment(settings, host=host)
        secrets = {variable: value.get_secret_value() for variable, value in settings.container.secrets.items()}
        inputs = {
            "model_uri": known_bucket.apply(lambda known: f"oss://{known}/{model.prefix}"),
            "code_uri": known_bucket.apply(lambda known: f"oss://{known}/{code.prefix}"),
            "role_arn": role.arn,
            "group": group,
            "resource_id": resource_id,
            "gateway_id": gateway_id,
        }

        def configured(values: Mapping[str, Any]) -> dict[str, Any]:
            return service_config(settings, service_name=service_name, region=region, **values)

        def document(known: dict[str, Any]) -> str:
            config = configured({key: known[key] for key in inputs})
            return json.dumps(on_the_wire(with_environment(config, plain | known["secrets"])))

        config = configured(inputs)
        service = pai.Service(
            f"{name}-service",
            # Lifted as a whole: lifting each part would make an output for every key and value of the document.
            service_config=Output.all(**inputs, secrets=Output.secret(secrets) if secrets else {}).apply(document),
            workspace_id=settings.workspace_id,
            tags={**tags, **settings.labels},
            opts=ResourceOptions(
                parent=self,
                depends_on=[grant, *needs],
                # The provider would update by the old name, and by merging: ServiceRevision does it instead.
                ignore_changes=["serviceConfig", "workspaceId"],
                replacement_trigger=service_name,
                # The server writes the token into what it returns as the configuration.
                additional_secret_outputs=["serviceConfig"],
                custom_timeouts=_timeouts(settings),
            ),
        )
        running = bring_up(
            name,
            settings,
            cluster_id=region,
            service=service,
            config=without_replicas(config) if settings.scaling else config,
            environment=plain | {variable: Output.secret(value) for variable, value in secrets.items()},
            after=[*needs, *change_after],
            opts=child,
        )
        if settings.scaling is not None:
            scaled = ResourceOptions(parent=self, depends_on=[running], deleted_with=service)
            scale_service(name, settings.scaling, cluster_id=region, service_name=service.id, opts=scaled)
        of_service = ResourceOptions(parent=self, deleted_with=service)
        endpoint = ServiceEndpoint(f"{name}-endpoint", cluster_id=region, service_name=service.id, opts=of_service)

        self.service_name = service.id
        self.endpoint = endpoint.internet_endpoint
        self.token = endpoint.access_token
        self.register_outputs({"service_name": self.service_name, "endpoint": self.endpoint, "token": self.token})


def _timeouts(settings: EasServiceSettings) -> CustomTimeouts:
    minutes = settings.timeouts
    return CustomTimeouts(
        create=f"{minutes.create_min}m", update=f"{minutes.update_min}m", delete=f"{minutes.delete_min}m"
    )
