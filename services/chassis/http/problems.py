"""Problem details (RFC 9457): the one form of every error response, whichever framework a route uses.

A problem has a stable `code` that a program can test, and a `detail` that names the remedy. An unknown path, a
method that a path does not support (with `Allow`: all that it supports), an unavailable database and an
unexpected error are problems too. Errors of our own are logged, never returned.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from contracts.message import Reason
from services.chassis.storage.database import is_conflict, is_outage

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Errors = Mapping[type[Exception], int | tuple[int, str]]
"""Exceptions of a service's own code that are the client's errors: their status, or status and code."""

_TYPE = "urn:comptoir:problem:"
_CODES = {
    400: "request_refused",
    401: "token_unknown",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    422: "request_invalid",
    500: "internal_error",
    503: "database_away",
}
_FAULT = "comptoir.fault"


class Problem(HTTPException):
    """The exception that ends a request with a problem. `errors` are all the reasons; `members` are further
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
        **members: Any,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code, self.errors, self.members = code, errors, members

    def response(self) -> JSONResponse:
        """Return the problem as `application/problem+json`."""
        members = dict(self.members)
        if self.errors:
            members["errors"] = [reason.model_dump(exclude_none=True) for reason in self.errors]
        return problem(self.status_code, self.detail, self.code, self.headers, **members)


def problem(
    status: int,
    detail: str,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """Return problem details: the error and its remedy. `code` follows from the status unless given."""
    code = code or _CODES.get(status, "request_refused")
    document = {
        "type": _TYPE + code,
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    return JSONResponse(document, status, headers, MEDIA_TYPE)


def install(app: Starlette, errors: Errors | None = None) -> None:
    """Install the error handlers: an unknown path or method and any error of a route are answered with a problem."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)
    for kind, status in (errors or {}).items():
        app.add_exception_handler(
            kind, _problem_handler(*(status if isinstance(status, tuple) else (status, None)))
        )


def note_fault(request: Request, error: Exception) -> None:
    """Store the error behind a response for the log line of this request."""
    request.scope[_FAULT] = error


def fault_of(scope: Scope) -> Exception | None:
    """Return the error behind the response to a request."""
    return scope.get(_FAULT)


def methods_at(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """Return every method that the path of a request supports, sorted."""
    scopes = [(method, {**scope, "method": method}) for method in sorted(METHODS)]
    return [method for method, one in scopes if any(route.matches(one)[0] is Match.FULL for route in routes)]


def headers_of(request: Request, error: HTTPException) -> Mapping[str, str] | None:
    """Return the headers of an error response; `Allow` names the methods of all routes at the path, not only
    of one."""
    if error.status_code != 405:
        return error.headers
    return {**(error.headers or {}), "Allow": ", ".join(methods_at(request.app.routes, request.scope))}


def refused(request: Request, error: HTTPException) -> Response:
    """Return an error of the framework or of a route as a problem."""
    if isinstance(error, Problem):
        return error.response()
    detail = "No route has this path." if error.detail == "Not Found" else str(error.detail)
    if document := getattr(request.app, "openapi_url", None):
        detail = f"{detail.removesuffix('.')}; {document} lists what can be asked and how."
    return problem(error.status_code, detail, headers=headers_of(request, error))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(request, error)


async def _failed(request: Request, error: Exception) -> Response:
    note_fault(request, error)
    if isinstance(error, asyncpg.QueryCanceledError):
        return _later(
            "The database took longer than a request may; send it again, for a list with a shorter period.",
            "query_too_slow",
        )
    if is_outage(error) or is_conflict(error):
        return _later(
            "Database unavailable. The request may or may not have been applied; check before retrying, or "
            "repeat it with the same Idempotency-Key."
        )
    return problem(500, "An error of ours, which was logged. The request may or may not have been applied.")


def _later(detail: str, code: str | None = None) -> JSONResponse:
    return problem(503, detail, code, {"Retry-After": str(RETRY_SECONDS)})


def _problem_handler(status: int, code: str | None) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        return problem(status, str(error), code)

    return handle
