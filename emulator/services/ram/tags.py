"""Tags of roles and policies."""

import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from emulator.operations import Answer, Parameters
from emulator.services.ram.service import ram
from emulator.services.ram.state import Policy, RamState, Role

ResourceType = Literal["role", "policy"]


def _from_json(value: Any) -> Any:
    """Lists come as a JSON text (`["a"]`); pydantic reports what is not one."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


class Tag(Parameters):
    key: str = Field(alias="Key", min_length=1, max_length=128)
    value: str = Field("", alias="Value", max_length=256)


TagList = Annotated[list[Tag], BeforeValidator(_from_json), Field(max_length=20)]
Names = Annotated[list[str], BeforeValidator(_from_json), Field(min_length=1, max_length=50)]


class TagResources(Parameters):
    resource_type: ResourceType = Field(alias="ResourceType")
    names: Names = Field(alias="ResourceNames")
    tag: TagList = Field(alias="Tag")


class UntagResources(Parameters):
    """The Go provider sends the keys twice, as `TagKeys` and as `TagKey.N`."""

    resource_type: ResourceType = Field(alias="ResourceType")
    names: Names = Field(alias="ResourceNames")
    all: bool = Field(False, alias="All")
    keys: Annotated[list[str], BeforeValidator(_from_json)] = Field([], alias="TagKeys")
    keys_again: list[str] = Field([], alias="TagKey")


class ListTagResources(Parameters):
    resource_type: ResourceType = Field(alias="ResourceType")
    names: Names | None = Field(None, alias="ResourceNames")
    page_size: int = Field(100, alias="PageSize", ge=1, le=100)
    next_token: str = Field("", alias="NextToken")


@ram.operation("TagResources")
def tag_resources(state: RamState, query: TagResources) -> Answer:
    def add(tags: dict[str, str]) -> None:
        tags.update(as_tags(query.tag))

    _change(state, query.resource_type, query.names, add)
    return {}


@ram.operation("UntagResources")
def untag_resources(state: RamState, query: UntagResources) -> Answer:
    def remove(tags: dict[str, str]) -> None:
        for key in list(tags) if query.all else query.keys:
            tags.pop(key, None)

    _change(state, query.resource_type, query.names, remove)
    return {}


@ram.operation("ListTagResources")
def list_tag_resources(state: RamState, query: ListTagResources) -> Answer:
    """In the order of names and keys; `NextToken` is the number of the first entry of the next page."""
    entities: Iterable[Role | Policy]
    entities = state.roles.values() if query.resource_type == "role" else state.custom_policies.values()
    every = [
        {"ResourceName": entity.name, "ResourceType": query.resource_type, "TagKey": key, "TagValue": value}
        for entity in entities
        if query.names is None or entity.name in query.names
        for key, value in sorted(entity.tags.items())
    ]
    start = int(query.next_token) if query.next_token.isdigit() else 0
    end = start + query.page_size
    more = {"NextToken": str(end)} if end < len(every) else {}
    return {"TagResources": every[start:end], **more}


def _change(state: RamState, kind: ResourceType, names: list[str], change: Callable[[dict[str, str]], None]) -> None:
    for name in names:
        if kind == "role":
            role = state.role(name)
            change(role.tags)
            state.put_role(role)
        else:
            policy = state.policy(name)
            change(policy.tags)
            state.put_policy(policy)


def as_tags(tags: list[Tag]) -> dict[str, str]:
    return {tag.key: tag.value for tag in tags}


def tag_answer(tags: dict[str, str]) -> dict[str, Any]:
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())]}
