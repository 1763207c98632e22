"""EAS's own description of a service as JSON, made from settings.

Keys and their meaning: https://www.alibabacloud.com/help/en/pai/user-guide/parameters-of-model-services. Where EAS has
a default that we rely on, it is written out, since defaults differ between gateways and over time.
"""

import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from components.alarm_config import AlarmSettings
from components.alarm_rules import scale_of
from components.billing_config import BillingSettings, billing_problems, computing, placement
from components.machine_types import MachineType, has_gpu
from components.scaling_config import ScalingSettings
from components.settings import NAME_PATTERN, CountOrPercent, Problem, Secret, Settings, refuse

if TYPE_CHECKING:
    from pulumi import Input

MODEL_MOUNT = PurePosixPath("/mnt/model")
CODE_MOUNT = PurePosixPath("/mnt/code")

ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{2,62}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

_NONE: frozenset[CountOrPercent] = frozenset({0, "0%"})

# EAS keeps these two for its own sidecar.
_RESERVED_PORTS = (8080, 9090)
_OWN_VARIABLES = ("MODEL_DIR", "RUNTIME", "HOST", "PORT", "DRAIN_TIMEOUT_S")
_ONNX_RUNTIME = "onnxruntime==1.32.0"


class ModelSettings(Settings):
    """The model that a service runs."""

    name: Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
    artefact: str = Field(description="Directory that training wrote, relative to the project.")
    runtime: Literal["torchscript", "onnx"] = Field(
        default="torchscript", description="What runs it: torch its model.pt, or ONNX Runtime its model.onnx."
    )


class ProbeSettings(Settings):
    """When a replica counts as started, ready and alive: GET `path` answers with 2xx or 3xx."""

    path: Annotated[str, StringConstraints(pattern=r"^/\S*$")] = "/healthz"
    startup_timeout_s: int = Field(default=300, ge=1, le=3600)
    period_s: int = Field(default=5, ge=1, le=300)
    timeout_s: int = Field(default=3, ge=1, le=300)
    failures: int = Field(default=3, ge=1, le=100, description="Failures in a row that count.")


class ContainerSettings(Settings):
    """What runs in each replica."""

    image: str | None = Field(
        default=None, min_length=1, description="Image with Python and torch; by default PAI's own in the region."
    )
    server: str = Field(
        default="model/serving",
        description="What is run to serve the model: a file, or the folder of a Python package.",
    )
    port: int = Field(default=8000, ge=1024, le=65535)
    environment: dict[VariableName, str] = Field(default_factory=dict)
    secrets: dict[VariableName, Secret] = Field(
        default_factory=dict, description="Environment variables that stay encrypted in file and state."
    )
    python_requirements: list[str] = Field(
        default=["starlette==1.10.0", "uvicorn==0.54.0"],
        description="Installed in the image before the start; by default what the server needs beside torch.",
    )
    probes: ProbeSettings = ProbeSettings()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.port in _RESERVED_PORTS:
            raise ValueError(f"port {self.port} is taken by EAS itself in every replica; 8000 is usual")
        for name in (*_OWN_VARIABLES, *([] if self.server.endswith(".py") else ["PYTHONPATH"])):
            if name in self.environment or name in self.secrets:
                raise ValueError(f"{name} is set by paistack from the other settings; leave it out")
        if twice := sorted(self.environment.keys() & self.secrets.keys()):
            raise ValueError(f"{twice[0]} is both in environment and in secrets; keep one of them")
        return self


class RequestSettings(Settings):
    """Limits on requests."""

    timeout_s: int = Field(default=30, ge=1, le=600, description="Longer requests end with 408.")
    queue_size: int = Field(default=64, ge=1, le=10_000, description="Per replica; more waiting ends with 450.")
    max_qps_per_replica: int = Field(default=0, ge=0, description="More ends with 429; 0 is no limit.")
    max_concurrency: int | None = Field(
        default=None, ge=1, description="Requests in flight at the gateway; by default unlimited."
    )


class BatchSettings(Settings):
    """Replicas that are updated together, and how long to watch them before the next ones."""

    size: CountOrPercent = Field(description="As a number of replicas or a percentage.")
    interval_s: int = Field(default=0, ge=0, le=24 * 3600)

    @field_validator("size")
    @classmethod
    def _is_some(cls, size: CountOrPercent) -> CountOrPercent:
        if size in _NONE:
            raise ValueError("a batch has at least one replica")
        return size


