"""Reading a state that another run is writing."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from jobs.problem import JobError
from jobs.pulumi_stack import PulumiStack


def pulumi_that_complains(folder: Path, complaint: str, times: int) -> dict[str, str]:
    """An environment with a `pulumi` that fails so often, and then prints a state."""
    script = folder / "pulumi"
    script.write_text(
        f"""#!/bin/sh
echo x >> {folder}/calls
if [ $(wc -l < {folder}/calls) -le {times} ]; then echo "{complaint}" >&2; exit 1; fi
echo '{{"version": 3}}'
"""
    )
    script.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("complaint", ["error: EOF", "error: could not read: unexpected end of JSON input"])
def test_a_half_written_state_is_read_again(tmp_path: Path, complaint: str) -> None:
    stack = PulumiStack("dev", tmp_path, tmp_path, pulumi_that_complains(tmp_path, complaint, 2))
    assert stack.export_state() == {"version": 3}
    assert (tmp_path / "calls").read_text() == "x\n" * 3


def test_what_a_killed_run_left_empty_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "a state"
    stacks = folder / ".pulumi" / "stacks" / "paistack"
    stacks.mkdir(parents=True)
    for name, content in {"dev.json": "{}", "dev.json.attrs": "", "local.json.attrs": "{}", "empty.json": ""}.items():
        (stacks / name).write_text(content)
    url = {"PULUMI_BACKEND_URL": f"file://{quote(str(folder))}?metadata=skip"}
    stack = PulumiStack("dev", tmp_path, tmp_path, {**pulumi_that_complains(tmp_path, "error: EOF", 5), **url})

    assert stack.export_state() == {"version": 3}
    assert {file.name for file in stacks.iterdir()} == {"dev.json", "local.json.attrs", "empty.json"}


def test_other_complaints_are_told_at_once(tmp_path: Path) -> None:
    stack = PulumiStack("dev", tmp_path, tmp_path, pulumi_that_complains(tmp_path, "error: no such stack", 9))
    with pytest.raises(JobError, match="`pulumi stack export` failed: error: no such stack"):
        stack.export_state()
    assert (tmp_path / "calls").read_text() == "x\n"


def test_a_state_that_stays_broken_is_told(tmp_path: Path) -> None:
    stack = PulumiStack("dev", tmp_path, tmp_path, pulumi_that_complains(tmp_path, "error: EOF", 99))
    with pytest.raises(JobError, match="error: EOF"):
        stack.export_state()
