"""A dynamic resource that does nothing."""

from typing import Any

from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class NothingProvider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(str(props["number"]), props)


class Nothing(Resource, module="bench", name="Nothing"):
    def __init__(self, name: str, number: int) -> None:
        super().__init__(NothingProvider(), name, {"number": number})
