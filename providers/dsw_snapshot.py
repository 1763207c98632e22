"""InstanceSnapshot: an image made of a DSW instance."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs, refuse_existing, wait_until
from providers.dsw_live import DswProvider


class InstanceSnapshotInputs(ResourceInputs):
    """`image_url` names repository and tag. With `overwrite`, an image that is there already is replaced."""

    instance_id: Immutable[str]
    snapshot_name: Immutable[str]
    image_url: Immutable[str]
    description: Immutable[str]
    exclude_paths: Immutable[list[str]]
    overwrite: bool
    adopt: bool
    timeout_s: int


class InstanceSnapshotProvider(DswProvider[InstanceSnapshotInputs]):
    inputs = InstanceSnapshotInputs

    @override
    def make(self, wanted: InstanceSnapshotInputs) -> tuple[str, Props]:
        snapshot_id = self._existing(wanted)
        if snapshot_id is None:
            snapshot_id = self._create(wanted)
        else:
            refuse_existing(f"a snapshot {wanted.snapshot_name} of {wanted.instance_id}", wanted.adopt)
        live = self._await_saved(wanted, snapshot_id)
        return f"{wanted.instance_id}/{snapshot_id}", _outputs(live)

    @override
    def find(self, id_: str, known: InstanceSnapshotInputs, outputs: Props) -> Found[InstanceSnapshotInputs]:
        live = self._get(*id_.split("/"))
        seen = {"snapshot_name": live.snapshot_name, "image_url": live.image_url}
        return Found(known.model_copy(update=seen), _outputs(live))

    @override
    def change(self, id_: str, before: InstanceSnapshotInputs, wanted: InstanceSnapshotInputs) -> Props:
        """What can change without another snapshot is only how the next one is made."""
        return _outputs(self._get(*id_.split("/")))

    @override
    def remove(self, id_: str, known: InstanceSnapshotInputs) -> None:
        self.dsw.delete_instance_snapshot(*id_.split("/"))

    def _get(self, instance_id: str, snapshot_id: str) -> Any:
        return self.dsw.get_instance_snapshot(instance_id, snapshot_id).body

    def _existing(self, wanted: InstanceSnapshotInputs) -> str | None:
        from alibabacloud_pai_dsw20220101.models import ListInstanceSnapshotRequest

        request = ListInstanceSnapshotRequest(page_size=100)
        snapshots = self.dsw.list_instance_snapshot(wanted.instance_id, request).body.snapshots or []
        same = (snapshot.snapshot_id for snapshot in snapshots if snapshot.snapshot_name == wanted.snapshot_name)
        return next(same, None)

    def _create(self, wanted: InstanceSnapshotInputs) -> str:
        from alibabacloud_pai_dsw20220101.models import CreateInstanceSnapshotRequest

        request = CreateInstanceSnapshotRequest(
            snapshot_name=wanted.snapshot_name,
            image_url=wanted.image_url,
            snapshot_description=wanted.description or None,
            exclude_paths=wanted.exclude_paths or None,
            overwrite=wanted.overwrite,
        )
        return str(self.dsw.create_instance_snapshot(wanted.instance_id, request).body.snapshot_id)

    def _await_saved(self, wanted: InstanceSnapshotInputs, snapshot_id: str) -> Any:
        what = f"the snapshot {wanted.snapshot_name} of {wanted.instance_id}"

        def told(live: Any) -> str:
            return f": {live.reason_message}" if live.reason_message else ""

        def saved(live: Any) -> bool:
            if live.status == "Failed":
                raise CloudError(f"{what} failed{told(live)}")
            return bool(live.status == "Saved")

        return wait_until(
            lambda: self._get(wanted.instance_id, snapshot_id),
            saved,
            timeout_s=wanted.timeout_s,
            poll_s=self.poll_s,
            late=lambda live: f"{what} to be saved; it is {live.status}{told(live)}",
        )


class InstanceSnapshot(Resource, module="dsw", name="InstanceSnapshot"):
    image_id: Output[str]
    """What another instance is started from, as its image."""
    status: Output[str]

    def __init__(
        self,
        name: str,
        *,
        instance_id: Input[str],
        snapshot_name: Input[str],
        image_url: Input[str],
        description: Input[str],
        exclude_paths: Input[list[str]],
        overwrite: Input[bool],
        adopt: Input[bool],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "instance_id": instance_id,
            "snapshot_name": snapshot_name,
            "image_url": image_url,
            "description": description,
            "exclude_paths": exclude_paths,
            "overwrite": overwrite,
            "adopt": adopt,
            "timeout_s": timeout_s,
            "image_id": None,
            "status": None,
        }
        super().__init__(InstanceSnapshotProvider(), name, props, opts)


def _outputs(live: Any) -> Props:
    return {"image_id": live.image_id or "", "status": live.status}
