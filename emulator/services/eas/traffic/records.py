"""Groups and mirrors, as documents of the store."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

TrafficMode = Literal["auto", "customized"]


class Group(BaseModel):
    """Services with an entry in common. `implicit`: it came with its first service and goes with its last."""

    region: str
    name: str
    token: str
    traffic_mode: TrafficMode
    labels: dict[str, str]
    network: dict[str, str]
    workspace_id: str
    implicit: bool
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> str:
        """The key in the store, like a service's."""
        return f"{self.region}/{self.name}"


class Mirror(BaseModel):
    """`ratio` percent of a service's requests are copied to each of `targets`, services of the same region."""

    ratio: int
    targets: list[str]
