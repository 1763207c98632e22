"""What the listing operations share: times, pages, order."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from emulator.errors import ApiError
from emulator.operations import Answer, Parameters

Item = TypeVar("Item")


def _parsed_time(value: Any) -> Any:
    """The API documents `2006-01-02 15:04:05`, in UTC; ISO 8601 is taken too."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("a time such as 2006-01-02 15:04:05 (UTC) is needed") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Time = Annotated[datetime, BeforeValidator(_parsed_time)]


def _split(value: Any) -> Any:
    return [item for item in value.split(",") if item] if isinstance(value, str) else value


# The SDK's "simple" style: `a,b`.
CommaSeparated = Annotated[list[str], BeforeValidator(_split)]


class Paged(Parameters):
    page_number: int = Field(1, ge=1, alias="PageNumber")
    page_size: int = Field(100, ge=1, le=1000, alias="PageSize")
    order: Literal["asc", "desc", "ASC", "DESC"] = Field("desc", alias="Order")


def page(items: Sequence[Item], number: int, size: int) -> Sequence[Item]:
    """The items of the page `number`, counted from 1."""
    return items[(number - 1) * size : number * size]


def pages(total: int, size: int) -> int:
    return -(-total // size)


def ordered(answers: Sequence[Answer], sort: str, order: str, sortable: Collection[str]) -> list[Answer]:
    """The answers by their field `sort`; ApiError when they cannot be sorted by it."""
    if sort not in sortable:
        raise ApiError("InvalidParameter.Sort", f"Cannot sort by {sort!r}; there are {', '.join(sortable)}.")
    return sorted(answers, key=lambda answer: answer.get(sort, ""), reverse=order.lower() == "desc")


def ordered_page(key: str, answers: Sequence[Answer], query: Paged, sort: str, sortable: Collection[str]) -> Answer:
    """The answer of a listing operation: the page of `answers` that `query` asks for, under `key`."""
    found = ordered(answers, sort, query.order, sortable)
    return {
        key: list(page(found, query.page_number, query.page_size)),
        "TotalCount": len(found),
        "PageNumber": query.page_number,
        "PageSize": query.page_size,
    }
