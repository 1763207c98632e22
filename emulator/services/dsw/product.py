"""The product that DSW's operations register themselves at, and the envelope of its answers."""

from emulator.errors import ApiError
from emulator.operations import Answer, Product

dsw = Product("pai-dsw", "2022-01-01", "ROA", registered_by="emulator.services.dsw.operations")

INSTANCES = "/api/v2/instances"
INSTANCE = f"{INSTANCES}/{{instance_id}}"


def succeeded(*, with_http_status: bool = True, **fields: object) -> Answer:
    """`fields` in the envelope of a success: `Code` and `Message` are null then, as GetInstance documents. The
    responses of some operations have no HttpStatusCode."""
    status = {"HttpStatusCode": 200} if with_http_status else {}
    return {"Success": True, "Code": None, "Message": None, **status, **fields}


def refusal(message: str, status: int = 400) -> ApiError:
    """DSW documents one code for all that is wrong with a request, ValidationError, and the status 400 or 404."""
    details = {"Success": False, "HttpStatusCode": status}
    return ApiError("ValidationError", message, status, details=details)
