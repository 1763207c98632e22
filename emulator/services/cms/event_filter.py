"""Which events a rule is about. Pure.

Of the query syntax of Simple Log Service, which `SQLFilter` follows, terms are known, with `and`, `or`, `not` and
parentheses ("Query syntax and functions" of its documentation): a term is a whole word of the event's content, whatever
its case. Other queries are refused, not guessed at.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from emulator.services.cms.event_records import EventPattern, SystemEvent

# What separates the words of a log, by default.
_DELIMITERS = re.compile(r"""[,\s'";=()\[\]{}?@&<>/:]+""")
_TOKENS = re.compile(r'\s*("[^"]*"|\(|\)|[^\s()"]+)')
_NOT_KNOWN = re.compile(r"[|:=<>*?#]")
_ANY = "*"
MOST_WORDS = 50

Words = frozenset[str]
Condition = Callable[[Words], bool]


class QueryError(ValueError):
    """Says what of a query is wrong, or not known here."""


class _Query(NamedTuple):
    """What is left of a query; the last token comes first."""

    tokens: list[str]

    def next(self) -> str:
        return self.tokens[-1].lower() if self.tokens else ""


def matches(pattern: EventPattern, event: SystemEvent) -> bool:
    """Whether a pattern is about an event."""
    return (
        pattern.product.lower() == event.product.lower()
        and _is_among(event.kind, pattern.kinds)
        and _is_among(event.level, pattern.levels)
        and _is_among(event.name, pattern.names)
        and _is_among(event.status, pattern.statuses)
        and pattern.keyword in event.content
        and (not pattern.sql_filter or condition(pattern.sql_filter)(_words(event.content)))
    )


def condition(query: str) -> Condition:
    """What a query asks of the words of a content; QueryError when that is not known."""
    if found := _NOT_KNOWN.search(re.sub(r'"[^"]*"', "", query)):
        raise QueryError(f"the emulator knows terms, and, or, not and parentheses, but not {found.group()!r}")
    if query.count('"') % 2:
        raise QueryError('a quotation mark (") has no partner')
    left = _Query(_TOKENS.findall(query)[::-1])
    if len(left.tokens) > MOST_WORDS:
        raise QueryError(f"the emulator takes at most {MOST_WORDS} terms and operators")
    asked = _either(left)
    if left.tokens:
        raise QueryError(f"{left.tokens[-1]!r} is not expected where it stands")
    return asked


def _either(left: _Query) -> Condition:
    one = _both(left)
    while left.next() == "or":
        left.tokens.pop()
        one = _join(any, one, _both(left))
    return one


def _both(left: _Query) -> Condition:
    """Terms without a word between them must all be there, too."""
    one = _negated(left)
    while left.next() not in ("", "or", ")"):
        if left.next() == "and":
            left.tokens.pop()
        one = _join(all, one, _negated(left))
    return one


def _negated(left: _Query) -> Condition:
    if left.next() == "not":
        left.tokens.pop()
        one = _negated(left)
        return lambda words: not one(words)
    if left.next() == "(":
        left.tokens.pop()
        one = _either(left)
        if left.next() != ")":
            raise QueryError("a parenthesis is not closed")
        left.tokens.pop()
        return one
    if left.next() in ("", "and", "or", ")"):
        raise QueryError("a term is missing")
    asked = _words(left.tokens.pop())
    return lambda words: asked <= words


def _join(of: Callable[[list[bool]], bool], one: Condition, other: Condition) -> Condition:
    return lambda words: of([one(words), other(words)])


def _words(text: str) -> Words:
    return frozenset(_DELIMITERS.split(text.lower())) - {""}


def _is_among(value: str, wanted: list[str]) -> bool:
    return not wanted or _ANY in wanted or value in wanted
