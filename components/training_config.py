"""Settings of a training run on DSW, and the notebook instance and start command that they become."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.notebook_config import (
    CODE_MOUNT,
    IdleShutdownSettings,
    InstanceName,
    MountSettings,
    NotebookSettings,
    Prefix,
    QuotaSettings,
)
from components.registered_model_config import RegisteredModelSettings
from components.settings import NAME_PATTERN, Problem, Settings

DATA_MOUNT, MODELS_MOUNT, WORKSPACE = "/mnt/data", "/mnt/models", "/mnt/workspace"

# Pay-as-you-go machines with one GPU of each kind, as PAI lists them for DSW.
MACHINES = {
    "A10": "ecs.gn7i-c8g1.2xlarge",
    "V100": "ecs.gn6v-c8g1.2xlarge",
    "A100": "ecs.gn7e-c16g1.4xlarge",
    "CPU": "ecs.c7.2xlarge",
}


class DatasetSettings(Settings):
    """What is trained on: a directory in the stack's bucket, or a version of a dataset of PAI."""

    store: Prefix | None = Field(default=None, description="In the stack's bucket, such as datasets/products/VERSION/.")
    dataset: Annotated[str, StringConstraints(pattern=r"^d-[a-z0-9]+$")] | None = Field(
        default=None, description="Id of a dataset of PAI, as `paistack data prepare` tells it."
    )
    version: Annotated[str, StringConstraints(pattern=r"^v[1-9][0-9]*$")] = Field(
        default="v1", description="Of the dataset."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.store is None) == (self.dataset is None):
            raise ValueError("give either store (a directory of the bucket) or dataset (of PAI), and not both")
        return self


class RecipeSettings(Settings):
    """How it is trained; what is left out is what `python -m model.train --help` says."""

    architecture: Literal["resnet18", "resnet34", "resnet50"] | None = None
    weights: str | None = Field(default=None, min_length=1, description="none, imagenet, or a file in a mount.")
    epochs: int | None = Field(default=None, ge=1, le=10_000)
    batch_size: int | None = Field(default=None, ge=2, le=65_536)
    learning_rate: float | None = Field(default=None, gt=0, le=1)
    width: int | None = Field(default=None, ge=8, le=64)
    seed: int | None = Field(default=None, ge=0)
    size: int | None = Field(default=None, ge=16, le=512, description="Pixels a side; photographs only.")
    channels: Literal["1", "3"] | None = Field(default=None, description="Grey or colour; photographs only.")
    rotate: float | None = Field(default=None, ge=0, le=180, description="Degrees, at most, either way.")
    crop: float | None = Field(default=None, ge=0, le=0.9)
    shift: float | None = Field(default=None, ge=0, le=1)
    colour: float | None = Field(default=None, ge=0, le=0.9)
    flip: bool | None = None
    early_stop: int | None = Field(default=None, ge=1, description="Epochs without progress after which it ends.")

    def options(self) -> list[str]:
        """Of the training command."""
        given = self.model_dump(exclude_none=True, exclude={"flip"})
        flip = [] if self.flip is None else ["--flip" if self.flip else "--no-flip"]
        return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))] + flip


