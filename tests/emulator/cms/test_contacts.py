"""Contacts and their groups."""

from typing import Any

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client

from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.refusals import refused

Channels = models.PutContactRequestChannels


def contacts(cms: Client, **filters: object) -> dict[str, Any]:
    listed = cms.describe_contact_list(models.DescribeContactListRequest(**filters)).body.contacts.contact
    return {contact.name: contact for contact in listed}


def groups(cms: Client, **pages: int) -> dict[str, Any]:
    answer = cms.describe_contact_group_list(models.DescribeContactGroupListRequest(**pages)).body
    return {group.name: group for group in answer.contact_group_list.contact_group}


def test_mail_and_sms_wait_for_the_person_and_a_robot_does_not(cms: Client) -> None:
    put_contact(cms, channels=Channels(mail="a@b.c", sms="13800000000", ding_web_hook="https://oapi.dingtalk.com/x"))

    states = contacts(cms)["anna"].channels_state

    assert (states.mail, states.sms, states.ding_web_hook) == ("PENDING", "PENDING", "OK")


def test_a_second_put_replaces_the_channels_and_keeps_the_language(cms: Client) -> None:
    put_contact(cms, lang="en", channels=Channels(mail="a@b.c", sms="13800000000"))
    put_contact(cms, describe="the other shift")

    anna = contacts(cms)["anna"]

    assert (anna.desc, anna.lang) == ("the other shift", "en")
    assert (anna.channels.mail, anna.channels.sms) == ("anna@example.com", None)


def test_contacts_are_found_by_name_and_by_address(cms: Client) -> None:
    put_contact(cms)
    put_contact(cms, "bert", channels=Channels(mail="bert@example.org"))

    assert list(contacts(cms, contact_name="bert")) == ["bert"]
    assert list(contacts(cms, chanel_type="Mail", chanel_value="example.com")) == ["anna"]
    assert list(contacts(cms, page_number=2, page_size=1)) == ["bert"]
    assert contacts(cms, contact_name="carl") == {}


def test_a_deleted_contact_leaves_its_groups_and_deleting_it_again_succeeds(cms: Client) -> None:
    put_contact(cms)
    put_contact(cms, "bert")
    put_group(cms, contact_names=["anna", "bert"])

    cms.delete_contact(models.DeleteContactRequest(contact_name="anna"))
    cms.delete_contact(models.DeleteContactRequest(contact_name="anna"))

    assert groups(cms)["on-call"].contacts.contact == ["bert"]
    assert list(contacts(cms)) == ["bert"]


def test_a_group_keeps_what_a_change_does_not_name(cms: Client) -> None:
    put_contact(cms)
    put_group(cms, describe="day", enable_subscribed=True)
    put_group(cms, describe="night", contact_names=None)

    group = groups(cms)["on-call"]

    assert (group.describe, group.enable_subscribed, group.contacts.contact) == ("night", True, ["anna"])
    assert contacts(cms)["anna"].contact_groups.contact_group == ["on-call"]


def test_a_group_of_strangers_is_refused(cms: Client) -> None:
    with refused("ContactNotExists", 404, "anna"):
        put_group(cms)


def test_a_deleted_group_is_gone_and_deleting_it_again_succeeds(cms: Client) -> None:
    put_contact(cms)
    put_group(cms)

    for _ in range(2):
        cms.delete_contact_group(models.DeleteContactGroupRequest(contact_group_name="on-call"))

    assert groups(cms) == {}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"contact_name": "x"}, "InvalidParameter.ContactName", "at least 2"),
        ({"contact_name": "x" * 41}, "InvalidParameter.ContactName", "at most 40"),
        ({"describe": None}, "MissingParameter", "Describe"),
        ({"channels": None}, "MissingParameter", "Channels"),
        ({"channels": Channels(mail="not an address")}, "InvalidParameter.Channels.Mail", "not an address"),
        ({"channels": Channels(ding_web_hook="ftp://x")}, "InvalidParameter.Channels.DingWebHook", "ftp://x"),
        ({"lang": "de"}, "InvalidParameter.Lang", "'zh-cn' or 'en'"),
    ],
)
def test_a_wrong_contact_is_refused(cms: Client, changes: dict[str, object], code: str, message: str) -> None:
    with refused(code, 400, message):
        put_contact(cms, str(changes.pop("contact_name", "anna")), **changes)
