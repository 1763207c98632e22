"""What a client is told instead of an answer."""

from collections.abc import Mapping


class RefusedError(Exception):
    """A request that is not served; it becomes the JSON error answer."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers
