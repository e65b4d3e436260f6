"""Errors of the REST API: problem details (RFC 9457), always in one form.

Every problem has a stable `code` a program can test, a `detail` that names the next step, and under `errors`
every reason at once. Internal errors are logged, not returned.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from contracts.message import Reason
from services.chassis.http.edge import MEDIA_TYPE, RETRY_SECONDS, headers_of, note_fault, problem
from services.chassis.messaging.inbound.body_faults import fault_of
from services.chassis.storage.database import is_conflict, is_outage

_CODES = {404: "not_found", 405: "method_not_allowed"}
_MEANINGS = {
    400: "The Idempotency-Key is missing or unreadable, or the cursor is not from this list.",
    401: "No known token.",
    404: "Not found in the shop of the token.",
    409: "The Idempotency-Key was used for another request, or the order changed meanwhile (errors: what).",
    413: "The body is too large.",
    422: "The request is invalid, or the owning service rejected the command; errors lists every reason.",
    503: "The database is unavailable or no token is configured.",
}
_ERRORS_OF_A_DATABASE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class ProblemDetails(BaseModel):
    """A problem as the document describes it (RFC 9457)."""

    type: str = Field(description="The problem's kind, as a name: urn:comptoir:problem:<code>.")
    title: str
    status: int
    detail: str = Field(description="What is wrong here and what to do.")
    code: str = Field(description="Stable identifier for programs.")
    errors: list[Reason] = Field(default_factory=list, description="Every single reason.")
    command_id: str | None = Field(default=None, description="The command that was refused, if one was sent.")


class Problem(HTTPException):
    """The exception that ends a request with a problem. `errors` are all the reasons; `extra` are further
    members.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Reason] = (),
        headers: Mapping[str, str] | None = None,
        **extra: str,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code, self.errors, self.extra = code, errors, extra

    def response(self) -> JSONResponse:
        """Return the problem as `application/problem+json`."""
        members: dict[str, Any] = dict(self.extra)
        if self.errors:
            members["errors"] = [reason.model_dump(exclude_none=True) for reason in self.errors]
        return problem(self.status_code, self.detail, self.code, self.headers, **members)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems a route may answer with, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


def field_path(location: Sequence[str | int]) -> str:
    """Return a place in the request as a path: `("body", "lines", 2, "quantity")` is `lines[2].quantity`."""
    path = ""
    for step in location[1:] or location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def unfit(error: RequestValidationError) -> Problem:
    """Return the problem for a request that does not fit the document, with the path of every invalid field."""
    reasons = [_reason(one, error.body) for one in error.errors()]
    if any(one["loc"][:2] == ("header", "Idempotency-Key") for one in error.errors()):
        detail = (
            "Send the header Idempotency-Key: up to 255 printable characters, a new one for every command."
        )
        return Problem(400, "idempotency_key_needed", detail, errors=reasons)
    detail = "Correct everything named under errors and send it again."
    return Problem(422, "request_invalid", detail, errors=reasons)


def database_away() -> Problem:
    """Return the problem for an unavailable database. The request may or may not have been applied; repeating
    it with the same Idempotency-Key is safe.
    """
    return Problem(
        503,
        "database_away",
        "The database can't be reached now; send the same request again, with the same Idempotency-Key.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _too_slow() -> Problem:
    return Problem(
        503,
        "query_too_slow",
        "The database took longer than a request may; send it again, for a list with a shorter period.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def install(app: FastAPI) -> None:
    """Convert every error of this app to problem details."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unfit)
    for kind in _ERRORS_OF_A_DATABASE:
        app.add_exception_handler(kind, _database_failed)
    app.add_exception_handler(Exception, _broken)


def describe(app: FastAPI) -> None:
    """Add `ProblemDetails`, to which `described` refers, to the app's OpenAPI document."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas["ProblemDetails"] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _reason(error: dict[str, Any], body: Any) -> Reason:
    if error["type"] == "json_invalid":
        return Reason(
            code="json_invalid", message=f"The body is no JSON text in UTF-8: {_fault_of_json(body)}."
        )
    return Reason(
        code=re.sub("[^a-z0-9_]", "_", error["type"].lower()),
        message=str(error["msg"]).removeprefix("Value error, ")[:1000],
        field=field_path(error["loc"])[:200],
    )


def _fault_of_json(body: Any) -> str:
    """Return the fault of a body that could not be parsed as JSON and was passed on as text."""
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else b""
    try:
        from_json(raw)
    except ValueError as error:
        return fault_of(raw, str(error))
    return fault_of(raw, "")


async def _refused(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return error.response()
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "request_refused")
    detail = f"{error.detail}; /openapi.json lists what can be asked and how."
    return Problem(error.status_code, code, detail, headers=headers_of(request, error)).response()


async def _unfit(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return unfit(error).response()


async def _database_failed(request: Request, error: Exception) -> JSONResponse:
    note_fault(request, error)
    if isinstance(error, asyncpg.QueryCanceledError):
        return _too_slow().response()
    if not is_outage(error) and not is_conflict(error):
        raise error
    return database_away().response()


async def _broken(request: Request, error: Exception) -> JSONResponse:
    note_fault(request, error)
    detail = (
        "The request met an error of ours, which was logged; whether it was carried out is not known here."
    )
    return Problem(500, "internal_error", detail).response()
