"""Temporary keys: who gets one, what it proves, and when it ends."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from alibabacloud_ram20150501.client import Client as Ram
from alibabacloud_sts20150401 import models
from alibabacloud_sts20150401.client import Client as Sts

from tests.emulator.conftest import RunningEmulator
from tests.emulator.ram import test_roles
from tests.emulator.ram.conftest import POLICY, trust
from tests.emulator.refusals import refused
from tests.emulator.sdk import connect

ARN = "acs:ram::1234567890123456:role/reader"


@pytest.fixture
def ram(emulator: RunningEmulator) -> Ram:
    return connect(Ram, emulator)


@pytest.fixture
def sts(emulator: RunningEmulator) -> Sts:
    return connect(Sts, emulator)


def assume(sts: Sts, **changes: object) -> models.AssumeRoleResponseBody:
    settings = {"role_arn": ARN, "role_session_name": "nightly", **changes}
    return sts.assume_role(models.AssumeRoleRequest(**settings)).body


def holder(emulator: RunningEmulator, session: models.AssumeRoleResponseBody, **changes: str | None) -> Sts:
    """A client that signs with the session's key."""
    given = session.credentials
    keys = {
        "access_key_id": given.access_key_id,
        "access_key_secret": given.access_key_secret,
        "security_token": given.security_token,
    }
    return connect(Sts, emulator, **{**keys, **changes})


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_the_holder_of_a_session_is_known_as_the_role(
    emulator: RunningEmulator, ram: Ram, sts: Sts, algorithm: str | None
) -> None:
    role = test_roles.create(ram)

    caller = holder(emulator, assume(sts), signature_algorithm=algorithm).get_caller_identity().body

    assert caller.arn == "acs:ram::1234567890123456:assumed-role/reader/nightly"
    assert (caller.identity_type, caller.role_id) == ("AssumedRoleUser", role.role_id)


def test_a_session_ends_on_time(emulator: RunningEmulator, ram: Ram, sts: Sts) -> None:
    test_roles.create(ram)
    session = assume(sts, duration_seconds=900)
    expires = datetime.fromisoformat(session.credentials.expiration)
    client = holder(emulator, session)

    assert timedelta(seconds=890) < expires - datetime.now(UTC) <= timedelta(seconds=900)
    client.get_caller_identity()
    httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": 901})
    with refused("InvalidSecurityToken.Expired"):
        client.get_caller_identity()


def test_a_session_key_needs_its_own_token(emulator: RunningEmulator, ram: Ram, sts: Sts) -> None:
    test_roles.create(ram)
    one, another = assume(sts), assume(sts)

    with refused("MissingSecurityToken"):
        holder(emulator, one, security_token=None).get_caller_identity()
    with refused("InvalidSecurityToken.MismatchWithAccessKey"):
        holder(emulator, one, security_token=another.credentials.security_token).get_caller_identity()


@pytest.mark.parametrize(
    ("document", "trusted"),
    [
        (trust(RAM="acs:ram::1234567890123456:root"), True),
        (trust(RAM=["acs:ram::1234567890123456:user/paistack"]), True),
        (trust(RAM=["acs:ram::1234567890123456:user/somebody"]), False),
        (trust(RAM=["acs:ram::9999999999999999:root"]), False),
        (trust(Service=["eas.pai.aliyuncs.com"]), False),
        (trust().replace('"Allow"', '"Deny"'), False),
    ],
)
def test_only_whom_the_role_trusts_gets_a_session(ram: Ram, sts: Sts, document: str, trusted: bool) -> None:
    test_roles.create(ram, assume_role_policy_document=document)

    if trusted:
        assert assume(sts).assumed_role_user.arn.endswith("/nightly")
    else:
        with refused("NoPermission", 403, "does not trust"):
            assume(sts)


def test_a_session_can_open_another_where_its_role_is_trusted(emulator: RunningEmulator, ram: Ram, sts: Sts) -> None:
    test_roles.create(ram)
    test_roles.create(ram, "Second", assume_role_policy_document=trust(RAM=[ARN]))
    second = ARN.replace("reader", "second")

    chained = assume(holder(emulator, assume(sts)), role_arn=second)

    assert chained.assumed_role_user.arn.endswith("assumed-role/second/nightly")
    with refused("NoPermission", 403):
        assume(sts, role_arn=second)


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"role_arn": "reader"}, "InvalidParameter.RoleArn", 400),
        ({"role_arn": ARN.replace("reader", "nobody")}, "EntityNotExist.Role", 404),
        ({"role_arn": ARN.replace("1234", "9999")}, "EntityNotExist.Role", 404),
        ({"role_arn": None}, "MissingParameter", 400),
        ({"role_session_name": "x"}, "InvalidParameter.RoleSessionName", 400),
        ({"role_session_name": "two words"}, "InvalidParameter.RoleSessionName", 400),
        ({"duration_seconds": 899}, "InvalidParameter.DurationSeconds", 400),
        ({"duration_seconds": 3601}, "InvalidParameter.DurationSeconds", 400),
        ({"policy": "{}"}, "MalformedPolicyDocument", 400),
    ],
)
def test_a_wrong_request_for_a_session_is_refused(
    ram: Ram, sts: Sts, changes: dict[str, object], code: str, status: int
) -> None:
    test_roles.create(ram)

    with refused(code, status):
        assume(sts, **changes)


def test_a_session_survives_the_role_s_longer_limit_and_a_valid_policy(ram: Ram, sts: Sts) -> None:
    test_roles.create(ram, max_session_duration=7200)

    session = assume(sts, duration_seconds=7200, policy=json.dumps(json.loads(POLICY)))

    assert session.credentials.security_token
