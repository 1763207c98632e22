"""DSW's own description of a notebook instance, made from settings.

Parameters and their meaning: https://www.alibabacloud.com/help/en/pai/developer-reference/api-pai-dsw-2022-01-01-createinstance.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.machine_types import MachineType, has_gpu
from components.settings import Secret, Settings, short_name

if TYPE_CHECKING:
    from pulumi import Input

CODE_MOUNT = "/mnt/code"

# Published by PAI in every region; the newest ones are listed in the console where an instance is created.
_IMAGES = "dsw-registry-vpc.{region}.cr.aliyuncs.com/pai/modelscope"
_CPU_IMAGE = "1.34.0-pytorch2.3.1-cpu-py311-ubuntu22.04"
_GPU_IMAGE = "1.31.0-pytorch2.8.0-gpu-py311-cu124-ubuntu22.04"

MountPath = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$", max_length=255)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
InstanceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,27}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)+$")]

_LONGEST_NAME = 27

# Set by DSW itself, or by us for torchrun.
_OWN_VARIABLES = ("DSW_INSTANCE_ID", "NNODES", "NPROC_PER_NODE")


class QuotaSettings(Settings):
    """A share of a resource quota, which is paid for by subscription."""

    id: str = Field(pattern=r"^quota[a-z0-9]+$", description="Of the quota, as the console shows it.")
    cpu: int = Field(ge=1, le=1000)
    memory_gb: int = Field(ge=1, le=10_000)
    shared_memory_gb: int | None = Field(default=None, ge=1, le=10_000)
    gpus: int = Field(default=0, ge=0, le=16)
    gpu_type: Literal["V100", "A100", "T4", "A10", "P100"] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.gpu_type is not None and not self.gpus:
            raise ValueError("gpu_type is given, but gpus is 0")
        return self


class MountSettings(Settings):
    """Data that the notebook sees as a directory; from the stack's own bucket, an address, or a dataset of PAI."""

    path: MountPath = Field(description="Where the notebook sees it, for example /mnt/data.")
    store: Prefix | None = Field(default=None, description="Directory in the stack's bucket, for example datasets/.")
    uri: (
        Annotated[
            str,
            StringConstraints(pattern=r"^(oss|nas|cpfs|bmcpfs)://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9._-]+)*/$"),
        ]
        | None
    ) = Field(default=None, description="oss://BUCKET.oss-REGION-internal.aliyuncs.com/PATH/, or nas://, cpfs://.")
    dataset: Annotated[str, StringConstraints(pattern=r"^d-[a-z0-9]+$")] | None = Field(
        default=None, description="Id of a dataset of PAI."
    )
    version: Annotated[str, StringConstraints(pattern=r"^v[1-9][0-9]*$")] | None = Field(
        default=None, description="Of the dataset; v1 by default."
    )
    read_only: bool = False
    options: dict[str, str] = Field(default_factory=dict, description="Mount options; OSS only.")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        given = [name for name in ("store", "uri", "dataset") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"a mount has one of store, uri and dataset; found {found}")
        if self.version is not None and self.dataset is None:
            raise ValueError("version is of a dataset; leave it out, or name the dataset")
        if self.options and self.uri is not None and not self.is_oss:
            raise ValueError("options are for OSS only, and uri is a file system")
        return self

    @property
    def is_oss(self) -> bool:
        """Whether it is surely OSS; what a dataset is, only PAI knows."""
        return self.store is not None or (self.uri or "").startswith("oss://")


class VpcSettings(Settings):
    """The private network that the notebook is connected to."""

    vpc_id: str = Field(pattern=r"^vpc-[a-z0-9]+$")
    vswitch_id: str = Field(pattern=r"^vsw-[a-z0-9]+$")
    security_group_id: str = Field(pattern=r"^sg-[a-z0-9]+$")
    cidrs: list[Annotated[str, StringConstraints(pattern=r"^[0-9.]+/[0-9]{1,2}$")]] = Field(
        min_length=1, description="Every CIDR block of the VPC; DSW needs them when a vSwitch is given."
    )
    internet: Literal["dsw", "vpc"] = Field(
        default="dsw", description="Through which gateway the internet is reached: DSW's own, or the VPC's."
    )


class IdleShutdownSettings(Settings):
    """Stops the notebook when it was idle: processors, and GPUs if it has some, below these thresholds."""

    after_min: int = Field(default=60, ge=1, le=10_080)
    cpu_percent: int = Field(default=10, ge=1, le=100)
    gpu_percent: int = Field(default=10, ge=1, le=100)


class SnapshotSettings(Settings):
    """An image made of the notebook once it runs, from which others can be started."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
    image: Annotated[str, StringConstraints(pattern=r"^\S+:[\w.-]+$")] = Field(
        description="REGISTRY/NAMESPACE/REPOSITORY:TAG to push to."
    )
    description: str = ""
    exclude_paths: list[MountPath] = Field(default_factory=list)
    overwrite: bool = Field(default=False, description="Replace an image that is there already.")


class SpotSettings(Settings):
    """A cheaper machine that Alibaba Cloud may take back. DSW does not document its values; these are ECS's."""

    max_price_cny_per_hour: float | None = Field(default=None, gt=0, description="By default whatever it costs.")


