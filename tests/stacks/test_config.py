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
        (
            of_service(rollout={"batch": {"size": "0%"}}),
            'paistack:services.fashion.rollout.batch.size: found "0%"; a batch has at least one replica',
        ),
        (
            of_service(rollout={"batch": {"size": 1}, "partition": 1}),
            "paistack:services.fashion.rollout: batch and partition are both given",
        ),
        (
            of_service(rollout={"paused": True}),
            "paistack:services.fashion.rollout: paused halts staged updates only; give batch or partition",
        ),
        (
            of_service(replicas=4, rollout={"batch": {"size": 1, "interval_s": 600}}),
            "paistack:services.fashion: rollout.batch waits 1800 s between its batches alone, but timeouts.update_min "
            "ends an update after 1200 s; raise it",
        ),
        (
            of_service(pinned_version=2, rollout={"partition": "50%"}),
            "paistack:services.fashion: pinned_version is to run in every replica, but rollout.partition would hold",
        ),
        (
            of_service(pinned_version=0),
            "paistack:services.fashion.pinned_version: found 0; it should be greater than or equal to 1",
        ),
        (
            of_service(safety_lock="some"),
            "paistack:services.fashion.safety_lock: found \"some\"; it should be 'none', 'dangerous' or 'all'",
        ),
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


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"machine": "T4"},
            "paistack:training.nightly.machine: found \"T4\"; it should be 'A10', 'V100', 'A100' or 'CPU'",
        ),
        (
            {"recipe": {"epoch": 1}},
            "paistack:training.nightly.recipe.epoch: there is no such setting; did you mean epochs",
        ),
        ({"data": {}}, "paistack:training.nightly.data: give either store (a directory of the bucket) or dataset"),
        ({"model": "Fashion"}, 'paistack:training.nightly.model: found "Fashion"; it should match pattern'),
    ],
)
def test_a_problem_of_a_training_run_names_its_place(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    training = {"model": "fashion", "workspace_id": "1000", "data": {"dataset": "d-abc"}} | change
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, {"target": TARGET, "training": {"nightly": training}}))

    assert problem in str(refused.value)


def of_split(**changes: Any) -> dict[str, Any]:
    """Services blue, green and red, and a split of the first two with these settings."""
    versions = {"v1": {"service": "blue", "weight": 90}, "v2": {"service": "green", "weight": 10}}
    split = {"mode": "canary", "versions": versions} | changes
    return {"target": TARGET, "services": dict.fromkeys(("blue", "green", "red"), SERVICE), "traffic": {"shop": split}}


