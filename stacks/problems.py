"""What is wrong with a stack's settings, said so that the reader can put it right at once."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

NAMESPACE = "paistack"

Location = tuple[int | str, ...]


class ConfigError(Exception):
    """The settings of a stack are wrong; the message lists every problem with its path in the YAML file."""


def describe(
    error: ValidationError, model: type[BaseModel], values: Mapping[str, Any], source: Path | None = None
) -> str:
    """One line for each problem that pydantic found in `values`: its path, what was found, what is allowed."""
    by_path: dict[Location, list[ErrorDetails]] = {}
    for details in error.errors():
        by_path.setdefault(_in_yaml(details, values), []).append(details)
    lines = [
        f"  {NAMESPACE}:{'.'.join(map(str, location))}: {_problem(found, location, model, values)}"
        for location, found in by_path.items()
    ]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return "\n".join([f"{count} with the settings{f' in {source}' if source else ''}", *lines])


def _problem(errors: list[ErrorDetails], location: Location, model: type[BaseModel], values: Mapping[str, Any]) -> str:
    """What is wrong at one place; several errors there are the branches of a union, none of which fits."""
    first = errors[0]
    if first["type"] == "extra_forbidden":
        return f"there is no such setting{_instead(str(location[-1]), _model_at(model, location[:-1]))}"
    if first["type"] == "missing":
        return f"is missing{_meaning(model, location)}"
    if first["loc"][-1:] == ("[key]",):
        return f"the name {location[-1]!r} is not allowed; {_allowed(first)}{_meaning(model, location[:-1])}"
    found = _value_at(values, location)
    allowed = " or ".join(dict.fromkeys(_allowed(error) for error in errors))
    if first["type"] == "value_error" and isinstance(found, Mapping):
        return allowed
    shown = "a secret" if "secrets" in location else _short(found)
    return f"found {shown}; {allowed}{_hint(first, found)}{_meaning(model, location)}"


def _in_yaml(details: ErrorDetails, values: Mapping[str, Any]) -> Location:
    """pydantic's location without the names of its own that it puts between the keys (branches of a union)."""
    location: list[int | str] = []
    here: Any = values
    for part in details["loc"]:
        if _holds(here, part):
            here = here[part]
        elif details["type"] != "missing" or part != details["loc"][-1]:
            continue
        location.append(part)
    return tuple(location)


def _holds(here: Any, part: int | str) -> bool:
    return part in here if isinstance(here, dict) else isinstance(here, list) and isinstance(part, int)


def _value_at(values: Any, location: Location) -> Any:
    for part in location:
        values = values[part]
    return values


def _field_at(model: type[BaseModel], location: Location) -> FieldInfo | None:
    parent = _model_at(model, location[:-1])
    return parent.model_fields.get(str(location[-1])) if parent and location else None


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The settings model that describes what stands at `location`, where there is one."""
    here: Any = model
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = _without_none(field.annotation) if field else None
        elif get_origin(here) is dict:
            here = _without_none(get_args(here)[1])
        else:
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    alternatives = [item for item in get_args(annotation) if item is not type(None)]
    return alternatives[0] if type(None) in get_args(annotation) and len(alternatives) == 1 else annotation


def _instead(key: str, model: type[BaseModel] | None) -> str:
    known = list(model.model_fields) if model else []
    if close := difflib.get_close_matches(key, known, n=1):
        return f"; did you mean {close[0]}?"
    return f"; allowed are {', '.join(known)}" if known else ""


def _allowed(details: ErrorDetails) -> str:
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    message = details["msg"].replace("an object", "a mapping")
    for subject in ("Input", "String", "Value", "List", "Dictionary"):
        message = message.replace(f"{subject} should", "it should")
    return message[:1].lower() + message[1:]


def _hint(details: ErrorDetails, found: Any) -> str:
    match details["type"], found:
        case "string_type", {"secure": _}:
            return ", and it would not be kept secret: encrypted values belong under `secrets`"
        case "string_type", bool() | int() | float():
            return ": put it in quotes"
        case _:
            return ""


def _meaning(model: type[BaseModel], location: Location) -> str:
    field = _field_at(model, location)
    return f" ({field.description.rstrip('.')})" if field and field.description else ""


def _short(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
