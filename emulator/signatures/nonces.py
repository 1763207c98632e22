"""Nonces that were used, so that a request that was overheard cannot be sent again."""

import time


class Nonces:
    """Remembers a nonce at least as long as its request's date would be accepted, in bounded memory.

    There are two generations. When the newer one is as old as `lifetime_s`, or holds `limit` nonces, it becomes the
    older one; so at most `2 * limit` are held, and in a flood of more than `limit` in `lifetime_s` some are forgotten
    early.
    """

    def __init__(self, lifetime_s: float, limit: int = 100_000) -> None:
        self._lifetime_s, self._limit = lifetime_s, limit
        self._newer: set[str] = set()
        self._older: set[str] = set()
        self._since = time.monotonic()

    def use(self, nonce: str) -> bool:
        """False when `nonce` was used before."""
        if nonce in self._newer or nonce in self._older:
            return False
        if len(self._newer) >= self._limit or time.monotonic() - self._since > self._lifetime_s:
            self._newer, self._older, self._since = set(), self._newer, time.monotonic()
        self._newer.add(nonce)
        return True
