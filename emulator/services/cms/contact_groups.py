"""Groups of contacts, to which alarm rules send."""

from typing import Any

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState, ContactGroup, in_ms


class PutContactGroup(Parameters):
    name: str = Field(alias="ContactGroupName", min_length=1, max_length=64)
    contacts: list[str] | None = Field(None, alias="ContactNames")
    description: str | None = Field(None, alias="Describe")
    subscribed: bool | None = Field(None, alias="EnableSubscribed")


class DescribeContactGroupList(Parameters):
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(100, alias="PageSize", ge=1, le=100)


class GroupName(Parameters):
    name: str = Field(alias="ContactGroupName")


@cms.operation("PutContactGroup")
def put_contact_group(state: CmsState, call: Call, query: PutContactGroup) -> Answer:
    """Makes a group or changes it: what is not given stays, since the Go provider sends only what changed."""
    for name in query.contacts or []:
        if state.contacts.get(name) is None:
            message = f"ContactNames of the group {query.name} names a contact that does not exist: {name}."
            raise ApiError("ContactNotExists", message, 404)
    group = state.groups.get(query.name) or ContactGroup(
        name=query.name, description="", contacts=[], subscribed=False, created=call.now, updated=call.now
    )
    given = {"contacts": query.contacts, "description": query.description, "subscribed": query.subscribed}
    changes = {field: value for field, value in given.items() if value is not None}
    state.groups.put(group.name, group.model_copy(update={**changes, "updated": call.now}))
    return succeeded()


@cms.operation("DescribeContactGroupList")
def describe_contact_group_list(state: CmsState, query: DescribeContactGroupList) -> Answer:
    every = state.groups.values()
    page = every[(query.page - 1) * query.page_size :][: query.page_size]
    return succeeded(
        Total=len(every),
        ContactGroups={"ContactGroup": [group.name for group in page]},
        ContactGroupList={"ContactGroup": [_answer(group) for group in page]},
    )


@cms.operation("DeleteContactGroup")
def delete_contact_group(state: CmsState, query: GroupName) -> Answer:
    """Deleting one that does not exist succeeds."""
    state.groups.delete(query.name)
    return succeeded()


def _answer(group: ContactGroup) -> dict[str, Any]:
    return {
        "Name": group.name,
        "Describe": group.description,
        "EnableSubscribed": group.subscribed,
        "EnabledWeeklyReport": False,
        "Contacts": {"Contact": group.contacts},
        "CreateTime": in_ms(group.created),
        "UpdateTime": in_ms(group.updated),
    }
