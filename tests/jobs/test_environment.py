"""Where commands lead, and where they must not."""

import subprocess

import pytest

from cloud.target import Target, TargetError, check_environment
from jobs.environment import command_environment, offline_environment, target_environment
from jobs.exports import shell_exports

EMULATOR = Target(region="cn-hangzhou", account_id="1234567890123456", emulator="http://127.0.0.1:8600")
CLOUD = Target(region="cn-shanghai", account_id="1000000000000003")
OWN = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIown", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "own", "PATH": "/usr/bin:/bin"}


def test_a_command_on_the_emulator_uses_the_emulators_key_and_proxy() -> None:
    environment = command_environment(target_environment(EMULATOR, OWN), OWN | {"HTTP_PROXY": "http://proxy:3128"})

    assert check_environment(EMULATOR, environment).access_key_id == "LTAI5tPaistackEmulator00"
    assert "LTAIown" not in environment.values()


def test_a_command_on_the_cloud_leaves_the_emulator_behind() -> None:
    inherited = OWN | {"HTTP_PROXY": "http://127.0.0.1:8600", "http_proxy": "127.0.0.1:8600"}

    environment = command_environment(target_environment(CLOUD, OWN), inherited)

    assert check_environment(CLOUD, environment).access_key_id == "LTAIown"
    assert "HTTP_PROXY" not in environment


def test_the_provider_and_the_sdks_act_as_one_caller() -> None:
    other = {"ALICLOUD_ACCESS_KEY": "LTAIother", "ALICLOUD_SECRET_KEY": "other", "ALICLOUD_SECURITY_TOKEN": "stale"}

    environment = command_environment(target_environment(CLOUD, OWN | other), OWN | other)

    assert environment["ALICLOUD_ACCESS_KEY"] == environment["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "LTAIown"
    assert environment["ALICLOUD_SECURITY_TOKEN"] == "stale"


def test_a_companys_proxy_stays() -> None:
    inherited = OWN | {"HTTPS_PROXY": "http://proxy:3128"}

    assert command_environment(target_environment(CLOUD, OWN), inherited)["HTTPS_PROXY"] == "http://proxy:3128"


def test_without_credentials_nothing_starts() -> None:
    with pytest.raises(TargetError, match="no credentials for Alibaba Cloud"):
        target_environment(CLOUD, {})


def test_offline_needs_no_credentials_and_uses_none() -> None:
    environment = command_environment(offline_environment(CLOUD), OWN)

    assert check_environment(CLOUD, environment).access_key_id == "offline"
    assert "LTAIown" not in environment.values()


def evaluated(target: Target, environ: dict[str, str]) -> dict[str, str]:
    """The environment of a shell after `eval "$(paistack env)"`."""
    script = f"{shell_exports(target, environ)}\nenv -0"
    shown = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in shown.split("\0") if line)


def test_a_shell_that_evaluates_the_exports_reaches_the_emulator() -> None:
    environment = evaluated(EMULATOR, OWN)

    assert check_environment(EMULATOR, environment).access_key_id == "LTAI5tPaistackEmulator00"
    assert environment["PULUMI_BACKEND_URL"].startswith("file://")


def test_a_shell_that_evaluates_the_exports_gets_back_to_the_cloud() -> None:
    environment = evaluated(CLOUD, OWN | {"HTTP_PROXY": "http://127.0.0.1:8600"})

    assert check_environment(CLOUD, environment).access_key_id == "LTAIown"


def test_the_exports_for_the_cloud_show_no_credentials() -> None:
    assert "own" not in shell_exports(CLOUD, OWN)
