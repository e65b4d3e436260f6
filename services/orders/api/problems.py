"""The problems of the REST API as its OpenAPI document describes them."""

from typing import Any

from pydantic import Field

from services.chassis.http import documented

_MEANINGS = {
    400: "The Idempotency-Key is missing or unreadable, or the cursor is not from this list.",
    401: "No known token.",
    404: "Not found in the shop of the token.",
    409: "The Idempotency-Key was used for another request, or the order changed meanwhile (errors: what).",
    413: "The body is too large.",
    422: "The request is invalid, or the owning service rejected the command; errors lists every reason.",
    503: "The database or the owning service is unavailable, or no token is configured.",
}


class ProblemDetails(documented.ProblemDetails):
    """A problem as the document describes it (RFC 9457)."""

    command_id: str | None = Field(default=None, description="The command that was refused, if one was sent.")


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems a route may answer with, for its OpenAPI description."""
    return documented.described({status: _MEANINGS[status] for status in statuses})
