"""What is told of an instance by GetInstance and ListInstances alike."""

from emulator.clock import iso
from emulator.operations import Answer
from emulator.services.dsw.records import Instance, Snapshot
from emulator.services.dsw.specs import spec_of
from emulator.services.dsw.state import DswState

# Settings that are answered under the name and in the form in which they were sent.
AS_SENT = (
    "Accessibility", "Affinity", "CloudDisks", "CredentialConfig", "Driver", "DynamicMount", "EcsSpec",
    "EnvironmentVariables", "ImageId", "ImageUrl", "InstanceName", "Priority", "RequestedResource", "ResourceId",
    "UserVpc", "WorkspaceId", "WorkspaceSource",
)  # fmt: skip


def described(state: DswState, instance: Instance) -> Answer:
    settings = instance.settings
    snapshots = state.snapshots.values(f"{instance.id}/")
    answer: Answer = {name: settings[name] for name in AS_SENT if name in settings} | {
        "InstanceId": instance.id,
        "Status": instance.status,
        "ReasonCode": instance.reason_code,
        "ReasonMessage": instance.reason_message,
        "PaymentType": payment_type(instance),
        "AcceleratorType": accelerator(instance),
        "ResourceName": settings.get("EcsSpec") or _size(settings["RequestedResource"]),
        "AccumulatedRunningTimeInMs": instance.running_ms(state.now()),
        "GmtCreateTime": iso(instance.created_at),
        "GmtModifiedTime": iso(instance.modified_at),
        "UserId": instance.user_id,
        "WorkspaceName": state.workspace_name(instance.workspace_id),
        "Datasets": [{"MountAccess": "RW", **dataset} for dataset in settings.get("Datasets", [])],
        "Labels": [{"Key": key, "Value": value} for key, value in sorted(instance.labels.items())],
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in sorted(instance.tags.items())],
        "InstanceSnapshotList": [_image(snapshot) for snapshot in snapshots],
        **_addresses(instance),
    }
    if "ImageAuth" in settings:
        answer["ImageAuth"] = "******"
    if snapshots:
        answer["LatestSnapshot"] = _image(max(snapshots, key=lambda snapshot: snapshot.created_at))
    if culler := state.culler_answer(instance):
        answer["IdleInstanceCuller"] = culler
    if timer := state.timer_answer(instance):
        answer["InstanceShutdownTimer"] = timer
    return answer


def payment_type(instance: Instance) -> str:
    return "Subscription" if "ResourceId" in instance.settings else "PayAsYouGo"


def accelerator(instance: Instance) -> str:
    return spec_of(instance.settings).accelerator


def _size(asked: dict[str, str]) -> str:
    return f"{asked['CPU']} CPU {asked['Memory']}"


def _addresses(instance: Instance) -> Answer:
    """The notebook is on the loopback, in the cloud behind a gateway that asks for a login. There is neither a Web IDE
    nor a terminal beside JupyterLab's own."""
    if not instance.port:
        return {}
    url = f"http://127.0.0.1:{instance.port}/lab"
    return {"InstanceUrl": url, "JupyterlabUrl": url}


def _image(snapshot: Snapshot) -> Answer:
    return {
        "ImageId": snapshot.image_id,
        "ImageName": snapshot.name,
        "ImageUrl": snapshot.image_url,
        "RepositoryUrl": snapshot.image_url.rpartition(":")[0],
        "GmtCreateTime": iso(snapshot.created_at),
        "GmtModifiedTime": iso(snapshot.modified_at),
        "ReasonCode": snapshot.reason_code,
        "ReasonMessage": snapshot.reason_message,
        "Status": snapshot.status,
    }
