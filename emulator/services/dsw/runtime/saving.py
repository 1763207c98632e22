"""Making an image of an instance."""

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Literal

from emulator.services.dsw.records import Instance, Snapshot

if TYPE_CHECKING:
    from emulator.services.dsw.state import DswState


async def save_running(state: "DswState", snapshot: Snapshot) -> None:
    """Makes the image of an instance that runs on; its status is `Saving` already."""
    ended = await _make(state, snapshot)
    instance = state.instances.get(snapshot.instance_id)
    if instance is not None and instance.status == "Saving":  # it may have been stopped meanwhile
        state.set_status(instance.id, ended)
        state.set_status(instance.id, "Running")


async def save_stopping(state: "DswState", instance: Instance) -> None:
    """Makes the image that `StopInstance` asks for with `SaveImage`."""
    now = state.now()
    version = f"{now:%Y%m%d%H%M%S}"
    image_url = f"dsw-registry.{instance.region}.cr.aliyuncs.com/{state.account_id}/{instance.id}:{version}"
    state.set_status(instance.id, "Saving")
    ended = await _make(state, new_snapshot(state, instance, name=f"{instance.name}_{version}", image_url=image_url))
    state.set_status(instance.id, ended)
    state.set_status(instance.id, "Stopping")


def new_snapshot(state: "DswState", instance: Instance, **described: Any) -> Snapshot:
    """Stores a snapshot of which nothing is made yet."""
    now = state.now()
    snapshot = Snapshot(
        id=f"snapshot-{secrets.token_hex(8)}", instance_id=instance.id, created_at=now, modified_at=now, **described
    )
    state.snapshots.put(_key(snapshot), snapshot)
    return snapshot


async def _make(state: "DswState", snapshot: Snapshot) -> Literal["Saved", "SaveFailed"]:
    home = state.home(snapshot.instance_id) / "root"
    try:
        packed = await asyncio.to_thread(state.images.commit, home, snapshot.image_url, snapshot.exclude_paths)
        _progress(state, snapshot, status="Pushing")
        await asyncio.to_thread(state.images.push, packed, snapshot.image_url)
    except OSError as error:
        _progress(state, snapshot, status="Failed", reason_code="InternalError", reason_message=str(error))
        return "SaveFailed"
    _progress(state, snapshot, status="Saved", image_id=f"image-{secrets.token_hex(9)}")
    return "Saved"


def _progress(state: "DswState", snapshot: Snapshot, **changes: object) -> None:
    stored = state.snapshots.get(_key(snapshot))
    if stored is not None:  # it may have been deleted meanwhile
        state.snapshots.put(_key(snapshot), stored.model_copy(update={**changes, "modified_at": state.now()}))


def _key(snapshot: Snapshot) -> str:
    return f"{snapshot.instance_id}/{snapshot.id}"