class DistributedSettings(Settings):
    """Processes of one training job, for torchrun: one for each GPU as a rule."""

    machines: int = Field(default=1, ge=1)
    processes_per_machine: int = Field(default=1, ge=1, le=16)

    @model_validator(mode="after")
    def _is_one_machine(self) -> Self:
        if self.machines > 1:
            raise ValueError(
                f"machines is {self.machines}, but a DSW instance is one machine: raise processes_per_machine and take "
                "a machine with more GPUs, or use PAI-DLC (Deep Learning Containers), which runs jobs on several"
            )
        return self


class NotebookSettings(Settings):
    """One notebook instance on PAI-DSW."""

    instance_name: InstanceName | None = Field(
        default=None, description="Unique in the workspace; by default NOTEBOOK_STACK."
    )
    workspace_id: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] = Field(
        description="PAI workspace that the notebook belongs to; it must exist."
    )
    instance_type: MachineType | None = Field(
        default=None, description="Pay-as-you-go machine, such as ecs.gn7i-c8g1.2xlarge (A10); or give a quota."
    )
    quota: QuotaSettings | None = Field(default=None, description="In place of instance_type.")
    image: str | None = Field(
        default=None, min_length=1, description="URL, or id (image-...); by default PAI's own with PyTorch."
    )
    mounts: list[MountSettings] = Field(default_factory=list)
    code: str | None = Field(
        default=None, description=f"File or directory of the project, which the notebook finds in {CODE_MOUNT}."
    )
    working_directory: MountPath | None = Field(
        default=None, description="Mount path that /mnt/workspace becomes: NAS or CPFS; by default the system disk."
    )
    start_command: str = Field(default="", description="Shell script that is run at every start.")
    environment: dict[VariableName, str] = Field(default_factory=dict)
    secrets: dict[VariableName, Secret] = Field(
        default_factory=dict, description="Environment variables that stay encrypted in file and state."
    )
    access: Literal["private", "workspace"] = Field(
        default="private", description="Who sees it: its owner, or everybody in the workspace."
    )
    vpc: VpcSettings | None = None
    idle_shutdown: IdleShutdownSettings | None = Field(
        default_factory=IdleShutdownSettings, description="null turns it off."
    )
    stop_after_hours: int | None = Field(
        default=12, ge=1, le=720, description="Stopped so long after it was made, whatever it does; null turns it off."
    )
    own_role: bool = Field(
        default=False, description="Give programs in it the credentials of PAI's default role in the account."
    )
    snapshot: SnapshotSettings | None = None
    priority: int | None = Field(default=None, ge=1, le=9, description="In the queue of a quota; 9 comes first.")
    spot: SpotSettings | None = None
    distributed: DistributedSettings = DistributedSettings()
    labels: dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], str] = Field(default_factory=dict)
    restart_to_update: bool = Field(
        default=False, description="Let `pulumi up` stop and start it for changes that need that; what runs in it ends."
    )
    adopt: bool = Field(default=False, description="Take over an instance of that name, should there be one.")
    timeout_min: int = Field(default=20, ge=1, le=240, description="How long `pulumi up` waits for it to run.")

    @model_validator(mode="after")
    def _has_one_machine(self) -> Self:
        if (self.instance_type is None) == (self.quota is None):
            raise ValueError("give either instance_type (pay-as-you-go) or quota (subscription), and not both")
        if self.quota is not None and self.spot is not None:
            raise ValueError("spot is for pay-as-you-go machines, and a quota is paid for already; keep one of them")
        if self.quota is None and self.priority is not None:
            raise ValueError("priority is a place in the queue of a quota, and there is none; leave it out")
        if self.quota is not None and self.quota.gpus and self.distributed.processes_per_machine > self.quota.gpus:
            raise ValueError("distributed.processes_per_machine is more than quota.gpus; they should be equal")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.quota is None and self.idle_shutdown is None and self.stop_after_hours is None:
            raise ValueError(
                "idle_shutdown and stop_after_hours are both off, so that the machine would bill for ever; keep one"
            )
        return self

    @model_validator(mode="after")
    def _mounts_apart(self) -> Self:
        paths = [mount.path for mount in self.mounts] + ([CODE_MOUNT] if self.code else [])
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise ValueError(f"{twice} is mounted twice{', by code and by mounts' if twice == CODE_MOUNT else ''}")
        if self.working_directory is not None:
            at = {mount.path: mount for mount in self.mounts}.get(self.working_directory)
            if at is None:
                raise ValueError(f"working_directory {self.working_directory} is not the path of one of mounts")
            if at.is_oss:
                raise ValueError("DSW cannot work in OSS: working_directory must be a mount of NAS or CPFS")
        return self

    @model_validator(mode="after")
    def _names_variables_once(self) -> Self:
        for name in _OWN_VARIABLES:
            if name in self.environment or name in self.secrets:
                raise ValueError(f"{name} is set by DSW or paistack; leave it out")
        if twice := sorted(self.environment.keys() & self.secrets.keys()):
            raise ValueError(f"{twice[0]} is both in environment and in secrets; keep one of them")
        return self

    @property
    def has_gpu(self) -> bool:
        """Whether it runs on a machine, or in a quota, with GPUs."""
        if self.quota is not None:
            return self.quota.gpus > 0
        return has_gpu(self.instance_type or "")


