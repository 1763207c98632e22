"""The product to which CloudMonitor's operations are registered, and the frame that its answers share."""

from typing import Any

from emulator.operations import Answer, Product

cms = Product("cms", "2019-01-01", "RPC", registered_by="emulator.services.cms.operations")


def succeeded(**fields: Any) -> Answer:
    """The provider looks at `Code`, which is a string in most answers of CloudMonitor."""
    return {"Success": True, "Code": "200", **fields}
