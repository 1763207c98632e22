"""Where logs are shipped to: settings, and which fields of a line can be asked for."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from components.settings import Settings

FieldType = Literal["text", "long", "double"]

# The fields of the lines that the model's server writes, see model/serving.
FIELDS: Mapping[str, FieldType] = {
    "level": "text",
    "event": "text",
    "request_id": "text",
    "method": "text",
    "path": "text",
    "status": "long",
    "latency_ms": "double",
    "model": "text",
    "version": "text",
}
# What words are parted by, for the search in whole lines.
TOKENS = ", '\";=()[]{}?@&<>/:\n\t\r"


class LogSettings(Settings):
    """A project of Simple Log Service with one store for the logs of the stack's services."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")] | None = Field(
        default=None, description="Unique in all of Alibaba Cloud; by default paistack-STACK-ACCOUNT."
    )
    store: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$")] = "services"
    keep_days: int = Field(default=30, ge=1, le=3650, description="3650 keeps them for ever.")

    def project_name(self, stack: str, account_id: str) -> str:
        """The project's name, the same in every run."""
        return self.project or f"paistack-{stack}-{account_id[-8:]}"