# The role that PAI assumes for its users, as a variable that the SDKs' default chain of credentials looks at.
_DEFAULT_ROLE = {
    "Enable": True,
    "AliyunEnvRoleKey": "0",
    "Configs": [{"Key": "0", "Type": "Role", "Roles": [{"RoleType": "service"}]}],
}


def default_instance_name(name: str, stack: str) -> str:
    """No longer than DSW allows."""
    return short_name(name, stack, _LONGEST_NAME)


def instance_settings(
    settings: NotebookSettings, *, region: str, store_uri: "Input[str]", code_uri: "Input[str] | None"
) -> dict[str, Any]:
    """The body of CreateInstance, without names, labels and environment.

    `store_uri` is of the stack's bucket, `code_uri` of the code's directory in it, both oss:// with a slash at the end.
    """
    code = [{"Uri": code_uri, "MountPath": CODE_MOUNT, "MountAccess": "RO"}] if code_uri is not None else []
    optional = {
        "Datasets": [_dataset(mount, store_uri) for mount in settings.mounts] + code,
        "UserVpc": _vpc(settings.vpc) if settings.vpc else None,
        "Priority": settings.priority,
        "SpotSpec": _spot(settings.spot) if settings.spot else None,
        "WorkspaceSource": settings.working_directory,
        "CredentialConfig": _DEFAULT_ROLE if settings.own_role else None,
        "UserCommand": {"OnStart": {"Content": settings.start_command}} if settings.start_command else None,
    }
    return {
        **_machine(settings),
        **_image(settings, region),
        "Accessibility": {"private": "PRIVATE", "workspace": "PUBLIC"}[settings.access],
        **{name: value for name, value in optional.items() if value},
    }


def plain_environment(settings: NotebookSettings) -> dict[str, str]:
    """The variables that are no secrets. torchrun takes its number of machines and processes from them."""
    distributed = settings.distributed
    processes = {"NNODES": "1", "NPROC_PER_NODE": str(distributed.processes_per_machine)}
    return {**(processes if distributed.processes_per_machine > 1 else {}), **settings.environment}


def bucket_uri(bucket: str, region: str, prefix: str = "") -> str:
    """A directory of OSS as DSW mounts it, by the region's internal address."""
    return f"oss://{bucket}.oss-{region}-internal.aliyuncs.com/{prefix}"


def _machine(settings: NotebookSettings) -> dict[str, Any]:
    quota = settings.quota
    if quota is None:
        return {"EcsSpec": settings.instance_type}
    # The unit must be there: DSW takes a number alone, and the instance fails as it starts.
    asked = {
        "CPU": str(quota.cpu),
        "Memory": f"{quota.memory_gb}GB",
        "SharedMemory": f"{quota.shared_memory_gb}GB" if quota.shared_memory_gb else None,
        "GPU": str(quota.gpus),
        "GPUType": quota.gpu_type,
    }
    return {"RequestedResource": {name: value for name, value in asked.items() if value is not None}}


def _image(settings: NotebookSettings, region: str) -> dict[str, str]:
    if settings.image is None:
        return {"ImageUrl": f"{_IMAGES.format(region=region)}:{_GPU_IMAGE if settings.has_gpu else _CPU_IMAGE}"}
    return {"ImageId" if settings.image.startswith("image-") else "ImageUrl": settings.image}


def _dataset(mount: MountSettings, store_uri: "Input[str]") -> dict[str, Any]:
    options = {"Options": json.dumps(mount.options, sort_keys=True)} if mount.options else {}
    return {
        **_source(mount, store_uri),
        "MountPath": mount.path,
        "MountAccess": "RO" if mount.read_only else "RW",
        **options,
    }


def _source(mount: MountSettings, store_uri: "Input[str]") -> dict[str, Any]:
    if mount.dataset is not None:
        return {"DatasetId": mount.dataset, "DatasetVersion": mount.version or "v1"}
    if mount.uri is not None:
        return {"Uri": mount.uri}
    from pulumi import Output

    return {"Uri": Output.concat(store_uri, mount.store or "")}


def _vpc(vpc: VpcSettings) -> dict[str, Any]:
    return {
        "VpcId": vpc.vpc_id,
        "VSwitchId": vpc.vswitch_id,
        "SecurityGroupId": vpc.security_group_id,
        "ExtendedCIDRs": vpc.cidrs,
        "DefaultRoute": {"dsw": "eth0", "vpc": "eth1"}[vpc.internet],
    }


def _spot(spot: SpotSettings) -> dict[str, str]:
    limit = spot.max_price_cny_per_hour
    if limit is None:
        return {"SpotStrategy": "SpotAsPriceGo"}
    return {"SpotStrategy": "SpotWithPriceLimit", "SpotPriceLimit": f"{limit:g}"}
