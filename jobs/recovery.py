"""What an update that was cut off left behind, and how the next one goes on from there.

A run that was killed leaves a lock that nobody holds, operations that the state calls pending, and objects in the cloud
that the state does not know, because their creation was acknowledged to a process that is gone. The provider would
fail to create the last again; those that carry the stack's mark are therefore imported into the state.
"""

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from cloud.target import Credentials, Target
from jobs.console import say
from jobs.existing import CloudObjects, Existing
from jobs.problem import JobError
from jobs.pulumi_stack import PROJECT, PulumiStack

_DYNAMIC = "pulumi-python:dynamic/"

State = dict[str, Any]
ImportFile = dict[str, Any]


@dataclass(frozen=True)
class PlannedCreate:
    """An object that a preview would create, by its type and name in the program."""

    type: str
    name: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Adoption:
    """An object that exists in the cloud, belongs to the stack, and is to be imported under its id."""

    type: str
    name: str
    id: str


class Lookup(Protocol):
    """Finds an object of the cloud by the inputs that would create it."""

    def find(self, type_: str, inputs: Mapping[str, Any], /) -> Existing | None:
        """None when there is no such object."""


def recover(stack: PulumiStack, target: Target, credentials: Credentials) -> None:
    """Makes good what an interrupted run left behind; does nothing, and asks nobody, after one that succeeded."""
    release_stale_lock(stack)
    state = stack.export_state()
    if not pending_operations(state) and stack.last_result() in (None, "succeeded"):
        return
    say("The last run did not end well: looking for what it left behind")
    if doubtful := doubtful_resources(state):
        targets = [option for urn in doubtful for option in ("--target", urn)]
        stack.capture("refresh", "--yes", "--skip-preview", *targets)
    # An object can only be looked for once those that it is made from are known; so until nothing is found any more.
    objects = CloudObjects(target, credentials, f"{PROJECT}/{stack.name}")
    while adopt(stack, objects):
        pass
    # Last, since they are what tells the next run to look, should this one be cut off too.
    state = stack.export_state()
    if pending_operations(state):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state.json"
            file.write_text(json.dumps(without_pending_operations(state)))
            stack.import_state(file)


def adopt(stack: PulumiStack, objects: Lookup) -> bool:
    """Imports what a preview would create although it exists and is the stack's own; whether there was any."""
    planned, template = plan(stack)
    adoptions = adoptable(planned, objects)
    if not adoptions:
        return False
    say(f"Adopting {', '.join(adoption.id for adoption in adoptions)}: created, but not in the state")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "import.json"
        file.write_text(json.dumps(import_file(template, adoptions)))
        arguments = ["--yes", "--skip-preview", "--protect=false", "--generate-code=false"]
        stack.capture("import", "--file", str(file), *arguments)
    return True


def pending_operations(state: State) -> list[dict[str, Any]]:
    """Operations that were begun and of which nobody knows the end."""
    deployment = state.get("deployment") or {}
    return deployment.get("pending_operations") or []


def doubtful_resources(state: State) -> list[str]:
    """URNs of objects that may be otherwise than the state says.

    Of those that were created, but whose creation failed after that, it knows the ids and little else, and the next
    update would take what it does not know for changed. Of our own dynamic resources it keeps the inputs from before an
    update that failed, though the cloud may have begun it: with the settings of before, nothing would seem to be
    changed, and what has failed would stay.
    """
    deployment = state.get("deployment") or {}
    return [
        resource["urn"]
        for resource in deployment.get("resources") or []
        if resource.get("initErrors") or resource.get("type", "").startswith(_DYNAMIC)
    ]


def without_pending_operations(state: State) -> State:
    """Safe once created objects are adopted: an update or deletion that was cut off is simply planned again."""
    deployment = {key: value for key, value in state["deployment"].items() if key != "pending_operations"}
    return state | {"deployment": deployment}


def plan(stack: PulumiStack) -> tuple[list[PlannedCreate], ImportFile]:
    """What a preview would create, and the import file that it writes for that."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "import.json"
        preview = json.loads(stack.capture("preview", "--json", "--show-secrets", "--import-file", str(file)))
        template: ImportFile = json.loads(file.read_text()) if file.exists() else {}
    return planned_creates(preview), template


def planned_creates(preview: dict[str, Any]) -> list[PlannedCreate]:
    """The objects that the steps of `pulumi preview --json` would create."""
    return [
        PlannedCreate(step["newState"]["type"], step["urn"].rpartition("::")[2], step["newState"].get("inputs", {}))
        for step in preview["steps"]
        if step["op"] == "create"
    ]


def adoptable(planned: Iterable[PlannedCreate], objects: Lookup) -> list[Adoption]:
    """The planned objects that exist and are the stack's own; JobError for one that exists and is not."""
    adoptions = []
    for create in planned:
        found = objects.find(create.type, create.inputs)
        if found is None:
            continue
        if not found.owned:
            raise JobError(
                f"{create.type} {found.id} exists, but does not carry this stack's tag, so somebody else may rely on "
                f"it. Delete it, rename it in the stack's settings, or take it over with\n"
                f"  pulumi import {create.type} {create.name} {found.id}"
            )
        adoptions.append(Adoption(create.type, create.name, found.id))
    return adoptions


def import_file(template: ImportFile, adoptions: Iterable[Adoption]) -> ImportFile:
    """For `pulumi import --file`: the adopted objects under their ids, and parents and providers, which have none."""
    ids = {(adoption.type, adoption.name): adoption.id for adoption in adoptions}
    resources = []
    for entry in template["resources"]:
        key = (entry["type"], entry.get("logicalName", entry["name"]))
        if key in ids:
            resources.append(entry | {"id": ids[key]})
        elif "id" not in entry:
            resources.append(entry)
    return template | {"resources": resources}


def release_stale_lock(stack: PulumiStack) -> None:
    """Removes the lock of a process on this machine that is no more; JobError while another run holds it."""
    holders = [json.loads(lock.read_text()) for lock in _locks(stack)]
    for holder in holders:
        if holder["hostname"] != socket.gethostname() or _runs_pulumi(holder["pid"]):
            raise JobError(
                f"another run is at work on stack {stack.name}: {holder['username']}@{holder['hostname']}, process "
                f"{holder['pid']}, since {holder['timestamp']}; wait for it, or end it"
            )
    if holders:
        say(f"Releasing the lock of a run that was killed (process {holders[0]['pid']})")
        stack.cancel()


def _locks(stack: PulumiStack) -> list[Path]:
    backend = urlsplit(stack.environment.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return []
    folder = Path(unquote(backend.path)) / ".pulumi" / "locks" / "organization" / PROJECT / stack.name
    return sorted(folder.glob("*.json"))


def _runs_pulumi(pid: int) -> bool:
    """Whether that process is there and has not ended; its number may have gone to another program since."""
    asked = ["ps", "-o", "stat=", "-o", "comm=", "-p", str(pid)]
    shown = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return "pulumi" in shown and not shown.startswith("Z")
