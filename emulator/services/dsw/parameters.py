"""The bodies of CreateInstance and UpdateInstance: what can be said of an instance, and what contradicts itself."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from emulator.operations import Parameters
from emulator.services.dsw.storage import SYSTEM_DISK, ChangedDisk, CloudDisk, Dataset, DynamicMount

InstanceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,27}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Pair(Parameters):
    key: str = Field(alias="Key", min_length=1, max_length=128)
    value: str = Field("", alias="Value", max_length=256)


class RequestedResource(Parameters):
    """All are texts. `memory` and `shared_memory` need their unit (`16GB`): without one the cloud takes the request,
    and the instance fails as it starts."""

    cpu: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")] = Field(alias="CPU")
    memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+(GB|Gi)?$")] = Field(alias="Memory")
    shared_memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+(GB|Gi)?$")] | None = Field(
        None, alias="SharedMemory"
    )
    gpu: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] | None = Field(None, alias="GPU")
    gpu_type: str | None = Field(None, alias="GPUType")


class CpuAffinity(Parameters):
    enable: bool = Field(False, alias="Enable")


class Affinity(Parameters):
    cpu: CpuAffinity | None = Field(None, alias="CPU")


class AssignNodeSpec(Parameters):
    node_names: str | None = Field(None, alias="NodeNames")
    anti_affinity_node_names: str | None = Field(None, alias="AntiAffinityNodeNames")


class OnStart(Parameters):
    content: str = Field("", alias="Content")


class UserCommand(Parameters):
    on_start: OnStart | None = Field(None, alias="OnStart")


class SpotSpec(Parameters):
    """All are texts, and their values are documented nowhere."""

    strategy: str | None = Field(None, alias="SpotStrategy")
    price_limit: str | None = Field(None, alias="SpotPriceLimit")
    duration: str | None = Field(None, alias="SpotDuration")
    discount_limit: str | None = Field(None, alias="SpotDiscountLimit")


class ForwardInfo(Parameters):
    access_type: list[str] | None = Field(None, alias="AccessType")
    container_name: str | None = Field(None, alias="ContainerName")
    eip_allocation_id: str | None = Field(None, alias="EipAllocationId")
    enable: bool | None = Field(None, alias="Enable")
    external_port: str | None = Field(None, alias="ExternalPort")
    forward_port: str | None = Field(None, alias="ForwardPort")
    name: str | None = Field(None, alias="Name")
    nat_gateway_id: str | None = Field(None, alias="NatGatewayId")
    nlb_gateway_id: str | None = Field(None, alias="NlbGatewayId")
    ssh_public_key: str | None = Field(None, alias="SSHPublicKey")


class UserVpc(Parameters):
    """It is kept and answered; there are no networks here."""

    vpc_id: str = Field(alias="VpcId", min_length=1)
    v_switch_id: str | None = Field(None, alias="VSwitchId")
    security_group_id: str | None = Field(None, alias="SecurityGroupId")
    default_route: Literal["eth0", "eth1"] | None = Field(None, alias="DefaultRoute")
    extended_cidrs: list[str] | None = Field(None, alias="ExtendedCIDRs")
    forward_infos: list[ForwardInfo] | None = Field(None, alias="ForwardInfos")
    bandwidth_limit: dict[str, Any] | None = Field(None, alias="BandwidthLimit")

    @model_validator(mode="after")
    def _names_networks(self) -> Self:
        if self.v_switch_id and not self.extended_cidrs:
            raise ValueError("ExtendedCIDRs must name every CIDR block of the VPC when VSwitchId is given")
        return self


class InstanceSettings(Parameters):
    """What both bodies have; every field may be left out here."""

    instance_name: InstanceName | None = Field(None, alias="InstanceName")
    ecs_spec: str | None = Field(None, alias="EcsSpec", min_length=1)
    requested_resource: RequestedResource | None = Field(None, alias="RequestedResource")
    image_id: str | None = Field(None, alias="ImageId", min_length=1)
    image_url: str | None = Field(None, alias="ImageUrl", min_length=1)
    image_auth: str | None = Field(None, alias="ImageAuth", repr=False)
    accessibility: Literal["PUBLIC", "PRIVATE"] | None = Field(None, alias="Accessibility")
    affinity: Affinity | None = Field(None, alias="Affinity")
    assign_node_spec: AssignNodeSpec | None = Field(None, alias="AssignNodeSpec")
    credential_config: dict[str, Any] | None = Field(None, alias="CredentialConfig")
    datasets: list[Dataset] | None = Field(None, alias="Datasets")
    driver: str | None = Field(None, alias="Driver")
    dynamic_mount: DynamicMount | None = Field(None, alias="DynamicMount")
    environment_variables: dict[VariableName, str] | None = Field(None, alias="EnvironmentVariables")
    migration_options: dict[str, Any] | None = Field(None, alias="MigrationOptions")
    oversold_type: str | None = Field(None, alias="OversoldType")
    priority: int | None = Field(None, alias="Priority", ge=1, le=9)
    spot_spec: SpotSpec | None = Field(None, alias="SpotSpec")
    user_command: UserCommand | None = Field(None, alias="UserCommand")
    user_id: str | None = Field(None, alias="UserId")
    user_vpc: UserVpc | None = Field(None, alias="UserVpc")
    workspace_source: str | None = Field(None, alias="WorkspaceSource")


class CreateInstance(InstanceSettings):
    instance_name: InstanceName = Field(alias="InstanceName")
    workspace_id: str = Field(alias="WorkspaceId", min_length=1)
    resource_id: str | None = Field(None, alias="ResourceId")
    access_restriction_rules: dict[str, str] | None = Field(None, alias="AccessRestrictionRules")
    cloud_disks: list[CloudDisk] | None = Field(None, alias="CloudDisks")
    docker_config: dict[str, Any] | None = Field(None, alias="DockerConfig")
    labels: list[Pair] = Field([], alias="Labels")
    tag: list[Pair] = Field([], alias="Tag")


class UpdateInstance(InstanceSettings):
    cloud_disks: list[ChangedDisk] | None = Field(None, alias="CloudDisks")
    start_instance: bool = Field(False, alias="StartInstance")
    disassociate_assign_node: bool = Field(False, alias="DisassociateAssignNode")
    disassociate_credential: bool = Field(False, alias="DisassociateCredential")
    disassociate_datasets: bool = Field(False, alias="DisassociateDatasets")
    disassociate_driver: bool = Field(False, alias="DisassociateDriver")
    disassociate_environment_variables: bool = Field(False, alias="DisassociateEnvironmentVariables")
    disassociate_forward_infos: bool = Field(False, alias="DisassociateForwardInfos")
    disassociate_migration_options: bool = Field(False, alias="DisassociateMigrationOptions")
    disassociate_spot: bool = Field(False, alias="DisassociateSpot")
    disassociate_user_command: bool = Field(False, alias="DisassociateUserCommand")
    disassociate_vpc: bool = Field(False, alias="DisassociateVpc")

    def removed(self) -> set[str]:
        """The settings that its `Disassociate...` switches take away, by their names in the API."""
        switches = {
            "AssignNodeSpec": self.disassociate_assign_node,
            "CredentialConfig": self.disassociate_credential,
            "Datasets": self.disassociate_datasets,
            "Driver": self.disassociate_driver,
            "EnvironmentVariables": self.disassociate_environment_variables,
            "MigrationOptions": self.disassociate_migration_options,
            "SpotSpec": self.disassociate_spot,
            "UserCommand": self.disassociate_user_command,
            "UserVpc": self.disassociate_vpc,
        }
        return {name for name, taken in switches.items() if taken}


class WholeSettings(InstanceSettings):
    """The settings of an instance as a whole, with the rules that hold between them (the parameters' descriptions in
    CreateInstance)."""

    instance_name: InstanceName = Field(alias="InstanceName")
    workspace_id: str = Field(alias="WorkspaceId")
    resource_id: str | None = Field(None, alias="ResourceId")
    access_restriction_rules: dict[str, str] | None = Field(None, alias="AccessRestrictionRules")
    cloud_disks: list[CloudDisk] | None = Field(None, alias="CloudDisks")
    docker_config: dict[str, Any] | None = Field(None, alias="DockerConfig")

    @property
    def start_command(self) -> str:
        on_start = self.user_command.on_start if self.user_command else None
        return on_start.content if on_start else ""

    @model_validator(mode="after")
    def _has_one_machine(self) -> Self:
        if (self.ecs_spec is None) == (self.resource_id is None):
            raise ValueError("give either EcsSpec (pay-as-you-go) or ResourceId (a quota), and not both")
        if self.resource_id and self.requested_resource is None:
            raise ValueError("RequestedResource must say what is taken from the quota ResourceId")
        if self.ecs_spec and self.requested_resource is not None:
            raise ValueError("RequestedResource goes with ResourceId; EcsSpec says by itself what the machine has")
        if self.ecs_spec and self.affinity and self.affinity.cpu and self.affinity.cpu.enable:
            raise ValueError("Affinity.CPU is for instances of a quota (ResourceId) only")
        return self

    @model_validator(mode="after")
    def _has_one_image(self) -> Self:
        if (self.image_id is None) == (self.image_url is None):
            raise ValueError("give either ImageId or ImageUrl")
        return self

    @model_validator(mode="after")
    def _mounts_apart(self) -> Self:
        datasets = self.datasets or []
        paths = [dataset.mount_path for dataset in datasets]
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise ValueError(f"Datasets has two entries for the mount path {twice}")
        roots = [point.root_path for point in self.dynamic_mount.mount_points] if self.dynamic_mount else []
        for dataset in datasets:
            if dataset.dynamic and not any(dataset.mount_path.startswith(f"{root}/") for root in roots):
                raise ValueError(
                    f"the dynamic dataset at {dataset.mount_path} must be under a RootPath of DynamicMount.MountPoints"
                )
        return self

    @model_validator(mode="after")
    def _works_somewhere(self) -> Self:
        source = self.workspace_source
        if source is None or source == SYSTEM_DISK:
            return self
        dataset = self.working_dataset()
        if dataset is None:
            raise ValueError(f"WorkspaceSource must be {SYSTEM_DISK}, or the mount path or id of one of Datasets")
        if dataset.dynamic or (dataset.uri or "").startswith("oss://"):
            raise ValueError("WorkspaceSource cannot be an OSS dataset or one that is mounted dynamically")
        return self

    def working_dataset(self) -> Dataset | None:
        """The dataset that the working directory is: the one that WorkspaceSource names, if it names one."""
        source = (self.workspace_source or "").rstrip("/")
        matching = [each for each in self.datasets or [] if source and source in (each.mount_path, each.dataset_id)]
        return matching[0] if matching else None
