"""Pulumi's wire format, for tests that call a provider as the engine does."""

from typing import Any

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc


def on_the_wire(**props: Any) -> dict[str, Any]:
    """Properties as the engine hands them over: integers become floats, unknowns become objects."""
    message = Struct()
    message.update(props)
    deserialized: dict[str, Any] = rpc.deserialize_properties(message, keep_unknowns=True)
    return deserialized