class RolloutSettings(Settings):
    """How a new version replaces the old one, as a number of replicas or a percentage like 25%."""

    max_surge: CountOrPercent = Field(default=1, description="Replicas above the wanted number.")
    max_unavailable: CountOrPercent = Field(default=0, description="Replicas below the wanted number.")
    batch: BatchSettings | None = Field(default=None, description="Update in steps; for this and later versions.")
    partition: CountOrPercent | None = Field(
        default=None, description="Replicas that stay at the old version until this is lowered; 0 updates all."
    )
    paused: bool = Field(default=False, description="Halts an update in batches or with a partition where it is.")

    @property
    def staged(self) -> bool:
        """Whether updates go on in steps, or only so far."""
        return self.batch is not None or self.partition is not None

    @property
    def holds_back(self) -> bool:
        """Whether some replicas would keep their version for now."""
        return self.paused or self.partition not in (None, *_NONE)

    @model_validator(mode="after")
    def _can_proceed(self) -> Self:
        if {self.max_surge, self.max_unavailable} <= _NONE:
            raise ValueError("max_surge and max_unavailable are both 0, so that no update could ever begin")
        if self.batch is not None and self.partition is not None:
            raise ValueError("batch and partition are both given, and EAS stages an update by one of them; keep one")
        if self.paused and not self.staged:
            raise ValueError("paused halts staged updates only; give batch or partition, or leave paused out")
        return self


class ShutdownSettings(Settings):
    """How a replica goes: it leaves the traffic, may finish what it has, and is stopped."""

    grace_period_s: int = Field(default=30, ge=1, le=3600)
    sigterm: bool = Field(default=True, description="Send SIGTERM at the beginning of the grace period.")


class TimeoutSettings(Settings):
    """How long `pulumi up` waits for a service; pulling a large image takes its time."""

    create_min: int = Field(default=20, ge=1, le=240)
    update_min: int = Field(default=20, ge=1, le=240)
    delete_min: int = Field(default=10, ge=1, le=240)


class EasServiceSettings(Settings):
    """One model service on PAI-EAS."""

    service_name: ServiceName | None = Field(
        default=None, description="Unique in region and account; by default SERVICE_STACK."
    )
    model: ModelSettings = Field(description="The model to serve: name, and artefact that training wrote.")
    instance_type: MachineType = Field(
        description="Machine of a replica, such as ecs.c7.large or ecs.gn6i-c4g1.xlarge."
    )
    billing: BillingSettings = Field(
        default=BillingSettings(), description="How machines are paid for; by default as they are used."
    )
    gateway: Annotated[str, StringConstraints(pattern=NAME_PATTERN)] | None = Field(
        default=None, description="Key in paistack:gateways; by default EAS's shared one."
    )
    replicas: int = Field(default=1, ge=1, le=1000, description="A fixed number; leave it out beside scaling.")
    scaling: ScalingSettings | None = Field(default=None, description="Replicas by load and time instead of replicas.")
    container: ContainerSettings = ContainerSettings()
    request: RequestSettings = RequestSettings()
    rollout: RolloutSettings = RolloutSettings()
    shutdown: ShutdownSettings = ShutdownSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    pinned_version: int | None = Field(
        default=None, ge=1, description="Kept version to go back to and stay at, whatever else stands here."
    )
    safety_lock: Literal["none", "dangerous", "all"] | None = Field(
        default=None,
        description="What EAS refuses, from the console too: dangerous is stopping and deleting, all is every change.",
    )
    workspace_id: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] | None = Field(
        default=None, description="PAI workspace that the service belongs to; it must exist."
    )
    labels: dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], str] = Field(default_factory=dict)
    alarms: AlarmSettings = Field(
        default=AlarmSettings(), description="When monitoring.contacts are told; by default of everything."
    )

    @property
    def first_replicas(self) -> int:
        """How many replicas a new service begins with."""
        return self.replicas if self.scaling is None else self.scaling.first_replicas

    @property
    def least_replicas(self) -> int:
        """How few there may ever be; 0 for a service that sleeps."""
        return self.replicas if self.scaling is None else self.scaling.bounds[0]

    @property
    def most_replicas(self) -> int:
        """How many there may ever be."""
        return self.replicas if self.scaling is None else self.scaling.bounds[1]

    @model_validator(mode="after")
    def _can_be_rolled_out(self) -> Self:
        if self.pinned_version is not None and self.rollout.holds_back:
            held = "paused" if self.rollout.paused else "partition"
            raise ValueError(
                f"pinned_version is to run in every replica, but rollout.{held} would hold some back; leave one out"
            )
        if self.rollout.batch is not None:
            waiting_s = (_batches(self.rollout.batch.size, self.most_replicas) - 1) * self.rollout.batch.interval_s
            if waiting_s >= self.timeouts.update_min * 60:
                raise ValueError(
                    f"rollout.batch waits {waiting_s} s between its batches alone, but timeouts.update_min ends an "
                    f"update after {self.timeouts.update_min * 60} s; raise it, or have fewer or quicker batches"
                )
        return self

    @model_validator(mode="after")
    def _can_scale(self) -> Self:
        if self.scaling is not None:
            refuse(EasServiceSettings, self._scaling_problems(self.scaling))
        return self

    @model_validator(mode="after")
    def _is_paid_for(self) -> Self:
        problems = billing_problems(self.billing, self.instance_type)
        refuse(EasServiceSettings, (Problem(("billing", *path), message) for path, message in problems))
        return self

    @model_validator(mode="after")
    def _can_be_watched(self) -> Self:
        refuse(EasServiceSettings, self._alarm_problems())
        return self

    def _alarm_problems(self) -> Iterator[Problem]:
        """Rules that were asked for and cannot be made into CloudMonitor's units."""
        reasons = {
            "gpu_percent": f"{self.instance_type} has no GPU",
            "forecast_error_percent": "nothing is forecast; set scaling.forecast",
            "cost_cny_per_day": "the price is not known; set billing.price_cny_per_replica_hour",
            "load_percent": "the capacity is not known; set scaling.qps_per_replica or request.max_qps_per_replica",
        }
        for name in self.alarms.rules:
            if scale_of(name, self) is None:
                reason = reasons.get(name, f"what {self.instance_type} has is not known")
                yield Problem(("alarms", "rules", name), reason)

    def _scaling_problems(self, scaling: ScalingSettings) -> Iterator[Problem]:
        if "replicas" in self.model_fields_set:
            message = f"scaling decides; leave replicas out, a new service begins with {self.first_replicas}"
            yield Problem(("replicas",), message)
        if self.safety_lock == "all":
            message = "scaling changes the service by itself, and all refuses every change; dangerous is allowed"
            yield Problem(("safety_lock",), message)
        if scaling.gpu_percent is not None and not has_gpu(self.instance_type):
            message = f"{self.instance_type} has no GPU; scale by cpu_percent, or by qps_per_replica"
            yield Problem(("scaling", "gpu_percent"), message)
        most, qps = self.request.max_qps_per_replica, scaling.qps_per_replica
        if most and qps is not None and qps.acts_above >= most:
            message = (
                f"EAS would act above {qps.acts_above:g}, but request.max_qps_per_replica refuses more than {most}, so "
                "that no replica would ever come; raise the limit, or lower the target"
            )
            yield Problem(("scaling", "qps_per_replica"), message)


def service_config(
    settings: EasServiceSettings,
    *,
    service_name: str,
    region: str,
    model_uri: "Input[str]",
    code_uri: "Input[str]",
    role_arn: "Input[str]",
    group: "Input[str] | None" = None,
    resource_id: "Input[str] | None" = None,
    gateway_id: "Input[str] | None" = None,
) -> dict[str, Any]:
    """The body of CreateService and UpdateService, without the container's environment.

    `group` is the service group that it is a member of, `resource_id` the resource group that it runs in, and
    `gateway_id` the gateway that it is called through, should it be the stack's own. `model_uri` and `code_uri` are
    oss:// paths of directories.
    With `role_arn`, EAS mounts them by that role's permissions:
    https://www.alibabacloud.com/help/en/pai/user-guide/configure-the-eas-ram-role
    """
    public = computing(settings.billing, settings.instance_type)
    return {
        "metadata": {
            **_metadata(settings, service_name),
            **({"group": group} if group is not None else {}),
            **placement(settings.billing, resource_id),
        },
        **({"cloud": {"computing": public}} if public is not None else {}),
        "containers": [_container(settings, region)],
        "storage": [
            _read_only(MODEL_MOUNT, model_uri),
            _read_only(CODE_MOUNT, code_uri),
        ],
        "role_arn": role_arn,
        "runtime": {"enable_crash_block": False},
    } | _networking(settings.request, gateway_id)


def plain_environment(settings: EasServiceSettings, *, host: str) -> dict[str, str]:
    """The variables of a replica that are no secrets. `host` is the address that it listens on."""
    grace_period_s = settings.shutdown.grace_period_s
    return {
        "MODEL_DIR": str(MODEL_MOUNT),
        **({} if settings.container.server.endswith(".py") else {"PYTHONPATH": str(CODE_MOUNT)}),
        "HOST": host,
        "PORT": str(settings.container.port),
        "DRAIN_TIMEOUT_S": str(max(1, grace_period_s - 3)),  # room for the delay before it and the exit after it
        **({"RUNTIME": "onnx"} if settings.model.runtime == "onnx" else {}),
        **settings.container.environment,
    }


def _metadata(settings: EasServiceSettings, service_name: str) -> dict[str, Any]:
    request = settings.request
    workspace = {"workspace_id": settings.workspace_id} if settings.workspace_id else {}
    return workspace | {
        "name": service_name,
        "instance": settings.first_replicas,
        "rpc": {
            "keepalive": request.timeout_s * 1000,
            "max_queue_size": request.queue_size,
            "rate_limit": request.max_qps_per_replica,
            "enable_sigterm": settings.shutdown.sigterm,
        },
        "rolling_strategy": {
            "max_surge": settings.rollout.max_surge,
            "max_unavailable": settings.rollout.max_unavailable,
        },
        "eas.termination_grace_period": settings.shutdown.grace_period_s,
    }


def _container(settings: EasServiceSettings, region: str) -> dict[str, Any]:
    container = settings.container
    requirements = container.python_requirements + [_ONNX_RUNTIME] * (settings.model.runtime == "onnx")
    prepare = {"prepare": {"pythonRequirements": requirements}}
    return (prepare if requirements else {}) | {
        "image": container.image or _default_image(region),
        "command": _command(PurePosixPath(container.server)),
        "port": container.port,
        **_probes(container.probes, container.port),
    }


def _command(server: PurePosixPath) -> str:
    """A package is found by PYTHONPATH, see `environment`: EAS runs one command, without a shell to change folders."""
    return f"python {CODE_MOUNT / server.name}" if server.suffix == ".py" else f"python -m {server.name}"


def _probes(probes: ProbeSettings, port: int) -> dict[str, Any]:
    """https://www.alibabacloud.com/help/en/pai/advanced-configuration-health-check"""

    def check(period_s: int, failures: int) -> dict[str, Any]:
        return {
            "http_get": {"path": probes.path, "port": port},
            "initial_delay_seconds": 0,
            "period_seconds": period_s,
            "timeout_seconds": probes.timeout_s,
            "success_threshold": 1,
            "failure_threshold": failures,
        }

    return {
        "startup_check": check(1, probes.startup_timeout_s),
        "readiness_check": check(probes.period_s, probes.failures),
        "liveness_check": check(probes.period_s, probes.failures),
    }


def _networking(request: RequestSettings, gateway_id: "Input[str] | None") -> dict[str, Any]:
    networking: dict[str, Any] = {"gateway": gateway_id} if gateway_id is not None else {}
    if request.max_concurrency is not None:
        networking["gateway_policy"] = {"concurrency_limit": {"enable": True, "limit": request.max_concurrency}}
    return {"networking": networking} if networking else {}


def _read_only(mount: PurePosixPath, uri: "Input[str]") -> dict[str, Any]:
    return {"mount_path": str(mount), "oss": {"path": uri, "readOnly": True}}


def _default_image(region: str) -> str:
    """PAI's image with Python 3.12 and torch 2.8, as users of DSW and DLC name it; not tried on EAS."""
    tag = "2.8.0-gpu-py312-cu126-ubuntu22.04-3995b779-1764358175"
    return f"dsw-registry-vpc.{region}.cr.aliyuncs.com/pai/pytorch:{tag}"


def _batches(size: CountOrPercent, replicas: int) -> int:
    share = math.ceil(int(size[:-1]) * replicas / 100) if isinstance(size, str) else size
    return math.ceil(replicas / share)
