"""What the emulated DSW remembers, as documents of the store."""

from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

Target = Literal["running", "stopped", "deleted"]
Status = Literal[
    "Creating", "ResourceAllocating", "EnvPreparing", "Starting", "Running", "Saving", "Saved", "SaveFailed",
    "Stopping", "Stopped", "Failed", "Recovering", "Deleting",
]  # fmt: skip
SnapshotStatus = Literal["Committing", "Pushing", "Failed", "Saved"]

# While an instance is in one of these, its processes run, and its running time counts.
UP = frozenset({"Running", "Saving", "Saved", "SaveFailed"})
DOWN = frozenset({"Stopped", "Failed"})


class StartedProcess(NamedTuple):
    """A pid, and the start time that tells it from a later process with the same one."""

    pid: int
    started: float


class Instance(BaseModel):
    """`settings` are under the names of the API, as they were sent. `target` is what is wanted, `status` what is.

    `port` is where the notebook listens, `token` what opens it. `session` counts the starts.
    """

    id: str
    region: str
    user_id: str
    settings: dict[str, Any]
    labels: dict[str, str]
    tags: dict[str, str]
    created_at: datetime
    modified_at: datetime
    token: str
    status: Status = "Creating"
    reason_code: str = ""
    reason_message: str = ""
    target: Target = "running"
    save_before_stop: bool = False
    port: int = 0
    session: int = 1
    processes: list[StartedProcess] = []
    accumulated_ms: int = 0
    running_since: datetime | None = None

    @property
    def name(self) -> str:
        return str(self.settings["InstanceName"])

    @property
    def workspace_id(self) -> str:
        return str(self.settings["WorkspaceId"])

    @property
    def user_command_id(self) -> str:
        """Empty when the instance has no start command."""
        return f"uc-{self.id.removeprefix('dsw-')}" if "UserCommand" in self.settings else ""

    def running_ms(self, now: datetime) -> int:
        """For how long it has been running, in all its sessions together, by the emulated clock."""
        running = (now - self.running_since).total_seconds() * 1000 if self.running_since else 0
        return self.accumulated_ms + int(running)


class Passage(BaseModel):
    """A status that an instance was in, during one session (from a start to the next stop)."""

    id: str
    session: int
    status: Status
    reason_code: str
    reason_message: str
    began_at: datetime
    ended_at: datetime | None = None


class Event(BaseModel):
    time: datetime
    level: Literal["Normal", "Warning"]
    message: str


class Culler(BaseModel):
    """Stops an instance that was idle for `max_idle_minutes`; thresholds in percent."""

    max_idle_minutes: int
    cpu_percent: int | None
    gpu_percent: int | None


class ShutdownTimer(BaseModel):
    due: datetime
    created_at: datetime


class Snapshot(BaseModel):
    """An image made of an instance. `image_id` is known once it is saved."""

    id: str
    instance_id: str
    name: str
    image_url: str
    description: str = ""
    labels: dict[str, str] = {}
    exclude_paths: list[str] = []
    created_at: datetime
    modified_at: datetime
    image_id: str = ""
    status: SnapshotStatus = "Committing"
    reason_code: str = ""
    reason_message: str = ""
