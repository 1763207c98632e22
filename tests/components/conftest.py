"""What the Pulumi engine is asked to register, without an engine."""

import asyncio
import atexit
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pulumi
import pytest


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Registrations by name. Resources get their inputs as outputs, and what else `outputs` names for their type."""

    registered: dict[str, pulumi.runtime.MockResourceArgs] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.registered[args.name] = args
        return f"{args.name}-id", args.inputs | self.outputs.get(args.typ, {})

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program called {args.token}")


@cache
def event_loop_of_all() -> asyncio.AbstractEventLoop:
    """Pulumi keeps to the first that it meets. It is held here, since other tests put none in its place."""
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


@pytest.fixture
def engine() -> Recorder:
    asyncio.set_event_loop(event_loop_of_all())
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="paistack", stack="test", preview=False)
    return recorder


@pytest.fixture
def run() -> Callable[[Callable[[], object]], None]:
    """Runs a program to its end: only then has every registration landed."""

    def run(program: Callable[[], object]) -> None:
        @pulumi.runtime.test  # type: ignore[untyped-decorator]
        def whole() -> None:
            program()

        whole()

    return run