def versions(**weights: int) -> dict[str, dict[str, Any]]:
    return {name: {"service": name, "weight": weight} for name, weight in weights.items()}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            of_split(mode="shadow"),
            "paistack:traffic.shop.mode: found \"shadow\"; it should be 'blue_green', 'canary' or 'ab'",
        ),
        (of_split(versions={}), "paistack:traffic.shop.versions: found {}; it should have at least 1 item"),
        (
            of_split(versions=versions(blue=90, green=20)),
            "paistack:traffic.shop.versions: the weights add up to 110 instead of 100: blue 90, green 20",
        ),
        (
            of_split(versions={"v1": {"service": "blue", "weight": 99.5}}),
            "paistack:traffic.shop.versions.v1.weight: found 99.5; it should be a valid integer",
        ),
        (
            of_split(versions=versions(blue=101)),
            "paistack:traffic.shop.versions.blue.weight: found 101; it should be less than or equal to 100",
        ),
        (
            of_split(mode="blue_green"),
            'paistack:traffic.shop.mode: found "blue_green"; one version has all requests and the others none, but the '
            "weights are v1 90, v2 10; canary and ab share",
        ),
        (
            of_split(versions=versions(blue=80, green=10, red=10)),
            'paistack:traffic.shop.mode: found "canary"; a canary is one new version beside one old one, but there',
        ),
        (
            of_split(mode="ab", versions=versions(blue=100, green=0)),
            'paistack:traffic.shop.mode: found "ab"; at least two versions are compared, each with a share, but the '
            "weights are blue 100, green 0; canary allows 0",
        ),
        (
            of_split(mode="ab", versions=versions(blue=100)),
            'paistack:traffic.shop.mode: found "ab"; at least two versions are compared',
        ),
        (
            of_split(versions={"v1": {"service": "blue", "weight": 90}, "v2": {"service": "blue", "weight": 10}}),
            'paistack:traffic.shop.versions.v2.service: found "blue"; it is version v1 already; every version needs',
        ),
        (
            of_split(versions=versions(blue=90, gren=10)),
            'paistack:traffic.shop.versions.gren.service: found "gren"; there is no such service; did you mean green?',
        ),
        (
            of_split(versions=versions(blue=90, xyz=10)),
            'traffic.shop.versions.xyz.service: found "xyz"; there is no such service; there are blue, green, red',
        ),
        (
            of_split(rollback_to="v3"),
            'paistack:traffic.shop.rollback_to: found "v3"; there is no such version; there are v1, v2',
        ),
        (
            of_split(shadow={"service": "green", "percent": 10}),
            'paistack:traffic.shop.shadow.service: found "green"; it is version v2 itself, which would get copies',
        ),
        (
            of_split(shadow={"service": "yellow", "percent": 10}),
            'paistack:traffic.shop.shadow.service: found "yellow"; there is no such service',
        ),
        (
            of_split(shadow={"service": "red", "percent": 0}),
            "paistack:traffic.shop.shadow.percent: found 0; it should be greater than or equal to 1",
        ),
        (
            {
                **of_split(),
                "traffic": of_split()["traffic"] | {"aisle": {"mode": "blue_green", "versions": versions(green=100)}},
            },
            'paistack:traffic.aisle.versions.green.service: found "green"; it is version v2 of traffic.shop already, '
            "and EAS has a service in one group only",
        ),
        (
            {
                **of_split(shadow={"service": "red", "percent": 10}),
                "traffic": of_split(shadow={"service": "red", "percent": 10})["traffic"]
                | {"aisle": {"mode": "blue_green", "versions": versions(red=100)}},
            },
            'paistack:traffic.shop.shadow.service: found "red"; it is version red of traffic.aisle and answers',
        ),
        (
            {**of_split(), "services": of_split()["services"] | {"blue": SERVICE | {"safety_lock": "all"}}},
            'paistack:services.blue.safety_lock: found "all"; it is version v1 of traffic.shop, whose shares could',
        ),
        (
            {**of_split(), "services": of_split()["services"] | {"shop": SERVICE}},
            "paistack:traffic.shop: a service is called shop too, and EAS gives a name once only: rename one, or set",
        ),
        (
            {
                **of_split(group_name="shop_all"),
                "services": of_split()["services"] | {"red": SERVICE | {"service_name": "shop_all"}},
            },
            'paistack:traffic.shop.group_name: found "shop_all"; services.red has that name; EAS gives a name once',
        ),
    ],
)
def test_a_mistake_in_the_traffic_is_named_with_its_path(
    tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings))
    assert str(refused.value).startswith(f"1 problem with the settings in {tmp_path}")


@pytest.mark.parametrize("mode", ["blue_green", "canary", "ab"])
@pytest.mark.parametrize("weights", [{"blue": 0, "green": 0}, {"blue": 100, "green": 100}, {"blue": 0, "green": 100}])
def test_rolling_back_is_one_setting_whatever_mode_and_weights_say(
    tmp_path: Path, mode: str, weights: dict[str, int]
) -> None:
    settings = of_split(mode=mode, versions=versions(**weights), rollback_to="blue")

    split = StackConfig.from_file(stack_file(tmp_path, settings)).traffic["shop"]

    assert split.weights() == {"blue": 100, "green": 0}


