"""RegisteredModel: a model in PAI's registry, with its versions."""

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_alicloud import pai

from components.registered_model_config import RegisteredModelSettings, version_inputs


class RegisteredModel(pulumi.ComponentResource):
    """A model of that name, which no other stack of the workspace may have, and each of its versions by where its files
    lie in `bucket`. The files stay when a version is no longer registered."""

    model_id: Output[str]

    def __init__(
        self,
        name: str,
        settings: RegisteredModelSettings,
        *,
        region: str,
        bucket: Input[str],
        tags: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:registry:RegisteredModel", name, settings.model_dump(mode="json"), opts)
        child = ResourceOptions(parent=self)

        model = pai.WorkspaceModel(
            f"{name}-model",
            model_name=name,
            workspace_id=settings.workspace_id,
            accessibility="PRIVATE",
            domain="cv",
            labels=[{"key": key, "value": value} for key, value in tags.items()],
            opts=child,
        )
        for number, version in settings.versions.items():
            folder = f"oss-{region}-internal.aliyuncs.com/models/{name}/{version.content}/"
            pai.WorkspaceModelVersion(
                f"{name}-{number}",
                model_id=model.id,
                version_name=number,
                uri=Output.concat("oss://", bucket, ".", folder),
                **version_inputs(version, dict(tags)),
                opts=child,
            )

        self.model_id = model.id
        self.register_outputs({"model_id": self.model_id})
