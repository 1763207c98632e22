"""Notebook: a machine with JupyterLab that stops by itself when nobody uses it."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.notebook_config import NotebookSettings, bucket_uri, instance_settings, plain_environment
from components.stored_code import StoredCode
from providers.dsw_idle_culler import IdleCuller
from providers.dsw_instance import DswInstance
from providers.dsw_shutdown_timer import ShutdownTimer
from providers.dsw_snapshot import InstanceSnapshot


class Notebook(pulumi.ComponentResource):
    """One instance of DSW, with what stops it by itself. `code` lies in `bucket` under its prefix, once `needs` are
    there."""

    instance_id: Output[str]
    url: Output[str]
    """Where JupyterLab is."""

    def __init__(
        self,
        name: str,
        settings: NotebookSettings,
        *,
        instance_name: str,
        region: str,
        bucket: Input[str],
        code: StoredCode | None,
        tags: Mapping[str, str],
        needs: Sequence[pulumi.Resource] = (),
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:dsw:Notebook", name, settings.model_dump(mode="json", exclude_none=True), opts)
        child = ResourceOptions(parent=self)

        store_uri = Output.from_input(bucket).apply(lambda known: bucket_uri(known, region))
        instance = DswInstance(
            f"{name}-instance",
            workspace_id=settings.workspace_id,
            resource_id=settings.quota.id if settings.quota else "",
            instance_name=instance_name,
            settings=instance_settings(
                settings,
                region=region,
                store_uri=store_uri,
                code_uri=Output.concat(store_uri, code.prefix) if code else None,
            ),
            environment=_environment(settings),
            labels={**tags, **settings.labels},
            restart_to_update=settings.restart_to_update,
            adopt=settings.adopt,
            timeout_s=settings.timeout_min * 60,
            opts=ResourceOptions(parent=self, depends_on=[*needs]),
        )
        # Of an instance that is ours, whoever made them.
        if settings.idle_shutdown is not None:
            IdleCuller(
                f"{name}-culler",
                instance_id=instance.id,
                max_idle_minutes=settings.idle_shutdown.after_min,
                cpu_percent=settings.idle_shutdown.cpu_percent,
                gpu_percent=settings.idle_shutdown.gpu_percent if settings.has_gpu else 0,
                adopt=True,
                opts=child,
            )
        if settings.stop_after_hours is not None:
            ShutdownTimer(
                f"{name}-timer",
                instance_id=instance.id,
                after_minutes=settings.stop_after_hours * 60,
                adopt=True,
                opts=child,
            )
        if settings.snapshot is not None:
            InstanceSnapshot(
                f"{name}-snapshot",
                instance_id=instance.id,
                snapshot_name=settings.snapshot.name,
                image_url=settings.snapshot.image,
                description=settings.snapshot.description,
                exclude_paths=[*settings.snapshot.exclude_paths],
                overwrite=settings.snapshot.overwrite,
                adopt=True,
                timeout_s=settings.timeout_min * 60,
                opts=child,
            )

        self.instance_id = instance.id
        self.url = instance.url
        self.register_outputs({"instance_id": self.instance_id, "url": self.url})


def _environment(settings: NotebookSettings) -> dict[str, Input[str]]:
    secrets = {name: Output.secret(value.get_secret_value()) for name, value in settings.secrets.items()}
    return {**plain_environment(settings), **secrets}
