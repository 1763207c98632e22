"""Measured capacities: data that `paistack loadtest` writes, and forecasts are made with."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from stacks.config import STACKS
from stacks.problems import ConfigError

CAPACITIES = STACKS / "capacity"


class MeasuredCapacity(BaseModel):
    """What one replica can serve, and under which conditions that was found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    qps_per_replica: float
    measured_at: AwareDatetime
    replicas: int
    instance_type: str
    model: str
    latency_ms: float
    percentile: float
    payload_bytes: int
    limited: bool
    """Whether no higher load was tried."""
    load_from: Literal["here", "eas"] = "here"
    """Who sent the requests: the machine of whoever measured, or agents of EAS."""


def capacity_file(stack: str, service: str, folder: Path = CAPACITIES) -> Path:
    """Where the capacity of a service stands."""
    return folder / stack / f"{service}.json"


def read_capacity(path: Path) -> MeasuredCapacity | None:
    """None when there is none; ConfigError for a file that is none."""
    try:
        return MeasuredCapacity.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{path} is no measured capacity: {error}; measure anew, `paistack loadtest`") from None
