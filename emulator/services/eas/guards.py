"""What keeps a service from being changed."""

from emulator.errors import ApiError
from emulator.services.eas.records import Service


def refuse_when_going(service: Service) -> None:
    if service.target == "deleted":
        raise ApiError("InvalidService.Status", f"Service [{service.name}] is being deleted.", 409)
