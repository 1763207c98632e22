"""Reading a state that another run is writing."""

import os
from pathlib import Path

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


def test_other_complaints_are_told_at_once(tmp_path: Path) -> None:
    stack = PulumiStack("dev", tmp_path, tmp_path, pulumi_that_complains(tmp_path, "error: no such stack", 9))
    with pytest.raises(JobError, match="`pulumi stack export` failed: error: no such stack"):
        stack.export_state()
    assert (tmp_path / "calls").read_text() == "x\n"


def test_a_state_that_stays_broken_is_told(tmp_path: Path) -> None:
    stack = PulumiStack("dev", tmp_path, tmp_path, pulumi_that_complains(tmp_path, "error: EOF", 99))
    with pytest.raises(JobError, match="error: EOF"):
        stack.export_state()
