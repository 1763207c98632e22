"""`metadata`: identity, size and behaviour of a service."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from emulator.services.eas.config.section import Quantity, Section, Text

# The vendor's deployment guide gives the rule; the JSON page only says "unique within the same region".
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{2,62}$")]
GRACE_PERIOD_KEY = "eas.termination_grace_period"


class Rpc(Section):
    """How an instance takes requests. Times in milliseconds, `rate_limit` in requests a second and instance.

    The defaults that are None here depend on what else is declared; `admission` and `gateway` say how.
    """

    keepalive: int | None = Field(None, ge=1)
    max_queue_size: int | None = Field(None, ge=1)
    worker_threads: int | None = Field(None, ge=1)
    rate_limit: int = Field(0, ge=0)
    enable_sigterm: bool = False
    io_threads: int = Field(4, ge=1)
    batching: bool = False
    max_batch_size: int = Field(16, ge=1)
    max_batch_timeout: int = Field(50, ge=0)
    proxy_path: Text | None = None


class RollingStrategy(Section):
    """How many instances an update may add (`max_surge`) and take away (`max_unavailable`): a number or `"20%"`."""

    max_surge: Quantity = "2%"
    max_unavailable: Quantity | None = None


class Spread(Section):
    policy: Literal["host", "zone", "default"] = "default"


class Scheduling(Section):
    spread: Spread = Spread()


class Metadata(Section):
    """Memory in MB, `shm_size` in GB, the termination grace period in seconds."""

    name: ServiceName | None = None
    instance: int = Field(ge=0, le=1000)
    workspace_id: Text | None = None
    group: ServiceName | None = None
    type: Text | None = None
    workload_type: Literal["elasticjob"] | None = None
    cpu: int | None = Field(None, ge=1)
    memory: int | None = Field(None, ge=1)
    gpu: int | None = Field(None, ge=0)
    gpu_memory: int | None = Field(None, ge=1)
    gpu_core_percentage: int | None = Field(None, ge=1, le=100)
    disk: Text | None = None
    shm_size: int | None = Field(None, ge=1)
    rdma: int | None = Field(None, ge=0)
    cuda: Text | None = None
    qos: Literal["", "BestEffort"] | None = None
    resource: Text | None = None
    resource_burstable: bool = False
    resource_rebalancing: bool = False
    scheduling: Scheduling = Scheduling()
    release: bool = False
    enable_grpc: bool = False
    enable_webservice: bool = False
    rolling_strategy: RollingStrategy = RollingStrategy()
    rpc: Rpc = Rpc()
    termination_grace_period: int = Field(30, ge=0, le=3600, alias=GRACE_PERIOD_KEY)

    @model_validator(mode="before")
    @classmethod
    def _fold_nested_grace_period(cls, values: Any) -> Any:
        """The page writes the key dotted; clients that expand dots send `eas: {termination_grace_period: 30}`."""
        if isinstance(values, dict) and isinstance(values.get("eas"), dict) and len(values["eas"]) == 1:
            (key, value), *_ = values["eas"].items()
            if key == "termination_grace_period" and GRACE_PERIOD_KEY not in values:
                return {name: item for name, item in values.items() if name != "eas"} | {GRACE_PERIOD_KEY: value}
        return values

    @property
    def max_surge(self) -> int:
        """Instances that an update may run beyond `instance`; a percentage is rounded up, and is at least one."""
        surge = self.rolling_strategy.max_surge
        return surge if isinstance(surge, int) else max(1, math.ceil(_share(surge) * self.instance))

    @property
    def max_unavailable(self) -> int:
        """Instances that an update may take away at once; by default 1 in a dedicated resource group, else 0."""
        unavailable = self.rolling_strategy.max_unavailable
        if unavailable is None:
            return 1 if self.resource else 0
        return unavailable if isinstance(unavailable, int) else math.floor(_share(unavailable) * self.instance)


def _share(percentage: str) -> float:
    return int(percentage.removesuffix("%")) / 100
