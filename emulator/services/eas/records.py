"""What the emulated EAS remembers, as documents of the store."""

from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from emulator.services.eas.traffic.records import Mirror

Target = Literal["running", "stopped", "deleted"]
Operation = Literal["", "create", "update", "restart", "scale", "start"]
InstanceStatus = Literal["Pending", "Running", "Failed", "Terminating"]


class ServiceKey(NamedTuple):
    """Names are unique within a region."""

    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.region}/{self.name}"


class Revision(NamedTuple):
    """What an instance was made from: a version of the service JSON, and which restart of the service."""

    version: int
    generation: int


class Rollout(BaseModel):
    """How updates of a service go on: in batches, or up to a partition when `partition` is not empty.

    `update` is the revision that the last update made, or makes; `current` what instances run that it has not
    reached, None before the first update. `released` instances may be updated by now; `batch_ready_at` is when all of
    them were.
    """

    batch_size: str = ""
    interval: str = "0s"
    interval_s: int = 0
    partition: str = ""
    paused: bool = False
    current: Revision | None
    update: Revision
    released: int = 0
    batch_ready_at: datetime | None = None


class Service(BaseModel):
    """What is wanted of a service.

    `operation` is the change under way, until the instances have followed it; `first_to_go` names the instances that
    a scale-in should end before others. `traffic_state` and `weight` are its part in its group's traffic.
    """

    region: str
    name: str
    id: str
    token: str
    config: dict[str, Any]
    labels: dict[str, str]
    workspace_id: str
    created_at: datetime
    updated_at: datetime
    version: int = 1
    latest_version: int = 1
    generation: int = 0
    target: Target = "running"
    operation: Operation = "create"
    first_to_go: list[str] = []
    traffic_state: Literal["standalone", "grouping"] = "standalone"
    weight: int = -1
    mirror: Mirror | None = None
    safety_lock: Literal["all", "dangerous", "none"] = "none"
    rollout: Rollout | None = None

    @property
    def key(self) -> ServiceKey:
        return ServiceKey(self.region, self.name)

    @property
    def revision(self) -> Revision:
        return Revision(self.version, self.generation)

    @property
    def replicas(self) -> int:
        """How many instances are wanted."""
        return int(self.config["metadata"]["instance"]) if self.target == "running" else 0


class Version(BaseModel):
    """One version of a service's JSON."""

    number: int
    config: dict[str, Any]
    built_at: datetime


class LastState(BaseModel):
    """How an instance's container ended the last time."""

    reason: str
    message: str
    exit_code: int | None
    started_at: datetime | None
    finished_at: datetime


class Instance(BaseModel):
    """One instance. `pid` and `process_started` name the process that runs for it, as long as one does.

    Once it is `placed`, `host` is a machine of the resource group `resource`; both are empty in the public group. One
    that is `leaving` loses its machine, and is to be replaced before `leaves_at`, if that is known.
    """

    name: str
    version: int
    generation: int
    created_at: datetime
    status: InstanceStatus = "Pending"
    reason: str = ""
    ready: bool = False
    restart_count: int = 0
    started_at: datetime | None = None
    port: int = 0
    pid: int | None = None
    process_started: float = 0.0
    last_state: LastState | None = None
    placed: bool = False
    resource: str = ""
    host: str = ""
    machine_type: str = ""
    spot: bool = False
    leaving: bool = False
    leaves_at: datetime | None = None

    @property
    def revision(self) -> Revision:
        return Revision(self.version, self.generation)


class Event(BaseModel):
    """`resource` is `Service` or `Pod`; `instance` is empty for events of the service itself."""

    time: datetime
    type: Literal["Normal", "Warning"]
    resource: Literal["Service", "Pod"]
    reason: str
    message: str
    instance: str = ""
