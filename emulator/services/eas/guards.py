"""What keeps a service from being changed."""

from emulator.errors import ApiError
from emulator.services.eas.records import Service


def refuse_when_going(service: Service) -> None:
    if service.target == "deleted":
        raise ApiError("InvalidService.Status", f"Service [{service.name}] is being deleted.", 409)


def refuse_when_locked(service: Service, *, dangerous: bool = False) -> None:
    """`dangerous`: the change deletes or stops the service (UpdateServiceSafetyLock)."""
    if service.safety_lock == "all" or (dangerous and service.safety_lock == "dangerous"):
        message = f"Service [{service.name}] is locked ({service.safety_lock}); set its safety lock to none first."
        raise ApiError("InvalidService.Locked", message, 409)