LOAD = {"min_replicas": 1, "max_replicas": 5, "qps_per_replica": {"target": 20}}
NIGHT = {"cron": "0 0 20 * * *", "replicas": 1}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scaling": {}}, "scaling: give a target (qps_per_replica, cpu_percent, gpu_percent), or schedules"),
        (
            {"replicas": 2, "scaling": LOAD},
            "replicas: found 2; scaling decides; leave replicas out, a new service begins with 1",
        ),
        (
            {"scaling": {"cpu_percent": {"target": 60}}},
            "scaling: with a target, both min_replicas and max_replicas are",
        ),
        ({"scaling": LOAD | {"max_replicas": 1}}, "scaling: max_replicas must be above min_replicas, found 1 and 1"),
        (
            {"scaling": LOAD | {"max_replica": 9}},
            "scaling.max_replica: there is no such setting; did you mean max_repl",
        ),
        (
            {"scaling": LOAD | {"forecast": {"applied_by": "robot"}}},
            "scaling.forecast.applied_by: found \"robot\"; it should be 'plan' or 'controller'",
        ),
        (
            {"scaling": LOAD | {"cpu_percent": {"target": 95}}},
            "scaling.cpu_percent: EAS would act above 104.5 %, which is never reached: at most 90 as a target",
        ),
        (
            {"scaling": LOAD | {"cpu_percent": {"target": 60, "out_above": 70}}},
            "scaling.cpu_percent: give either target, or the two edges of a band, out_above and in_below",
        ),
        (
            {"scaling": LOAD | {"cpu_percent": {"out_above": 66, "in_below": 20}}},
            "scaling: cpu_percent: EAS cannot do the band from 20 to 66. It keeps to one threshold, here 60: scaling "
            "out above 66, it lets the first of 5 replicas go below 48. Set in_below to 48 to 54, or give target: 60",
        ),
        (
            {"scaling": LOAD | {"gpu_percent": {"target": 60}}},
            "scaling.gpu_percent: ecs.c7.large has no GPU; scale by cpu_percent, or by qps_per_replica",
        ),
        (
            {"scaling": LOAD, "request": {"max_qps_per_replica": 20}},
            "scaling.qps_per_replica: EAS would act above 22, but request.max_qps_per_replica refuses more than 20",
        ),
        (
            {"scaling": LOAD, "safety_lock": "all"},
            'safety_lock: found "all"; scaling changes the service by itself, and all refuses every change; '
            "dangerous is allowed",
        ),
        (
            {"scaling": LOAD | {"to_zero": {"after_idle_s": 60}}},
            "scaling: to_zero has no effect while min_replicas is 1: set that to 0, or leave it out",
        ),
        (
            {"scaling": LOAD | {"schedules": {"night": NIGHT | {"cron": "0 20 * * *"}}}},
            'scaling.schedules.night.cron: found "0 20 * * *"; EAS has six fields, and the second comes first: write '
            "'0 0 20 * * *'",
        ),
        (
            {"scaling": LOAD | {"schedules": {"night": NIGHT | {"time_zone": "Asia/Hangzhou"}}}},
            'scaling.schedules.night.time_zone: found "Asia/Hangzhou"; ',
        ),
        (
            {"scaling": LOAD | {"schedules": {"rush": NIGHT | {"replicas": 9}}}},
            "scaling: schedules.rush asks for 9 replicas, outside min_replicas, 1, to max_replicas, 5: EAS would move "
            "the bounds for good; change one of them",
        ),
        (
            {"scaling": LOAD | {"schedules": {"rush": NIGHT | {"replicas": 3}}}},
            "scaling: no schedule goes back to min_replicas, 1: the replicas of a schedule are the least that ",
        ),
        (
            {"scaling": LOAD | {"schedules": {"night": NIGHT, "party": NIGHT | {"replicas": 5}}}},
            "scaling: schedules.night and schedules.party ask for 1 and 5 replicas at the same moment, for example ",
        ),
        (
            {"scaling": LOAD | {"schedules": {"night": NIGHT}, "excluded_dates": ["* * * * * *"]}},
            "scaling: schedules.night is never due: all of its days are among excluded_dates",
        ),
        (
            {"scaling": LOAD | {"excluded_dates": ["* * * 1 10 *"]}},
            "scaling: excluded_dates are days without schedules, and there are none; leave them out",
        ),
    ],
)
def test_a_mistake_in_scaling_is_named_with_its_path(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    service = {key: value for key, value in (SERVICE | changes).items() if key != "replicas" or "replicas" in changes}
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, {"target": TARGET, "services": {"fashion": service}}))
    assert f"paistack:services.fashion.{problem}" in str(refused.value)
