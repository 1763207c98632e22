"""What an operation raises to refuse a call; the wire layer turns it into the service's own error body."""

from collections.abc import Mapping


class ApiError(Exception):
    """A refusal in the service's own terms.

    `code` is the service's error code (`InvalidService.NotFound`), `message` says what was found and what is
    allowed, `status` is the HTTP status. `details` are further members of the error body, and `headers` of the answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        details: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.details = dict(details or {})
        self.headers = headers or {}
