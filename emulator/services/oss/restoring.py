"""Objects in the archive storage classes, which must be restored before they can be read."""

from emulator.errors import ApiError
from emulator.services.oss import xml
from emulator.services.oss.objects import found
from emulator.services.oss.operations import operation
from emulator.services.oss.reply import Reply
from emulator.services.oss.request import OssRequest, natural
from emulator.services.oss.service import Oss

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400

# Seconds that a restoration takes at most, by storage class and tier.
DURATIONS_S = {
    "Archive": {"Standard": MINUTE_S},
    "ColdArchive": {"Expedited": HOUR_S, "Standard": 5 * HOUR_S, "Bulk": 12 * HOUR_S},
    "DeepColdArchive": {"Expedited": 12 * HOUR_S, "Standard": 48 * HOUR_S},
}
MAX_DAYS = 365


@operation("RestoreObject", "POST", "object", "restore", body="document")
def restore_object(oss: Oss, request: OssRequest) -> Reply:
    version, now = found(oss, request.bucket, request.key, request.version_id), int(request.now.timestamp())
    tiers = DURATIONS_S.get(version.storage_class)
    if tiers is None:
        message = f"The operation is not supported for the storage class {version.storage_class}."
        raise ApiError("OperationNotSupported", message)
    days, tier = _asked(request.document)
    if tier not in tiers:
        raise xml.malformed(f"Tier is {tier}; {version.storage_class} has {', '.join(tiers)}")
    headers = {} if version.storage_class == "Archive" else {"x-oss-object-restore-priority": tier}
    if version.readable_from > now:
        raise ApiError("RestoreAlreadyInProgress", "The restore operation is in progress.", 409)
    if version.readable_until > now:
        oss.index.update(version, readable_until=now + days * DAY_S)
        return Reply(200, headers)
    ready = now + tiers[tier]
    oss.index.update(version, readable_from=ready, readable_until=ready + days * DAY_S)
    return Reply(202, headers)


def _asked(body: bytes) -> tuple[int, str]:
    """For how many days the object is to be readable, and how fast it must be."""
    if not body:
        return 1, "Standard"
    root = xml.read(body, "RestoreRequest")
    days = natural(xml.text(root, "Days", "1"))
    if days is None or not 1 <= days <= MAX_DAYS:
        raise xml.malformed(f"Days is {xml.text(root, 'Days')}, not a number from 1 to {MAX_DAYS}")
    return days, xml.text(root, "JobParameters/Tier", "Standard")


@operation("CleanRestoredObject", "POST", "object", "cleanRestoredObject")
def clean_restored_object(oss: Oss, request: OssRequest) -> Reply:
    version, now = found(oss, request.bucket, request.key, request.version_id), int(request.now.timestamp())
    if version.storage_class not in DURATIONS_S:
        message = f"The operation is not supported for the storage class {version.storage_class}."
        raise ApiError("OperationNotSupported", message)
    if version.readable_from > now:
        raise ApiError("ArchiveRestoreFileStale", "The restore operation is in progress.", 409)
    oss.index.update(version, readable_from=0, readable_until=0)
    return Reply(200)
