"""The HTTP edge of every service: its applications, and one log line for each class of failed requests.

A service gives its routes and which of its exceptions are the client's errors. Everything below /internal needs
the operators' token, and /metrics the metrics token or theirs, so that a new route is protected from its first
day.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis import metrics
from services.chassis.errors import describe
from services.chassis.http import problems
from services.chassis.http.problems import METHODS, Errors
from services.chassis.http.tokens import Gate, operators, scrapers
from services.chassis.logs import Repeats
from services.chassis.settings import ServiceSettings

log = structlog.get_logger()


def routed(
    routes: Sequence[BaseRoute], errors: Errors | None = None, middleware: Sequence[Middleware] = ()
) -> Starlette:
    """Return an application of these routes whose errors are problems. A path has one spelling: with a slash
    at its end it is another."""
    app = Starlette(routes=list(routes), middleware=list(middleware))
    app.router.redirect_slashes = False
    problems.install(app, errors)
    return app


def application(
    settings: ServiceSettings,
    routes: Sequence[BaseRoute],
    own: ASGIApp | None = None,
    errors: Errors | None = None,
) -> ASGIApp:
    """Return the application of a process: the chassis' routes, then the service's own application."""
    gates = [
        Middleware(Gate, under="/internal", tokens=operators(settings)),
        Middleware(Gate, under="/metrics", tokens=scrapers(settings)),
    ]
    app = routed(routes, errors, gates)
    if own is not None:
        app.router.default = own
    return Edge(app)


def public_application(routes: Sequence[BaseRoute], own: ASGIApp | None = None) -> ASGIApp:
    """Return the application of a process exposed to the public: these routes, then its own application. It
    accepts no token, and nothing below /internal.
    """
    app = routed(routes)
    if own is not None:
        app.router.default = own
    return Edge(app)


class Edge:
    """Middleware that measures requests, and logs one line per failed one, at a level by status class."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._repeats = Repeats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        answer, fault = _Answer(send), None
        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            fault = error
            if not answer.is_complete:  # else a problem was sent, and the error re-raised for logging
                raise
        finally:
            self._note(scope, answer, problems.fault_of(scope) or fault)

    def _note(self, scope: Scope, answer: "_Answer", fault: Exception | None) -> None:
        status = answer.status
        if not status:  # cancelled, as by a client that left: there is no response to measure
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = str(getattr(scope.get("route"), "path", "unknown"))
        metrics.HTTP_SECONDS.labels(method, route, f"{status // 100}xx").observe(answer.seconds)
        if status < 400:
            return
        if requests := self._repeats.due((method, route, status)):
            _say(fault, method=method, route=route, status=status, requests=requests)


class _Answer:
    """The part of a response that was sent so far."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status, self.is_complete = 0, False
        self._since, self.seconds = monotonic(), 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.seconds = monotonic() - self._since
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
