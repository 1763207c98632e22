"""A JSON document with two owners: what we declare in it, and what the server added or others decided."""

from typing import Any


def overlay(live: Any, before: Any, now: Any) -> Any:
    """`live` with what is declared `now`, and without what was declared `before` and is not any more.

    Keys that nobody here ever declared stay as they are. Lists of equal length are taken item by item, others whole.
    """
    if isinstance(live, dict) and isinstance(now, dict):
        declared = before if isinstance(before, dict) else {}
        kept = {key: value for key, value in live.items() if key not in declared or key in now}
        return kept | {key: overlay(live.get(key), declared.get(key), value) for key, value in now.items()}
    if _pairwise(live, now):
        earlier = before if _pairwise(before, now) else [None] * len(now)
        return [overlay(*items) for items in zip(live, earlier, now, strict=True)]
    return now


def declared_part(live: Any, declared: Any) -> Any:
    """`live` reduced to the keys that are in `declared`: what the server added besides is not ours to watch."""
    if isinstance(live, dict) and isinstance(declared, dict):
        return {key: declared_part(live[key], value) for key, value in declared.items() if key in live}
    if _pairwise(live, declared):
        return [declared_part(*items) for items in zip(live, declared, strict=True)]
    return live


def _pairwise(one: Any, other: Any) -> bool:
    return isinstance(one, list) and isinstance(other, list) and len(one) == len(other)
