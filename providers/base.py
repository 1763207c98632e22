"""Dynamic resources whose inputs say, field by field, what changing them does.

A subclass names its input model and talks to the cloud; everything Pulumi-shaped is here, once: checking, diffing,
reading, parsing what came over the wire, and what is not there any more.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.runtime.rpc import contains_unknowns
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from Tea.exceptions import TeaException

from cloud.target import Credentials, Target, check_environment

Props = dict[str, Any]


class ReplaceOnChange:
    """Marks an input that the cloud cannot change in place."""


T = TypeVar("T")
Immutable = Annotated[T, ReplaceOnChange()]


class ResourceInputs(BaseModel):
    """The inputs of one dynamic resource; without defaults, which belong to settings."""

    # The program imports every model and validates none: that is the provider's part, in a process of its own.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    @classmethod
    def immutable_fields(cls) -> set[str]:
        """The inputs whose change replaces the resource."""
        return {
            name
            for name, field in cls.model_fields.items()
            if any(isinstance(mark, ReplaceOnChange) for mark in field.metadata)
        }


Inputs = TypeVar("Inputs", bound=ResourceInputs)


@dataclass(frozen=True)
class Found(Generic[Inputs]):
    """A resource as the cloud has it: its inputs, and what only the cloud knows."""

    inputs: Inputs
    outputs: Props


class CloudError(Exception):
    """What the cloud answered instead of doing what was asked, or that it did not get there in time."""


class DeclaredProvider(ResourceProvider, Generic[Inputs]):
    """Subclasses live in importable modules, keep no state of a resource, and capture nothing."""

    serialize_as_secret_always = False  # only the class's name is pickled

    # What a subclass declares.
    inputs: type[Inputs]
    gone: frozenset[str] = frozenset()  # error codes that say that the resource is not there
    delete_before_replace = True  # False where the new one can stand beside the old one

    target: Target
    credentials: Credentials

    # What a subclass writes: calls to the cloud, no error handling. Outputs are whole each time.
    def make(self, wanted: Inputs) -> tuple[str, Props]:
        """Creates it; its id and outputs."""
        raise NotImplementedError

    def find(self, id_: str, known: Inputs, outputs: Props) -> Found[Inputs]:
        """What is there, given what was known; raises with a code of `gone` when nothing is."""
        raise NotImplementedError

    def change(self, id_: str, before: Inputs, wanted: Inputs) -> Props:
        """Brings it from one to the other; its outputs."""
        raise NotImplementedError

    def remove(self, id_: str, known: Inputs) -> None:
        """Deletes it."""
        raise NotImplementedError

    def is_gone(self, error: TeaException) -> bool:
        """Whether an answer says that the resource is not there; to be overridden where codes do not tell."""
        return error.code in self.gone

    # What a subclass may use.
    def there(self, ask: Callable[[], T]) -> T | None:
        """What `ask` answers; None when the cloud says that there is no such thing."""
        try:
            return ask()
        except TeaException as error:
            if not self.is_gone(error):
                raise
            return None

    # What Pulumi calls.
    def configure(self, req: ConfigureRequest) -> None:
        # The engine shows what a provider raises as a whole traceback, and refusals need none.
        sys.tracebacklimit = 0
        self.target = Target.model_validate_json(req.config.require("target"))
        self.credentials = check_environment(self.target, os.environ)

    def check(self, _olds: Props, news: Props) -> CheckResult:
        try:
            self.inputs.model_validate(_own(news))
        except ValidationError as error:
            known = [e for e in error.errors() if not contains_unknowns(e["input"])]
            return CheckResult(news, [_failure(e) for e in known])
        return CheckResult(news, [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        changed = [name for name in self.inputs.model_fields if olds.get(name) != news.get(name)]
        immutable = self.inputs.immutable_fields()
        return DiffResult(
            changes=bool(changed),
            replaces=[name for name in changed if name in immutable],
            delete_before_replace=self.delete_before_replace,
        )

    def create(self, props: Props) -> CreateResult:
        try:
            id_, outputs = self.make(self._parse(props))
        except TeaException as error:
            raise _refusal(error) from None
        return CreateResult(id_, _own(props) | outputs)

    def read(self, id_: str, props: Props) -> ReadResult:
        known = self._parse(props)
        try:
            found = self.find(id_, known, _own(props))
        except TeaException as error:
            if self.is_gone(error):
                return ReadResult("", {})
            raise _refusal(error) from None
        inputs = found.inputs.model_dump()
        return ReadResult(id_, inputs | found.outputs, inputs=inputs)

    def update(self, id_: str, olds: Props, news: Props) -> UpdateResult:
        try:
            outputs = self.change(id_, self._parse(olds), self._parse(news))
        except TeaException as error:
            raise _refusal(error) from None
        return UpdateResult(_own(news) | outputs)

    def delete(self, id_: str, props: Props) -> None:
        try:
            self.remove(id_, self._parse(props))
        except TeaException as error:
            if not self.is_gone(error):
                raise _refusal(error) from None

    def _parse(self, props: Props) -> Inputs:
        own = {name: value for name, value in props.items() if name in self.inputs.model_fields}
        return self.inputs.model_validate(whole_numbers(own))


def refuse_existing(what: str, adopt: bool) -> None:
    """CloudError unless what exists is to be taken over."""
    if not adopt:
        raise CloudError(f"there is already {what}; delete it, or set adopt to take it over")


def wait_until(
    look: Callable[[], T], done: Callable[[T], bool], *, timeout_s: float, poll_s: float, late: Callable[[T], str]
) -> T:
    """What `look` sees once it is `done`, which raises CloudError when the cloud has given up.

    The first look is after `poll_s`: a status may lag behind what was just accepted. CloudError after `timeout_s`,
    with what `late` says of the last look: what was waited for, how it stands, and what to do.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        time.sleep(poll_s)
        seen = look()
        if done(seen):
            return seen
        if time.monotonic() > deadline:
            raise CloudError(f"waited {timeout_s:.0f} s for {late(seen)}")


def whole_numbers(value: Any) -> Any:
    """`value` with 2.0 as 2 everywhere: Pulumi's wire has only floats, and the cloud's JSON has integers."""
    match value:
        case dict():
            return {key: whole_numbers(item) for key, item in value.items()}
        case list():
            return [whole_numbers(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _own(props: Props) -> Props:
    """The resource's own properties: Pulumi adds `__provider` and the like."""
    return {key: value for key, value in props.items() if not key.startswith("__")}


def _failure(error: ErrorDetails) -> CheckFailure:
    return CheckFailure(".".join(map(str, error["loc"])), error["msg"])


def _refusal(error: TeaException) -> CloudError:
    return CloudError(f"{error.code}: {error.message}" if error.code else str(error))


def as_json(document: object) -> str:
    """Compact JSON with sorted keys, so that equal documents are equal strings."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
