"""deploy: makes a stack's components, and hands what one produces to the next."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pulumi
from pulumi import Output, ResourceOptions

from cloud.target import (
    EMULATOR_ACCESS_KEY_ID,
    EMULATOR_ACCESS_KEY_SECRET,
    Target,
    TargetError,
    check_environment,
)
from components.alicloud import alicloud_provider
from components.billing import MachineGroup, MachineMix, PrivateGateway
from components.billing_config import BillingSettings, default_group_name
from components.eas_config import EasServiceSettings
from components.eas_service import EasService
from components.model_artefact import ArtefactError, ModelArtefact
from components.model_store import ModelStore
from components.monitoring_config import watched_services
from components.notebook import Notebook
from components.notebook_config import default_instance_name
from components.registered_model import RegisteredModel
from components.stored_code import StoredCode
from components.training import Training
from stacks.config import OWNERSHIP_TAG, StackConfig
from stacks.plans import with_plans
from stacks.problems import ConfigError
from stacks.services import deploy_services


def deploy(config: StackConfig) -> None:
    """Registers everything that `config` asks for, and the stack's outputs.

    Raises pulumi.RunError, before anything is registered, when the environment leads elsewhere than to the target,
    when a model is not there, or a plan cannot be followed.
    """
    stack = pulumi.get_stack()
    try:
        config, told = with_plans(config, stack, datetime.now(UTC))
        check_environment(config.target, os.environ)
        models = {name: _model(settings) for name, settings in config.services.items()}
        codes = {name: _code(settings) for name, settings in config.services.items()}
        notebook_codes = {
            name: StoredCode.read(Path(settings.code))
            for name, settings in config.notebooks.items()
            if settings.code is not None
        }
        training_codes = {name: StoredCode.read(Path(settings.code)) for name, settings in config.training.items()}
    except (TargetError, ArtefactError, ConfigError) as problem:
        raise pulumi.RunError(str(problem)) from None

    for each in told:
        pulumi.log.warn(each)
    tags = {OWNERSHIP_TAG: f"{pulumi.get_project()}/{stack}"}
    in_cloud = ResourceOptions(provider=alicloud_provider(config.target))

    store = ModelStore(
        "store",
        config.store,
        bucket_name=config.store.bucket_name(stack, config.target.account_id),
        objects=_objects([*models.values(), *codes.values(), *notebook_codes.values(), *training_codes.values()]),
        tags=tags,
        opts=in_cloud,
    )

    machines = {
        name: MachineGroup(
            name,
            settings,
            group_name=settings.group_name or default_group_name(name, stack),
            region=config.target.region,
            tags=tags,
        )
        for name, settings in config.machines.items()
    }
    mixes = {
        name: MachineMix(
            name,
            settings,
            group_name=settings.group_name or f"{name}_{stack}",
            region=config.target.region,
            groups=machines,
        )
        for name, settings in config.mixes.items()
    }
    gateways = {
        name: PrivateGateway(
            name,
            settings,
            gateway_name=settings.gateway_name or f"{name}_{stack}",
            region=config.target.region,
            tags=tags,
        )
        for name, settings in config.gateways.items()
    }

    def place_of(billing: BillingSettings) -> tuple[Output[str] | None, list[pulumi.Resource]]:
        """The resource group that a service runs in, and all that belongs to it."""
        if billing.machines is not None:
            group = machines[billing.machines]
            return group.resource_id, [group]
        if billing.mix is not None:
            sources = config.mixes[billing.mix].sources
            groups = [machines[source.machines] for source in sources if source.machines is not None]
            return mixes[billing.mix].resource_id, [mixes[billing.mix], *groups]
        return None, []

    def service(
        key: str, *, service_name: str, group: Output[str] | None, change_after: Sequence[pulumi.Resource]
    ) -> EasService:
        settings = config.services[key]
        resource_id, runs_on = place_of(settings.billing)
        return EasService(
            key,
            settings,
            service_name=service_name,
            role_name=f"paistack-{stack}-{key}",
            region=config.target.region,
            host="127.0.0.1" if config.target.emulator else "0.0.0.0",  # noqa: S104 - in its own container
            bucket=store.bucket_name,
            model=models[key],
            code=codes[key],
            tags=tags,
            group=group,
            resource_id=resource_id,
            needs=[*runs_on, *store.files_of(models[key], codes[key])],
            gateway_id=gateways[settings.gateway].gateway_id if settings.gateway else None,
            change_after=change_after,
            opts=in_cloud,
        )

    services, splits = deploy_services(config, stack, tags, service)

    notebooks = {
        name: Notebook(
            name,
            settings,
            instance_name=settings.instance_name or default_instance_name(name, stack),
            region=config.target.region,
            bucket=store.bucket_name,
            code=notebook_codes.get(name),
            tags=tags,
            needs=store.files_of(notebook_codes[name]) if name in notebook_codes else (),
        )
        for name, settings in config.notebooks.items()
    }

    trainings = {
        name: Training(
            name,
            settings,
            instance_name=settings.instance_name or default_instance_name(name, stack),
            region=config.target.region,
            bucket=store.bucket_name,
            code=training_codes[name],
            access=_access_to_dsw(config.target),
            tags=tags,
            needs=store.files_of(training_codes[name]),
        )
        for name, settings in config.training.items()
    }

    for name, settings in config.models.items():
        RegisteredModel(name, settings, region=config.target.region, bucket=store.bucket_name, tags=tags, opts=in_cloud)

    if config.logs is not None:
        from components.log_shipping import LogShipping

        logs = LogShipping(
            "logs",
            config.logs,
            project_name=config.logs.project_name(stack, config.target.account_id),
            tags=tags,
            opts=in_cloud,
        )
        pulumi.export("logs", {"project": logs.project, "store": logs.store})

    if watched_services(config.monitoring, config.services):
        from components.monitoring import Monitoring  # 50 ms of every run that has nothing to watch

        monitoring = Monitoring(
            "monitoring",
            config.monitoring,
            config.services,
            prefix=f"paistack-{stack}",
            service_names={name: deployed.service_name for name, deployed in services.items()},
            opts=in_cloud,
        )
        pulumi.export("alarms", monitoring.rules)
    pulumi.export("bucket", store.bucket_name)
    pulumi.export("training", {name: {"instance_id": training.instance_id} for name, training in trainings.items()})
    pulumi.export(
        "notebooks",
        {name: {"url": notebook.url, "instance_id": notebook.instance_id} for name, notebook in notebooks.items()},
    )
    pulumi.export(
        "traffic",
        {name: {"endpoint": split.endpoint, "token": Output.secret(split.token)} for name, split in splits.items()},
    )
    pulumi.export(
        "services",
        {
            name: {
                "endpoint": deployed.endpoint,
                "token": Output.secret(deployed.token),
                "model": f"{models[name].name} {models[name].version}",
            }
            for name, deployed in services.items()
        },
    )


def _access_to_dsw(target: Target) -> dict[str, str]:
    """How an instance reaches DSW: in the cloud inside of the region, by a role; the emulator has no roles there."""
    if target.emulator is None:
        return {"DSW_ENDPOINT": f"https://pai-dsw-vpc.{target.region}.aliyuncs.com"}
    return {
        "DSW_ENDPOINT": target.emulator,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": EMULATOR_ACCESS_KEY_SECRET,
        "NO_PROXY": "127.0.0.1",
    }


def _objects(stored: list[ModelArtefact | StoredCode]) -> dict[str, Path]:
    """Each file once, though several services may run the same model or the same code."""
    return {key: path for item in stored for key, path in item.objects().items()}


def _model(settings: EasServiceSettings) -> ModelArtefact:
    found = ModelArtefact.read(settings.model.name, Path(settings.model.artefact))
    if settings.model.runtime == "onnx" and "model.onnx" not in found.files:
        raise ArtefactError(f"runtime is onnx, but {found.directory} holds no model.onnx: train again, or leave it out")
    return found


def _code(settings: EasServiceSettings) -> StoredCode:
    return StoredCode.read(Path(settings.container.server), as_package=True)