class TrainingSettings(Settings):
    """A run that trains one model on a machine of its own, which stops when it is done."""

    model: Annotated[str, StringConstraints(pattern=NAME_PATTERN)] = Field(
        description="Its versions lie in models/MODEL/ of the stack's bucket."
    )
    workspace_id: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] = Field(
        description="PAI workspace of the run and of the registered model; it must exist."
    )
    data: DatasetSettings
    recipe: RecipeSettings = RecipeSettings()
    machine: Literal["A10", "V100", "A100", "CPU"] = Field(
        default="A10", description="Pay-as-you-go machine by its GPU; or give instance_type or quota."
    )
    instance_type: str | None = Field(default=None, description="A pay-as-you-go machine in place of `machine`.")
    quota: QuotaSettings | None = Field(default=None, description="A share of a quota in place of `machine`.")
    processes: int = Field(default=1, ge=1, le=16, description="Of torchrun; one for each GPU as a rule.")
    code: str = Field(default="model", description="Directory of the training code, relative to the project.")
    image: str | None = Field(default=None, min_length=1, description="By default PAI's own with PyTorch.")
    instance_name: InstanceName | None = Field(default=None, description="By default TRAINING_STACK.")
    mounts: list[MountSettings] = Field(default_factory=list, description="Further ones, for weights say.")
    idle_shutdown: IdleShutdownSettings = Field(
        default=IdleShutdownSettings(after_min=15), description="A net, should the run not stop its machine."
    )
    stop_after_hours: int = Field(default=12, ge=1, le=720, description="The other net.")
    timeout_min: int = Field(default=20, ge=1, le=240, description="How long `pulumi up` waits for the machine.")

    @model_validator(mode="after")
    def _has_one_machine(self) -> Self:
        given = [name for name in ("machine", "instance_type", "quota") if name in self.model_fields_set]
        if len([name for name in given if getattr(self, name) is not None]) > 1:
            raise ValueError(f"found {' and '.join(given)}; allowed: one of machine, instance_type and quota")
        return self

    @model_validator(mode="after")
    def _mounts_apart(self) -> Self:
        if taken := {mount.path for mount in self.mounts} & {DATA_MOUNT, MODELS_MOUNT, CODE_MOUNT, WORKSPACE}:
            raise ValueError(f"{min(taken)} is mounted by the run itself; choose another path")
        return self


def registry_problems(
    runs: Mapping[str, TrainingSettings], models: Mapping[str, RegisteredModelSettings]
) -> Iterator[Problem]:
    """Runs whose versions would be registered in one workspace while their model stands in another."""
    for name, run in runs.items():
        registered = models.get(run.model)
        if registered is not None and registered.workspace_id != run.workspace_id:
            yield Problem(
                ("training", name, "workspace_id"),
                f"found {run.workspace_id}, but models.{run.model} is registered in workspace "
                f"{registered.workspace_id}; give both the same",
            )


def notebook_settings(settings: TrainingSettings, environment: dict[str, str]) -> NotebookSettings:
    """The DSW instance that the run is."""
    data = settings.data
    source = {"store": data.store} if data.store else {"dataset": data.dataset, "version": data.version}
    models = MountSettings(path=MODELS_MOUNT, store=f"models/{settings.model}/")
    machine = None if settings.quota else settings.instance_type or MACHINES[settings.machine]
    return NotebookSettings(
        instance_name=settings.instance_name,
        workspace_id=settings.workspace_id,
        instance_type=machine,
        quota=settings.quota,
        image=settings.image,
        mounts=[MountSettings(path=DATA_MOUNT, read_only=True, **source), models, *settings.mounts],
        code=settings.code,
        start_command=start_command(settings),
        environment=environment,
        own_role=True,
        idle_shutdown=settings.idle_shutdown,
        stop_after_hours=settings.stop_after_hours,
        timeout_min=settings.timeout_min,
        restart_to_update=True,
    )


def start_command(settings: TrainingSettings) -> str:
    """Trains, stores the version, and stops the machine, also when training failed; run anew, it goes on or keeps.

    The log lies beside the versions, so that it outlasts the machine.
    """
    python = "python3"
    if settings.processes > 1:
        python = f"python3 -m torch.distributed.run --standalone --nproc-per-node {settings.processes}"
    out = ["--out", f"{WORKSPACE}/artefact", "--name", settings.model, "--logs", f"{MODELS_MOUNT}/.logs"]
    train = shlex.join(["-m", "model.train", "--data", DATA_MOUNT, *out, *settings.recipe.options()])
    return f"""\
cd {WORKSPACE}
ln -sfn {CODE_MOUNT} model
{{ python3 -m pip install --quiet --disable-pip-version-check --requirement model/requirements.txt \\
  && {python} {train} \\
  && python3 -m model.deliver {WORKSPACE}/artefact {MODELS_MOUNT} \\
  && echo done || echo failed; }} 2>&1 | python3 -m model.record {MODELS_MOUNT}/.training.log
python3 -m model.release
"""
