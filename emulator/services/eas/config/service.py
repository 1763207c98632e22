"""The service JSON as a whole."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from emulator.services.eas.config.containers import Container
from emulator.services.eas.config.metadata import Metadata, ServiceName
from emulator.services.eas.config.section import Quantity, Section, Text
from emulator.services.eas.config.storage import Storage


class ComputingInstance(Section):
    """One kind of machine to try. `spot_price_limit` present means spot, `capacity` bounds how many of this kind."""

    type: Text
    spot_price_limit: float | None = Field(None, gt=0)
    capacity: Quantity | None = None


class Computing(Section):
    instance_type: Text | None = None
    instances: list[ComputingInstance] | None = None
    disable_spot_protection_period: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.instance_type is not None and self.instances:
            raise ValueError("give instance_type or instances, not both")
        return self


class Vpc(Section):
    vpc_id: Text | None = None
    vswitch_id: Text | None = None
    security_group_id: Text | None = None


class Cloud(Section):
    computing: Computing = Computing()
    networking: Vpc = Vpc()


class Limit(Section):
    enable: bool
    limit: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _enabled_with_a_limit(self) -> Self:
        if self.enable and self.limit < 1:
            raise ValueError("an enabled limit must be at least 1")
        return self


class GatewayPolicy(Section):
    """Limits of the whole service: requests a second, and requests in flight."""

    rate_limit: Limit | None = None
    concurrency_limit: Limit | None = None


class Nlb(Section):
    id: Text
    listener_port: int = Field(ge=1, le=65535)
    net_type: Literal["intranet", "internet"] = Field("intranet", alias="netType")


class Networking(Section):
    gateway: Text | None = None
    gateway_policy: GatewayPolicy = GatewayPolicy()
    nlb: list[Nlb] = Field([])


class ScaleStrategy(Section):
    metric_name: Text = Field(alias="metricName")
    threshold: float = Field(gt=0)
    service: Text | None = None


class Autoscaler(Section):
    """Both documented forms: `strategies` of the JSON page, `scaleStrategies` as in CreateServiceAutoScaler."""

    min: int = Field(ge=0)
    max: int = Field(ge=1)
    strategies: dict[str, float] | None = None
    scale_strategies: list[ScaleStrategy] | None = Field(None, alias="scaleStrategies")
    behavior: dict[str, dict[str, int]] = Field({})


class Runtime(Section):
    enable_crash_block: bool = False


class Unit(Section):
    size: int = Field(2, ge=1)


class Sinker(Section):
    type: Literal["maxcompute", "sls"]
    config: dict[str, dict[str, Text]] = Field({})


class Confidential(Section):
    trustee_endpoint: Text
    decryption_key: Text


class ServiceConfig(Section):
    """What one version of a service is. `metadata.name` and `name` are the same; one of them is enough."""

    metadata: Metadata
    name: ServiceName | None = None
    token: Annotated[Text, Field(min_length=1)] | None = None
    labels: dict[str, Text] = Field({})
    containers: list[Container] = Field([], max_length=1)
    cloud: Cloud = Cloud()
    networking: Networking = Networking()
    storage: list[Storage] = Field([])
    autoscaler: Autoscaler | None = None
    runtime: Runtime = Runtime()
    unit: Unit | None = None
    sinker: Sinker | None = None
    confidential: Confidential | None = None
    aimaster: dict[str, Any] | None = None
    features: dict[str, Any] = Field({})
    metrics: list[dict[str, Any]] = Field([])
    docker_auth: Text | None = Field(None, alias="dockerAuth")
    processor: Text | None = None
    processor_path: Text | None = None
    processor_entry: Text | None = None
    processor_mainclass: Text | None = None
    processor_type: Literal["", "cpp", "java", "python"] | None = None
    model_path: Text | None = None
    model_entry: Text | None = None
    model_config_text: Text | dict[str, Any] | None = Field(None, alias="model_config")
    oss_endpoint: Text | None = None
    role_arn: Text | None = None
    warm_up_data_path: Text | None = None
    workspace_id: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.metadata.name is None and self.name is None:
            raise ValueError("metadata.name is required and is missing")
        if self.name is not None and self.metadata.name not in (None, self.name):
            raise ValueError(f"metadata.name {self.metadata.name!r} and name {self.name!r} differ; give one of them")
        if not self.containers and not self.processor and not self.processor_path:
            raise ValueError("nothing to run: give containers, processor or processor_path")
        paths = [mount.mount_path.rstrip("/") for mount in self.storage]
        if len(set(paths)) < len(paths):
            raise ValueError("two storage entries have the same mount_path")
        return self

    @property
    def service_name(self) -> str:
        name = self.metadata.name or self.name
        assert name is not None  # noqa: S101 - checked above
        return name

    @property
    def instance_type(self) -> str:
        """The first kind of machine that is asked for, or nothing."""
        computing = self.cloud.computing
        if computing.instances:
            return computing.instances[0].type
        return computing.instance_type or ""
