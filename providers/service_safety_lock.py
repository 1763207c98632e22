"""ServiceSafetyLock: what EAS refuses to do to a service until the lock is taken off."""

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import EasProvider, LiveService


class SafetyLockInputs(ResourceInputs):
    """`lock` is none, dangerous (stopping and deleting are refused) or all (every change is)."""

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    lock: str
    adopt: bool


class SafetyLockProvider(EasProvider[SafetyLockInputs]):
    inputs = SafetyLockInputs

    @override
    def make(self, wanted: SafetyLockInputs) -> tuple[str, Props]:
        live = LiveService.describe(self.eas, wanted.cluster_id, wanted.service_name)
        if live.safety_lock not in ("none", wanted.lock):
            refuse_existing(f"a safety lock ({live.safety_lock}) on {wanted.service_name}", wanted.adopt)
        self._set(wanted, wanted.lock)
        return f"{wanted.cluster_id}/{wanted.service_name}", {}

    @override
    def find(self, id_: str, known: SafetyLockInputs, outputs: Props) -> Found[SafetyLockInputs]:
        live = LiveService.describe(self.eas, known.cluster_id, known.service_name)
        return Found(known.model_copy(update={"lock": live.safety_lock}), {})

    @override
    def change(self, id_: str, before: SafetyLockInputs, wanted: SafetyLockInputs) -> Props:
        self._set(wanted, wanted.lock)
        return {}

    @override
    def remove(self, id_: str, known: SafetyLockInputs) -> None:
        """Unlocks the service: a service that may be deleted by Pulumi is deleted after its lock."""
        self._set(known, "none")

    def _set(self, wanted: SafetyLockInputs, lock: str) -> None:
        from alibabacloud_eas20210701.models import UpdateServiceSafetyLockRequest

        request = UpdateServiceSafetyLockRequest(lock=lock)
        self.eas.update_service_safety_lock(wanted.cluster_id, wanted.service_name, request)


class ServiceSafetyLock(Resource, module="eas", name="ServiceSafetyLock"):
    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        lock: Input[str],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {"cluster_id": cluster_id, "service_name": service_name, "lock": lock, "adopt": adopt}
        super().__init__(SafetyLockProvider(), name, props, opts)
