"""Which environment may be used for which target."""

import re

import pytest
from pydantic import ValidationError

from cloud.target import Credentials, Target, TargetError, check_environment

EMULATOR = Target(region="cn-hangzhou", account_id="1234567890123456", emulator="http://127.0.0.1:8600")
CLOUD = Target(region="cn-shanghai", account_id="1000000000000003")
OWN_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIown", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "its-secret"}


def test_the_emulators_environment_is_complete() -> None:
    credentials = check_environment(EMULATOR, EMULATOR.environment())

    assert credentials.access_key_id == "LTAI5tPaistackEmulator00"


def test_the_emulators_environment_hides_the_callers_own_key() -> None:
    inherited = {**OWN_KEY, "ALIBABA_CLOUD_SECURITY_TOKEN": "own", "ALICLOUD_ACCESS_KEY": "LTAIown"}

    credentials = check_environment(EMULATOR, inherited | EMULATOR.environment())

    assert credentials.access_key_id == "LTAI5tPaistackEmulator00"
    assert credentials.security_token is None


@pytest.mark.parametrize(
    ("target", "environ", "problem"),
    [
        (EMULATOR, {}, "HTTP_PROXY is not set, the emulator is http://127.0.0.1:8600"),
        (EMULATOR, {"HTTP_PROXY": "http://proxy:3128"}, "HTTP_PROXY is http://proxy:3128, the emulator is"),
        (EMULATOR, {"HTTP_PROXY": "http://127.0.0.1:8600"}, "no credentials for the emulator at"),
        (EMULATOR, {**OWN_KEY, "HTTP_PROXY": "http://127.0.0.1:8600"}, "and it is not sent there"),
        (CLOUD, {}, "no credentials for Alibaba Cloud (cn-shanghai): set ALIBABA_CLOUD_ACCESS_KEY_ID"),
        (CLOUD, {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIown"}, "no credentials for Alibaba Cloud"),
        (CLOUD, EMULATOR.environment(), "the environment holds the emulator's access key"),
        (CLOUD, {**OWN_KEY, "HTTP_PROXY": "http://127.0.0.1:8600"}, "leads to the emulator: unset HTTP_PROXY"),
    ],
)
def test_an_environment_that_leads_elsewhere_is_refused(target: Target, environ: dict[str, str], problem: str) -> None:
    with pytest.raises(TargetError, match=re.escape(problem)) as refusal:
        check_environment(target, environ)
    assert "its-secret" not in str(refusal.value)


def test_a_proxy_that_is_not_on_the_loopback_may_lead_to_the_cloud() -> None:
    assert check_environment(CLOUD, {**OWN_KEY, "HTTP_PROXY": "http://proxy:3128"}).access_key_id == "LTAIown"


def test_the_go_providers_names_of_the_variables_do_as_well() -> None:
    environ = {"ALICLOUD_ACCESS_KEY": "LTAIown", "ALICLOUD_SECRET_KEY": "s", "ALICLOUD_SECURITY_TOKEN": "t"}

    assert Credentials.from_environment(CLOUD, environ).security_token == "t"


def test_credentials_show_no_secret() -> None:
    credentials = Credentials.from_environment(CLOUD, OWN_KEY)

    assert "its-secret" not in f"{credentials} {credentials!r}"


@pytest.mark.parametrize(
    "url", ["http://0.0.0.0:8600", "https://127.0.0.1:8600", "http://127.0.0.1:8600/x", "127.0.0.1"]
)
def test_an_emulator_elsewhere_than_on_the_loopback_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="on the loopback only"):
        Target(region="cn-hangzhou", account_id="1234567890123456", emulator=url)
