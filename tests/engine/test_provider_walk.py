"""The real Go provider under the real engine, with the emulator as its proxy: RAM, CloudMonitor, PAI workspaces.

Not walked is `pai.WorkspaceWorkspace`, for whose creation the provider waits 30 s whatever it is answered.
"""

import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from engine.environment import ROOT, pulumi_environment
from tests.emulator.running import RunningEmulator, run_emulator
from tests.engine.test_language_host import Stack, write

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PROGRAM = """
    import json

    import pulumi
    import pulumi_alicloud as ali

    config = pulumi.Config()
    word = config.require("word")  # everything that can be changed in place says it
    labels = [{"key": "word", "value": word}]
    provider = ali.Provider(
        "loopback", region="cn-hangzhou", protocol="HTTP", skip_region_validation=True,
        account_id="1234567890123456", account_type="Domestic",
    )
    use = pulumi.ResourceOptions(provider=provider)

    def document(**statement):
        return json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", **statement}]})

    role = ali.ram.Role(
        "role", role_name="eas-resnet", description=word, max_session_duration=7200, tags={"word": word},
        assume_role_policy_document=document(
            Action="sts:AssumeRole", Principal={"Service": ["eas.pai.aliyuncs.com"]}), opts=use)
    policy = ali.ram.Policy(
        "policy", policy_name="read-models", description=word, tags={"word": word},
        policy_document=document(Action=["oss:GetObject"], Resource=[f"acs:oss:*:*:{word}/*"]), opts=use)
    ali.ram.RolePolicyAttachment(
        "custom", policy_name=policy.policy_name, policy_type="Custom", role_name=role.role_name, opts=use)
    ali.ram.RolePolicyAttachment(
        "system", policy_name="AliyunLogReadOnlyAccess", policy_type="System", role_name=role.role_name, opts=use)

    contact = ali.cms.AlarmContact(
        "contact", alarm_contact_name="anna", describe=word, channels_mail="anna@example.com", lang="en",
        channels_ding_web_hook=f"https://oapi.dingtalk.com/{word}", opts=use)
    group = ali.cms.AlarmContactGroup(
        "group", alarm_contact_group_name="on-call", describe=word, contacts=[contact.alarm_contact_name], opts=use)

    def level(threshold):
        return {"statistics": "Average", "comparison_operator": ">=", "threshold": threshold, "times": 3}

    ali.cms.Alarm(
        "alarm", name=f"slow {word}", project="acs_learn", metric="rt", period=60, silence_time=600,
        contact_groups=[group.alarm_contact_group_name], metric_dimensions='[{"serviceName": "resnet"}]',
        effective_interval="08:00-20:00", webhook="http://127.0.0.1:9/alarm", tags={"word": word},
        escalations_critical=level("800000"), escalations_warn=level("500000"), enabled=word == "first",
        targets=[{"target_id": "1", "level": "Critical", "json_params": "{}",
                  "arn": f"acs:mns:cn-hangzhou:1234567890123456:/queues/{word}/message"}], opts=use)
    ali.cms.Alarm(
        "composite", name=f"busy {word}", project="acs_learn", metric="rt", opts=use,
        contact_groups=[group.alarm_contact_group_name],
        composite_expression={"level": "WARN", "times": 3, "expression_list_join": "&&", "expression_lists": [
            {"metric_name": metric, "statistics": "Average", "comparison_operator": ">", "threshold": "1",
             "period": "60"} for metric in ("rt", "qps_total")]})

    oss = "oss://shop.oss-cn-hangzhou.aliyuncs.com"
    dataset = ali.pai.WorkspaceDataset(
        "dataset", dataset_name=f"products-{word}", workspace_id="1000", data_source_type="OSS", data_type="PIC",
        property="DIRECTORY", uri=f"{oss}/images/", description=word, labels=labels, opts=use)
    ali.pai.WorkspaceDatasetversion(
        "datasetversion", dataset_id=dataset.id, data_source_type="OSS", property="DIRECTORY", uri=f"{oss}/images/2/",
        description=word, data_count=60000, source_type="USER", source_id="1", opts=use)
    model = ali.pai.WorkspaceModel(
        "model", model_name=f"resnet-{word}", workspace_id="1000", model_description=word, domain="cv",
        accessibility="PUBLIC", extra_info={"word": word}, labels=labels, opts=use)
    ali.pai.WorkspaceModelVersion(
        "modelversion", model_id=model.id, version_name="0.1.0", uri=f"{oss}/models/", version_description=word,
        format_type="TorchScript", framework_type="Pytorch", approval_status="Approved", labels=labels,
        source_type="Custom", source_id="1", metrics={"accuracy": "0.9"}, inference_spec={"word": word}, opts=use)
    ali.pai.WorkspaceCodeSource(
        "code", display_name=f"training-{word}", workspace_id="1000", accessibility="PUBLIC", mount_path="/root/code",
        code_repo="https://example.com/training.git", code_branch=word, opts=use)
    ali.pai.WorkspaceExperiment(
        "experiment", experiment_name=f"crops-{word}", workspace_id="1000", artifact_uri=f"{oss}/runs/", opts=use)
"""
WORD_IN_PLACE = {
    "alicloud:ram/role:Role", "alicloud:ram/policy:Policy", "alicloud:cms/alarmContact:AlarmContact",
    "alicloud:cms/alarmContactGroup:AlarmContactGroup", "alicloud:cms/alarm:Alarm",
    "alicloud:pai/workspaceDataset:WorkspaceDataset", "alicloud:pai/workspaceDatasetversion:WorkspaceDatasetversion",
    "alicloud:pai/workspaceModel:WorkspaceModel", "alicloud:pai/workspaceModelVersion:WorkspaceModelVersion",
    "alicloud:pai/workspaceCodeSource:WorkspaceCodeSource", "alicloud:pai/workspaceExperiment:WorkspaceExperiment",
}  # fmt: skip


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with run_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, emulator: RunningEmulator) -> Stack:
    environment = pulumi_environment(
        environ={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PULUMI_BACKEND_URL": f"file://{write(tmp_path / 'state')}",
            "PULUMI_CONFIG_PASSPHRASE": "a test's",
            "NO_COLOR": "1",
            "HTTP_PROXY": emulator.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "ALICLOUD_ACCESS_KEY": ACCESS_KEY_ID,
            "ALICLOUD_SECRET_KEY": ACCESS_KEY_SECRET,
        }
    )
    assert shutil.which("pulumi", path=environment["PATH"]), "no pulumi: run `make setup`"
    project = f"""
        name: walk
        runtime: {{name: python, options: {{virtualenv: {ROOT / ".venv"}}}}}
    """
    made = Stack(write(tmp_path / "program", **{"Pulumi.yaml": project, "__main__.py": PROGRAM}), environment)
    made.pulumi("stack", "init", "dev")
    made.set(word="first")
    return made


