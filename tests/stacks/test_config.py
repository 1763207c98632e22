"""Settings of a stack: what is read, and what is said about mistakes."""

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

from stacks.config import STACKS, StackConfig
from stacks.problems import ConfigError

TARGET = {"region": "cn-hangzhou", "account_id": "1234567890123456"}
SERVICE = {"model": {"name": "fashion", "artefact": "out"}, "instance_type": "ecs.c7.large"}


def stack_file(folder: Path, settings: dict[str, Any]) -> Path:
    path = folder / "Pulumi.test.yaml"
    path.write_text(json.dumps({"config": {f"paistack:{key}": value for key, value in settings.items()}}))
    return path


@pytest.mark.parametrize("stack", ["local", "dev", "staging", "production"])
def test_the_projects_own_stacks_are_right(stack: str) -> None:
    config = StackConfig.of_stack(stack)

    assert (config.target.emulator is not None) == (stack == "local")
    assert config.services


def test_a_file_and_a_pulumi_run_read_the_same(tmp_path: Path) -> None:
    settings = {"target": TARGET, "services": {"fashion": SERVICE | {"replicas": 3}}}
    from_file = StackConfig.from_file(stack_file(tmp_path, settings))

    set_all_config({f"paistack:{key}": json.dumps(value) for key, value in settings.items()} | {"aws:region": "x"}, [])

    assert StackConfig.load() == from_file
    assert from_file.services["fashion"].replicas == 3


def test_a_pulumi_run_ends_with_every_problem_and_without_a_traceback() -> None:
    set_all_config({"paistack:target": json.dumps(TARGET), "paistack:service": "{}", "paistack:store": "yes"}, [])

    with pytest.raises(pulumi.RunError) as ended:
        StackConfig.load()
    assert str(ended.value) == (
        "2 problems with the settings\n"
        '  paistack:store: found "yes"; it should be a mapping\n'
        "  paistack:service: there is no such setting; did you mean services?"
    )


def test_encrypted_values_are_accepted_without_being_decrypted(tmp_path: Path) -> None:
    service = SERVICE | {"container": {"secrets": {"KEY": {"secure": "v1:abc"}}}}
    config = StackConfig.from_file(stack_file(tmp_path, {"target": TARGET, "services": {"fashion": service}}))

    assert list(config.services["fashion"].container.secrets) == ["KEY"]


IN_CLEAR_TEXT = (
    "paistack:services.fashion.container.secrets.KEY: is in clear text; run `pulumi config set --stack STACK "
    "--secret --path 'paistack:services.fashion.container.secrets.KEY'`"
)


def test_a_secret_in_clear_text_is_refused_without_showing_it(tmp_path: Path) -> None:
    settings = of_service(container={"secrets": {"KEY": "opensesame"}})
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings))
    assert str(refused.value) == IN_CLEAR_TEXT


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_pulumi_run_takes_secrets_only_from_encrypted_settings(encrypted: bool) -> None:
    settings = of_service(container={"secrets": {"KEY": "opensesame"}})
    keys = ["paistack:services"] if encrypted else []
    set_all_config({f"paistack:{key}": json.dumps(value) for key, value in settings.items()}, keys)

    if encrypted:
        secret = StackConfig.load().services["fashion"].container.secrets["KEY"]
        assert secret.get_secret_value() == "opensesame"
    else:
        with pytest.raises(pulumi.RunError) as ended:
            StackConfig.load()
        assert str(ended.value) == IN_CLEAR_TEXT


