"""What every dynamic resource does, with one that keeps its objects in a dictionary."""

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.runtime import rpc
from pydantic import Field
from Tea.exceptions import TeaException
from typing_extensions import override

from cloud.target import Target
from providers.base import CloudError, DeclaredProvider, Found, Immutable, Props, ResourceInputs, whole_numbers
from tests.providers.wire import on_the_wire

SHELVES: dict[str, dict[str, object]] = {}


class ShelfInputs(ResourceInputs):
    room: Immutable[str]
    boards: int = Field(ge=1)


class ShelfProvider(DeclaredProvider[ShelfInputs]):
    inputs = ShelfInputs
    gone = frozenset({"Shelf.NotFound"})

    @override
    def make(self, wanted: ShelfInputs) -> tuple[str, Props]:
        SHELVES[wanted.room] = wanted.model_dump()
        return wanted.room, {"colour": "oak"}

    @override
    def find(self, id_: str, known: ShelfInputs, outputs: Props) -> Found[ShelfInputs]:
        if id_ not in SHELVES:
            raise TeaException({"code": "Shelf.NotFound", "message": "no such shelf"})
        return Found(ShelfInputs.model_validate(SHELVES[id_]), {"colour": "oak"})

    @override
    def change(self, id_: str, before: ShelfInputs, wanted: ShelfInputs) -> Props:
        if wanted.boards > 9:
            raise TeaException({"code": "Shelf.TooHigh", "message": "it would fall"})
        SHELVES[id_] = wanted.model_dump()
        return {"colour": "oak"}

    @override
    def remove(self, id_: str, known: ShelfInputs) -> None:
        if SHELVES.pop(id_, None) is None:
            raise TeaException({"code": "Shelf.NotFound", "message": "no such shelf"})


SHELF = on_the_wire(room="hall", boards=3)


def create(provider: ShelfProvider) -> tuple[str, Props]:
    created = provider.create(SHELF | {"__provider": "pickle"})
    return created.id, created.outs or {}


@pytest.fixture
def provider() -> ShelfProvider:
    SHELVES.clear()
    return ShelfProvider()


def test_what_is_created_reads_back_the_same(provider: ShelfProvider) -> None:
    id_, outputs = create(provider)

    read = provider.read(id_, outputs)
    assert read.inputs == SHELF
    assert read.outs == outputs == SHELF | {"colour": "oak"}


def test_numbers_reach_the_cloud_as_integers(provider: ShelfProvider) -> None:
    provider.create(SHELF)

    assert repr(SHELVES["hall"]["boards"]) == "3"


def test_what_was_deleted_behind_our_back_reads_as_gone_and_deletes_again(provider: ShelfProvider) -> None:
    id_, outputs = create(provider)
    provider.delete(id_, outputs)

    assert provider.read(id_, outputs).id == ""
    provider.delete(id_, outputs)


def test_what_counts_as_gone_may_be_told_by_more_than_a_code(provider: ShelfProvider) -> None:
    class ByMessage(ShelfProvider):
        gone = frozenset()

        @override
        def is_gone(self, error: TeaException) -> bool:
            return bool(error.message == "no such shelf")

    id_, outputs = create(provider)
    by_message = ByMessage()
    by_message.delete(id_, outputs)

    assert by_message.read(id_, outputs).id == ""
    by_message.delete(id_, outputs)


def test_an_update_returns_the_outputs_whole(provider: ShelfProvider) -> None:
    id_, outputs = create(provider)

    updated = provider.update(id_, outputs, SHELF | on_the_wire(boards=5))

    assert updated.outs == on_the_wire(room="hall", boards=5) | {"colour": "oak"}


def test_drift_shows_in_the_inputs(provider: ShelfProvider) -> None:
    id_, outputs = create(provider)
    SHELVES["hall"]["boards"] = 7

    assert provider.read(id_, outputs).inputs == {"room": "hall", "boards": 7}


def test_the_clouds_refusal_is_told_in_its_words(provider: ShelfProvider) -> None:
    id_, outputs = create(provider)

    with pytest.raises(CloudError, match=r"Shelf.TooHigh: it would fall"):
        provider.update(id_, outputs, SHELF | on_the_wire(boards=10))


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        (on_the_wire(boards=8), []),
        (on_the_wire(room="attic"), ["room"]),
        (on_the_wire(boards=3), None),
        ({"__provider": "another pickle"}, None),
        ({"colour": "pine"}, None),
    ],
)
def test_only_declared_inputs_make_a_change_and_only_identity_a_replacement(
    provider: ShelfProvider, change: Props, replaces: list[str] | None
) -> None:
    diff = provider.diff("id", SHELF | {"colour": "oak"}, SHELF | change)

    assert diff.changes == (replaces is not None)
    assert diff.replaces == (replaces or [])


def test_a_preview_accepts_values_that_it_does_not_know_yet(provider: ShelfProvider) -> None:
    assert provider.check({}, SHELF | on_the_wire(room=rpc.UNKNOWN, boards=rpc.UNKNOWN)).failures == []


@pytest.mark.parametrize(
    ("change", "property_", "reason"),
    [
        (on_the_wire(boards=0), "boards", "Input should be greater than or equal to 1"),
        (on_the_wire(height=2), "height", "Extra inputs are not permitted"),
    ],
)
def test_a_bad_value_names_its_property(provider: ShelfProvider, change: Props, property_: str, reason: str) -> None:
    [failure] = provider.check({}, SHELF | change).failures

    assert (failure.property, failure.reason) == (property_, reason)


def test_the_target_comes_with_the_stacks_configuration_and_the_key_from_the_environment(
    provider: ShelfProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(region="cn-hangzhou", account_id="1234567890123456", emulator="http://127.0.0.1:8600")
    for name, value in target.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.tracebacklimit", None, raising=False)

    config = {"paistack:target": target.model_dump_json()}
    provider.configure(ConfigureRequest(Config(config, "paistack")))

    assert provider.target == target
    assert provider.credentials.access_key_id == "LTAI5tPaistackEmulator00"


def test_whole_numbers_reach_every_depth() -> None:
    assert repr(whole_numbers({"a": [1.0, {"b": 2.5}], "c": "3.0", "d": True})) == (
        "{'a': [1, {'b': 2.5}], 'c': '3.0', 'd': True}"
    )
