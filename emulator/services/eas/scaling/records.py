"""Autoscalers and cron scalers, as documents of the store; their keys are those of their services."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

JobState = Literal["Submitted", "Succeed", "Failed"]


class Strategy(BaseModel):
    """Keeps the average of `metric` over the instances at `threshold`; `service` is whose metric it is."""

    metric: str
    threshold: float
    service: str


class Behavior(BaseModel):
    """Times in seconds, in emulated time; the defaults are CreateServiceAutoScaler's."""

    scale_up_window_s: int = 0
    scale_down_window_s: int = 300
    to_zero_after_s: int = 600
    activation_replicas: int = 1


class Autoscaler(BaseModel):
    """Bounds and strategies. A cron scaler moves the bounds."""

    minimum: int
    maximum: int
    strategies: list[Strategy]
    behavior: Behavior


class CronJob(BaseModel):
    """`probed_at` is when the job ran last, or was submitted; `message` says what that did."""

    name: str
    schedule: str
    target_size: int
    time_zone: str
    created_at: datetime
    probed_at: datetime
    state: JobState = "Submitted"
    message: str = ""


class CronScaler(BaseModel):
    """`done_until`: every occurrence up to and including that moment has been run."""

    jobs: list[CronJob]
    excluded: list[str]
    done_until: datetime