def of_service(**changes: Any) -> dict[str, Any]:
    return {"target": TARGET, "services": {"fashion": SERVICE | changes}}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "paistack:target: is missing"),
        ({"target": "x"}, 'paistack:target: found "x"; it should be a mapping'),
        (
            {"target": TARGET, "services": None},
            "paistack:services: found null; it should be a mapping (Model services, ",
        ),
        (
            {"target": TARGET | {"account_id": 1234567890123456}},
            "paistack:target.account_id: found 1234567890123456; it should be a valid string: put it in quotes",
        ),
        (
            {"target": TARGET | {"region": "Hangzhou"}},
            'paistack:target.region: found "Hangzhou"; it should match pattern',
        ),
        (
            {"target": TARGET | {"emulator": "http://0.0.0.0:8600"}},
            'paistack:target.emulator: found "http://0.0.0.0:8600"; the emulator listens on the loopback only',
        ),
        (of_service(replica=2), "paistack:services.fashion.replica: there is no such setting; did you mean replicas?"),
        (
            of_service(request={"zzz": 1}),
            "paistack:services.fashion.request.zzz: there is no such setting; "
            "allowed are timeout_s, queue_size, max_qps_per_replica, max_concurrency",
        ),
        (of_service(replicas="2"), 'paistack:services.fashion.replicas: found "2"; it should be a valid integer'),
        (of_service(replicas=0), "replicas: found 0; it should be greater than or equal to 1"),
        (
            of_service(instance_type="gpu"),
            'paistack:services.fashion.instance_type: found "gpu"; it should match pattern',
        ),
        (of_service(service_name="Fashion-1"), 'fashion.service_name: found "Fashion-1"; it should match pattern'),
        (
            of_service(rollout={"max_surge": "lots"}),
            'rollout.max_surge: found "lots"; it should be a valid integer or it should match pattern',
        ),
        (
            of_service(rollout={"max_surge": 0}),
            "paistack:services.fashion.rollout: max_surge and max_unavailable are both 0",
        ),
        (
            of_service(container={"environment": {"A": 3}}),
            "environment.A: found 3; it should be a valid string: put it in",
        ),
        (
            of_service(container={"environment": {"KEY": {"secure": "v1:abc"}}}),
            "it would not be kept secret: encrypted values belong under `secrets`",
        ),
        (of_service(container={"environment": {"1st": "x"}}), "environment.1st: the name '1st' is not allowed"),
        (
            {"target": TARGET, "services": {"My Service": SERVICE}},
            "paistack:services.My Service: the name 'My Service' is not allowed",
        ),
        ({"target": TARGET, "store": {"bucket": "UPPER"}}, 'paistack:store.bucket: found "UPPER"; it should match'),
        (
            of_service(labels={"x": "y" * 9000, "z": 1}),
            "labels.z: found 1; it should be a valid string: put it in quotes",
        ),
        (of_service(container={"port": 8080}), "services.fashion.container: port 8080 is taken by EAS itself"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_what_is_allowed(
    tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings))
    assert str(refused.value).startswith(f"1 problem with the settings in {tmp_path}")


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    settings = of_service(replicas=0, imgae="x") | {"stroe": {}}

    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings))
    assert str(refused.value).splitlines()[0].startswith("3 problems with the settings")


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, of_service(container={"secrets": {"KEY": 98765}})))
    assert "98765" not in str(refused.value)
    assert "secrets.KEY: found a secret; it should be a valid string: put it in quotes" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("config: [", "is not YAML"),
        ("", "has no mapping `config:`"),
        ("config: 5", "has no mapping `config:`"),
        ("- a", "has no mapping `config:`"),
        ("a: " + "[" * 5000, "is not YAML"),
        ("config: !!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=problem):
        StackConfig.from_file(path)


def test_scalars_are_read_as_pulumi_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(
        "config:\n"
        "  paistack:target: {region: cn-hangzhou, account_id: '1234567890123456'}\n"
        "  paistack:services:\n"
        "    fashion:\n"
        "      model: {name: fashion, artefact: out}\n"
        "      instance_type: ecs.c7.large\n"
        "      labels: {since: 2026-01-01, active: yes}\n"
    )

    assert StackConfig.from_file(path).services["fashion"].labels == {"since": "2026-01-01", "active": "yes"}


def test_an_unknown_stack_is_told_which_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no stack 'prod': .*; there are dev, local, production, staging"):
        StackConfig.of_stack("prod")


def test_the_stack_files_lie_where_pulumi_looks_for_them() -> None:
    assert {path.name for path in STACKS.glob("Pulumi.*.yaml")} >= {"Pulumi.local.yaml", "Pulumi.production.yaml"}


@pytest.mark.parametrize(
    ("notebook", "problem"),
    [
        (
            {"distributed": {"machines": 4}, "instance_type": "ecs.c7.large", "workspace_id": "1000"},
            "paistack:notebooks.lab.distributed: machines is 4, but a DSW instance is one machine",
        ),
        ({"workspace_id": "1000"}, "paistack:notebooks.lab: give either instance_type"),
        (
            {"workspace_id": "1000", "instance_type": "ecs.c7.large", "secrets": {"KEY": "opensesame"}},
            "paistack:notebooks.lab.secrets.KEY: is in clear text",
        ),
    ],
)
def test_a_problem_of_a_notebook_names_its_place(tmp_path: Path, notebook: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, {"target": TARGET, "notebooks": {"lab": notebook}}))

    assert problem in str(refused.value)
    assert "opensesame" not in str(refused.value)
