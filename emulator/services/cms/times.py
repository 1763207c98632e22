"""How CloudMonitor's operations take a time."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator


def _parsed(value: Any) -> Any:
    """Milliseconds since 1970, or a text; a text without a time zone is in UTC."""
    text = str(value)
    if text.isdecimal():
        return int(text) / 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("milliseconds since 1970 or a time such as 2026-01-30T00:00:00Z is needed") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


Moment = Annotated[float, BeforeValidator(_parsed)]
"""Seconds since the epoch."""
