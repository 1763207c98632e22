"""What is kept of a thing in a workspace. AIWorkSpace is a register: it answers what it was given."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from emulator.clock import iso
from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.service import Label


class Record(BaseModel):
    """`fields` are under the names of the API, as they were sent. A version's id is its name within its owner.

    `versions` counts those ever made of it, so that no number is given twice.
    """

    id: str
    workspace_id: str
    user_id: str
    fields: dict[str, Any]
    labels: dict[str, str]
    created: datetime
    modified: datetime
    versions: int = 0

    def change(self, body: Parameters, now: datetime, but: Iterable[str] = ()) -> None:
        """Takes over what `body` gives, except the attributes `but`."""
        self.fields |= body.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, exclude=set(but))
        self.modified = now

    def add_labels(self, labels: Iterable[Label], now: datetime) -> None:
        self.labels |= {label.key: label.value for label in labels}
        self.modified = now

    def remove_labels(self, keys: Iterable[str], now: datetime) -> None:
        """`keys` that the record does not have are ignored."""
        for key in keys:
            self.labels.pop(key, None)
        self.modified = now

    def answer(self, **own: Any) -> Answer:
        """What is told of it; `own` are fields that only its kind has, its id among them."""
        return {
            **own,
            **self.fields,
            "Labels": [{"Key": key, "Value": value} for key, value in self.labels.items()],
            "GmtCreateTime": iso(self.created),
            "GmtModifiedTime": iso(self.modified),
        }

    def owned(self, account_id: str) -> Answer:
        """In which workspace it is, and whose."""
        return {"WorkspaceId": self.workspace_id, "UserId": self.user_id, "OwnerId": account_id}


def new_record(
    record_id: str,
    call: Call,
    body: Parameters,
    *,
    workspace_id: str = "",
    labels: Iterable[Label] = (),
    defaults: Mapping[str, Any] | None = None,
    but: Iterable[str] = (),
) -> Record:
    """A record of what `body` gives, except the attributes `but`; what it leaves out is taken from `defaults`."""
    given = body.model_dump(by_alias=True, exclude_none=True, exclude_unset=True, exclude={"labels", *but})
    return Record(
        id=record_id,
        workspace_id=workspace_id,
        user_id=call.caller.principal_id,
        fields={**(defaults or {}), **given},
        labels={label.key: label.value for label in labels},
        created=call.now,
        modified=call.now,
    )
