"""The HTTP edge of every service: each error response is a problem (RFC 9457), logged by its status class.

An unknown path, a method that a path does not support (with `Allow`: all that it supports), an unavailable
database and an unexpected error have the same form of response, whichever framework the service's own routes
use.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.errors import describe
from services.chassis.logs import Repeats
from services.chassis.storage.database import is_conflict, is_outage

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
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
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAULT = "comptoir.fault"


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


def unavailable() -> JSONResponse:
    """Return the response for an unavailable database."""
    detail = "Database unavailable. The request may or may not have been applied; check before retrying."
    return problem(503, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def methods_at(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """Return every method that the path of a request supports, sorted."""
    asked = [(method, {**scope, "method": method}) for method in sorted(_METHODS)]
    return [method for method, one in asked if any(route.matches(one)[0] is Match.FULL for route in routes)]


def headers_of(request: Request, error: HTTPException) -> Mapping[str, str] | None:
    """Return the headers of an error response; `Allow` names the methods of all routes at the path, not only
    of one."""
    if error.status_code != 405:
        return error.headers
    return {**(error.headers or {}), "Allow": ", ".join(methods_at(request.app.routes, request.scope))}


def install(app: Starlette) -> None:
    """Install the error handlers: an unknown path or method and any error of a route are answered with a problem."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)


def note_fault(request: Request, error: Exception) -> None:
    """Store the error behind a response for the log line of this request."""
    request.scope[_FAULT] = error


def application(routes: Sequence[BaseRoute], own: ASGIApp | None = None) -> ASGIApp:
    """Return the application of a process: the chassis' routes, then the service's own application."""
    app = Starlette(routes=list(routes))
    install(app)
    if own is not None:
        app.router.default = own
        app.router.redirect_slashes = False
    return Edge(app)


class Edge:
    """Middleware that logs one line per failed request, at a level by status class."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._repeats = Repeats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        answer = _Answer(send)
        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            scope.setdefault(_FAULT, error)
            if not answer.is_complete:  # else a problem was sent, and the error re-raised for logging
                raise
        finally:
            self._note(scope, answer.status)

    def _note(self, scope: Scope, status: int) -> None:
        if status < 400:
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = str(getattr(scope.get("route"), "path", "unknown"))
        if requests := self._repeats.due((method, route, status)):
            _say(scope.get(_FAULT), method=method, route=route, status=status, requests=requests)


class _Answer:
    """The part of a response that was sent so far."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status, self.is_complete = 0, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.is_complete = not message.get("more_body", False)
        await self._send(message)


def _say(fault: Exception | None, *, status: int, **fields: Any) -> None:
    """Log a 4xx as the client's error (info), a 503 as temporary (warning), any other 5xx as ours (error,
    with its frames)."""
    fields["status"] = status
    if status < 500:
        log.info("requests refused", **fields)
    elif status == 503 or fault is None:
        log.warning("requests failed", **fields, **({"error": describe(fault)} if fault else {}))
    else:
        log.error("requests failed", **fields, exc_info=fault)


async def _failed(request: Request, error: Exception) -> Response:
    note_fault(request, error)
    if is_outage(error) or is_conflict(error):
        return unavailable()
    return problem(500, "An error of ours, which was logged. The request may or may not have been applied.")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(request, error)


def refused(request: Request, error: HTTPException) -> Response:
    """Return an error of the framework or of a route as a problem."""
    detail = str(error.detail)
    if error.status_code == 404 and detail == "Not Found":
        detail = "No route has this path."
    return problem(error.status_code, detail, headers=headers_of(request, error))
