"""deploy: makes a stack's components, and hands what one produces to the next."""

import os
from collections.abc import Sequence
from pathlib import Path

import pulumi
from pulumi import Output, ResourceOptions

from cloud.target import TargetError, check_environment
from components.alicloud import alicloud_provider
from components.eas_config import EasServiceSettings
from components.eas_service import EasService
from components.model_artefact import ArtefactError, ModelArtefact, ServingCode
from components.model_store import ModelStore
from components.notebook import Notebook
from components.notebook_code import NotebookCode
from components.notebook_config import default_instance_name
from components.traffic_config import services_in_traffic
from components.traffic_split import ShadowTraffic, TrafficGroup, TrafficSplit
from stacks.config import OWNERSHIP_TAG, StackConfig


def deploy(config: StackConfig) -> None:
    """Registers everything that `config` asks for, and the stack's outputs.

    Raises pulumi.RunError, before anything is registered, when the environment leads elsewhere than to the target, or
    when a model is not there.
    """
    try:
        check_environment(config.target, os.environ)
        models = {name: _model(settings) for name, settings in config.services.items()}
        codes = {name: _code(settings) for name, settings in config.services.items()}
        notebook_codes = {
            name: NotebookCode.read(Path(settings.code))
            for name, settings in config.notebooks.items()
            if settings.code is not None
        }
    except (TargetError, ArtefactError) as problem:
        raise pulumi.RunError(str(problem)) from None

    stack = pulumi.get_stack()
    tags = {OWNERSHIP_TAG: f"{pulumi.get_project()}/{stack}"}
    in_cloud = ResourceOptions(provider=alicloud_provider(config.target))

    store = ModelStore(
        "store",
        config.store,
        bucket_name=config.store.bucket_name(stack, config.target.account_id),
        objects=_objects([*models.values(), *codes.values(), *notebook_codes.values()]),
        tags=tags,
        opts=in_cloud,
    )

    service_names = {
        name: settings.service_name or f"{name}_{stack}".replace("-", "_") for name, settings in config.services.items()
    }
    groups = {
        name: TrafficGroup(
            name,
            group_name=settings.group_name or f"{name}_{stack}".replace("-", "_"),
            region=config.target.region,
            adopt=settings.adopt,
            tags=tags,
        )
        for name, settings in config.traffic.items()
    }
    group_of = {
        version.service: groups[name].group_name
        for name, settings in config.traffic.items()
        for version in settings.versions.values()
    }

    def service(name: str, change_after: Sequence[pulumi.Resource]) -> EasService:
        return EasService(
            name,
            config.services[name],
            service_name=service_names[name],
            role_name=f"paistack-{stack}-{name}",
            region=config.target.region,
            host="127.0.0.1" if config.target.emulator else "0.0.0.0",  # noqa: S104 - in its own container
            bucket=store.bucket_name,
            model=models[name],
            code=codes[name],
            tags=tags,
            group=group_of.get(name),
            change_after=change_after,
            opts=in_cloud,
        )

    # No request is lost in this order; components/traffic_split.py says why.
    in_traffic = services_in_traffic(config.traffic)
    services = {name: service(name, ()) for name in config.services if name in in_traffic}
    splits = {
        name: TrafficSplit(
            name,
            settings,
            region=config.target.region,
            group=groups[name],
            service_names={version: service_names[its.service] for version, its in settings.versions.items()},
            serving={
                version: services[its.service]
                for version, its in settings.versions.items()
                if its.service in in_traffic
            },
        )
        for name, settings in config.traffic.items()
    }
    services |= {name: service(name, [*splits.values()]) for name in config.services if name not in in_traffic}
    for name, settings in config.traffic.items():
        if settings.shadow is not None:
            ShadowTraffic(
                name,
                settings.shadow,
                region=config.target.region,
                sources={version: services[its.service].service_name for version, its in settings.versions.items()},
                target=services[settings.shadow.service].service_name,
            )

    notebooks = {
        name: Notebook(
            name,
            settings,
            instance_name=settings.instance_name or default_instance_name(name, stack),
            region=config.target.region,
            bucket=store.bucket_name,
            code=notebook_codes.get(name),
            tags=tags,
        )
        for name, settings in config.notebooks.items()
    }

    pulumi.export("bucket", store.bucket_name)
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
                "endpoint": service.endpoint,
                "token": Output.secret(service.token),
                "model": f"{models[name].name} {models[name].version}",
            }
            for name, service in sorted(services.items())
        },
    )


def _objects(stored: list[ModelArtefact | ServingCode | NotebookCode]) -> dict[str, Path]:
    """Each file once, though several services may run the same model or the same code."""
    return {key: path for item in stored for key, path in item.objects().items()}


def _model(settings: EasServiceSettings) -> ModelArtefact:
    return ModelArtefact.read(settings.model.name, Path(settings.model.artefact))


def _code(settings: EasServiceSettings) -> ServingCode:
    return ServingCode.read(Path(settings.container.server))
