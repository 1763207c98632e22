"""Contacts."""

from typing import Any, Literal

from pydantic import Field, model_validator

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.notification import activation_messages
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState, Contact, in_ms

# A person must follow a link that is sent to these before they are used.
_BY_ACTIVATION = frozenset({"Mail", "SMS"})


class Channels(Parameters):
    mail: str | None = Field(None, alias="Mail", pattern=r"^[^@\s]+@[^@\s]+$")
    sms: str | None = Field(None, alias="SMS", pattern=r"^\+?[0-9-]{5,20}$")
    ding_web_hook: str | None = Field(None, alias="DingWebHook", pattern=r"^https?://\S+$")
    ali_im: str | None = Field(None, alias="AliIM", min_length=1)

    @model_validator(mode="after")
    def _has_one(self) -> "Channels":
        if not self.model_dump(exclude_none=True):
            raise ValueError("at least one of Mail, SMS, DingWebHook and AliIM is needed")
        return self


class PutContact(Parameters):
    name: str = Field(alias="ContactName", min_length=2, max_length=40)
    description: str = Field(alias="Describe", min_length=1)
    language: Literal["zh-cn", "en"] | None = Field(None, alias="Lang")
    channels: Channels = Field(alias="Channels")


class DescribeContactList(Parameters):
    name: str | None = Field(None, alias="ContactName")
    channel: Literal["Mail", "SMS", "DingWebHook", "AliIM"] | None = Field(None, alias="ChanelType")
    address: str | None = Field(None, alias="ChanelValue")
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(100, alias="PageSize", ge=1, le=1000)


class ContactName(Parameters):
    name: str = Field(alias="ContactName")


@cms.operation("PutContact")
def put_contact(state: CmsState, call: Call, query: PutContact) -> Answer:
    """Makes a contact or changes it: the channels become those given; a language that is not given stays."""
    channels: dict[str, str] = query.channels.model_dump(by_alias=True, exclude_none=True)
    old = state.contacts.get(query.name)
    kept = {name for name in old.activated if old.channels[name] == channels.get(name)} if old else set()
    contact = Contact(
        name=query.name,
        description=query.description,
        language=query.language or (old.language if old else None),
        channels=channels,
        activated=sorted(name for name in channels if name in kept or name not in _BY_ACTIVATION),
        created=old.created if old else call.now,
        updated=call.now,
    )
    state.contacts.put(contact.name, contact)
    for message in activation_messages(contact, old, call.now):
        state.outbox.add(message)
    return succeeded()


@cms.operation("DescribeContactList")
def describe_contact_list(state: CmsState, query: DescribeContactList) -> Answer:
    found = [contact for contact in state.contacts.values() if _matches(contact, query)]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return succeeded(Total=len(found), Contacts={"Contact": [_answer(state, contact) for contact in page]})


@cms.operation("DeleteContact")
def delete_contact(state: CmsState, query: ContactName) -> Answer:
    """The contact leaves its groups too. Deleting one that does not exist succeeds."""
    for group in state.groups_of(query.name):
        group.contacts.remove(query.name)
        state.groups.put(group.name, group)
    state.contacts.delete(query.name)
    return succeeded()


def activate(state: CmsState, name: str) -> Contact:
    """What a person does who follows the links of the activation messages; ApiError without such a contact."""
    contact = state.contacts.get(name)
    if contact is None:
        raise ApiError("ContactNotExists", f"There is no contact {name}.", 404)
    contact = contact.model_copy(update={"activated": sorted(contact.channels)})
    state.contacts.put(name, contact)
    return contact


def _matches(contact: Contact, query: DescribeContactList) -> bool:
    channels = [query.channel] if query.channel else contact.channels
    addresses = [contact.channels[name] for name in channels if name in contact.channels]
    return (
        query.name in (None, contact.name)
        and bool(addresses)
        and (query.address is None or any(query.address in address for address in addresses))
    )


def _answer(state: CmsState, contact: Contact) -> dict[str, Any]:
    return {
        "Name": contact.name,
        "Desc": contact.description,
        "Channels": contact.channels,
        "ChannelsState": {name: "OK" if name in contact.activated else "PENDING" for name in contact.channels},
        "ContactGroups": {"ContactGroup": [group.name for group in state.groups_of(contact.name)]},
        "CreateTime": in_ms(contact.created),
        "UpdateTime": in_ms(contact.updated),
    } | ({"Lang": contact.language} if contact.language else {})
