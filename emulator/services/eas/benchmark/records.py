"""Stress tests, as documents of the store."""

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel

Status = Literal["Creating", "Starting", "Running", "Stopping", "Stopped", "Error"]
UNDER_WAY: tuple[Status, ...] = ("Creating", "Starting", "Running", "Stopping")
# How long a task is kept that has ended:
# https://www.alibabacloud.com/help/en/pai/user-guide/automatic-service-stress-testing.
KEPT: dict[Status, timedelta] = {"Stopped": timedelta(hours=48), "Error": timedelta(minutes=10)}


class BenchmarkTask(BaseModel):
    """`settings` are as they were sent; `report` is that of the last run which has ended."""

    region: str
    name: str
    id: str
    service: str
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    status: Status = "Creating"
    reason: str = ""
    agents: int = 0
    desired_agents: int = 1
    report: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        return task_key(self.region, self.name)

    @property
    def under_way(self) -> bool:
        return self.status in UNDER_WAY

    def kept_at(self, now: datetime) -> bool:
        return self.status not in KEPT or now - self.updated_at < KEPT[self.status]


def task_key(region: str, name: str) -> str:
    return f"{region}/{name}"
