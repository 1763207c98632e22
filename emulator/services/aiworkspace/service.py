"""The product to which AIWorkSpace's operations are registered, and parameters that many of them share."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from emulator.operations import Parameters, Product

aiworkspace = Product("aiworkspace", "2021-02-04", "ROA", registered_by="emulator.services.aiworkspace.operations")

Accessibility = Literal["PRIVATE", "PUBLIC"]
Uri = Annotated[str, Field(pattern=r"^(oss|nas|cpfs|bmcpfs|odps|http|https|pai)://\S+$")]


def _json_object(value: str) -> str:
    if value and not isinstance(json.loads(value), dict):
        raise ValueError("must be the text of a JSON object")
    return value


Options = Annotated[str, AfterValidator(_json_object)]


class Label(Parameters):
    key: str = Field(alias="Key", min_length=1, max_length=128)
    value: str = Field("", alias="Value", max_length=256)


class Page(Parameters):
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=1000)

    def cut(self, every: list[Any]) -> list[Any]:
        return every[(self.page - 1) * self.page_size :][: self.page_size]


class InWorkspace(Page):
    workspace_id: str | None = Field(None, alias="WorkspaceId")


class LabelKeys(Parameters):
    keys: str = Field(alias="LabelKeys", min_length=1)