def steps(printed: str) -> dict[str, Counter[str]]:
    """What `preview --json` would do, by operation and type of resource."""
    planned: dict[str, Counter[str]] = {}
    for step in json.loads(printed)["steps"]:
        planned.setdefault(step["op"], Counter())[step["newState"]["type"]] += 1
    return planned


def documents(emulator: RunningEmulator) -> list[str]:
    """What the emulator keeps, but no history, seen from outside: `emulator.state` belongs to the server's thread."""
    with closing(sqlite3.connect(emulator.state.settings.data_dir / "state.sqlite")) as database:
        rows = database.execute("SELECT kind, key FROM documents")
        return [f"{kind} {key}" for kind, key in rows if kind not in ("cms.outbox", "cms.system_events")]


def test_every_resource_is_made_changed_in_place_and_deleted_without_drift(
    stack: Stack, emulator: RunningEmulator
) -> None:
    stack.up()
    assert len(documents(emulator)) > 10
    stack.pulumi("refresh", "--yes", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")

    stack.set(word="second")
    planned = steps(stack.pulumi("preview", "--json"))
    assert set(planned) == {"same", "update"}
    assert set(planned["update"]) == WORD_IN_PLACE

    stack.up()
    stack.pulumi("refresh", "--yes", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")

    stack.pulumi("destroy", "--yes")
    assert documents(emulator) == []
