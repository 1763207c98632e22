"""From the bytes of a request to a checked document, a service JSON above all, with errors that name the key."""

import difflib
import functools
import json
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from emulator.errors import ApiError
from emulator.services.eas.config.service import ServiceConfig

LONGEST_BODY = 1024 * 1024
SECRET_KEYS = frozenset({"token", "dockerAuth", "password", "decryption_key", "requestToken", "headers"})
SERVICE_JSON = "service JSON"

Model = TypeVar("Model", bound=BaseModel)


def parse_json(body: bytes, called: str = SERVICE_JSON) -> dict[str, Any]:
    """The JSON object in `body`; ApiError when there is none, or when it holds what no document can (NaN, half
    characters)."""
    if len(body) > LONGEST_BODY:
        raise invalid(f"The {called} has {len(body)} bytes; at most {LONGEST_BODY} are allowed.")
    try:
        document = json.loads(body.decode(), parse_constant=_refuse_constant)
        json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise invalid(f"The {called} is nested too deeply.") from None
    except ValueError as error:
        raise invalid(f"The body is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise invalid(f"The {called} must be an object, found {type(document).__name__}.")
    return document


def parse_config(document: dict[str, Any]) -> ServiceConfig:
    """The service JSON with its defaults; ApiError for the first wrong key."""
    return parse_document(ServiceConfig, document, SERVICE_JSON)


def parse_document(model: type[Model], document: dict[str, Any], called: str) -> Model:
    """ApiError for the first wrong key of a document that is `called` so."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _refusal(error, model, called) from None


def merged(current: Any, change: Any) -> Any:
    """UpdateService's `merge`: objects are merged key by key, everything else is replaced.

    The API page shows it for top-level keys only; it also says that an update of nothing but `metadata.instance`
    scales the service, which a replacement of the whole `metadata` object could not mean. Lists are replaced whole.
    """
    if not isinstance(current, dict) or not isinstance(change, dict):
        return change
    return current | {key: merged(current[key], value) if key in current else value for key, value in change.items()}


def invalid(message: str) -> ApiError:
    return ApiError("InvalidParameter", message)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _refusal(error: ValidationError, model: type[BaseModel], called: str) -> ApiError:
    first = error.errors()[0]
    location = [part for part in first["loc"] if not _is_union_branch(part)]
    path = _joined(location)
    if first["type"] == "extra_forbidden":
        nearest = _nearest(location, known_keys(model))
        advice = f"; did you mean {nearest!r}?" if nearest else "."
        return invalid(f"The {called} has no key {path!r}{advice}")
    if first["type"] == "missing":
        return ApiError("MissingParameter", f"{path!r} of the {called} is required and is missing.")
    message = first["msg"].removeprefix("Value error, ")
    if not path:
        return invalid(f"The {called} is contradictory: {message}.")
    secret = bool(SECRET_KEYS & set(location))
    found = "" if secret or isinstance(first["input"], dict) else f", found {_shortened(first['input'])}"
    return invalid(f"{path!r} of the {called}: {message}{found}.")


def _shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _is_union_branch(part: int | str) -> bool:
    """Pydantic puts the tried type into the location of a union's error; keys never look like that."""
    return isinstance(part, str) and (part in {"int", "str", "float"} or "[" in part)


def _joined(location: list[int | str]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _nearest(location: list[int | str], known: frozenset[str]) -> str | None:
    """The documented key most like an unknown one: among its neighbours first, else anywhere by its own name."""
    *parents, leaf = [part for part in location if not isinstance(part, int)]
    prefix = "".join(f"{part}." for part in parents)
    beside = {path.removeprefix(prefix): path for path in known if path.startswith(prefix)}
    direct = {name: path for name, path in beside.items() if "." not in name.replace("eas.", "")}
    by_leaf = {path.rpartition(".")[2]: path for path in sorted(known, key=len, reverse=True)}
    for names, cutoff in ((direct, 0.6), (by_leaf, 0.8)):
        if found := difflib.get_close_matches(str(leaf), names, n=1, cutoff=cutoff):
            return names[found[0]]
    return None


@functools.cache
def known_keys(model: type[BaseModel]) -> frozenset[str]:
    """Every documented key, dotted from the top; list elements have no index."""
    return frozenset(_keys(model, ""))


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        for nested in _models_in(field.annotation):
            yield from _keys(nested, f"{path}.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
