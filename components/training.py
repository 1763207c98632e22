"""Training: a run on a machine of its own, which trains, stores a model version, and stops."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.notebook import Notebook
from components.stored_code import StoredCode
from components.training_config import TrainingSettings, notebook_settings


class Training(pulumi.ComponentResource):
    """An instance of DSW whose start command is the run. `code` lies in `bucket` under its prefix, once
    `needs` are there.

    `access` is how the instance reaches DSW to stop itself: DSW_ENDPOINT, and a key where no role gives one.
    """

    instance_id: Output[str]

    def __init__(
        self,
        name: str,
        settings: TrainingSettings,
        *,
        instance_name: str,
        region: str,
        bucket: Input[str],
        code: StoredCode,
        access: Mapping[str, str],
        tags: Mapping[str, str],
        needs: Sequence[pulumi.Resource] = (),
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:dsw:Training", name, settings.model_dump(mode="json", exclude_none=True), opts)
        child = ResourceOptions(parent=self)

        machine = Notebook(
            f"{name}-machine",
            notebook_settings(settings, dict(access)),
            instance_name=instance_name,
            region=region,
            bucket=bucket,
            code=code,
            tags=tags,
            needs=needs,
            opts=child,
        )

        self.instance_id = machine.instance_id
        self.register_outputs({"instance_id": self.instance_id})
