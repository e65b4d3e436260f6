"""Authentication for the REST API: bearer tokens from the settings, each with a name and bound to one shop.

Every route below /v1 requires a valid token, so a new route is protected from its first day. Tokens are
accepted in the `Authorization` header only, compared in constant time and never logged.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.orders.api.problems import Problem
from services.orders.order.settings import ApiToken

GUARDED = "/v1"
LARGEST_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller and the only shop whose data it can access."""

    name: str
    shop: str

    @property
    def actor(self) -> str:
        """Return the caller's name as recorded with commands and activity."""
        return f"api:{self.name}"


class Tokens:
    """The configured tokens. Only digests are kept, and every one is compared, so timing reveals nothing."""

    def __init__(self, tokens: Sequence[ApiToken]) -> None:
        self._callers = [
            (_digest(one.token.get_secret_value()), Caller(one.name, one.shop)) for one in tokens
        ]

    def __bool__(self) -> bool:
        return bool(self._callers)

    def caller(self, authorization: str | None) -> Caller | None:
        """Return the caller whose token an `Authorization` header holds; None without a valid token."""
        scheme, _, token = (authorization or "").partition(" ")
        presented, found = _digest(token.strip()), None
        for digest, caller in self._callers:
            if hmac.compare_digest(digest, presented):
                found = caller
        return found if scheme.lower() == "bearer" else None


class Gate:
    """Middleware that admits only authenticated callers below /v1 and rejects bodies over
    `LARGEST_BODY_BYTES` (HTTP 413).
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self.app, self.tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            headers = Headers(scope=scope)
            if is_guarded(scope["path"]):
                scope.setdefault("state", {})["caller"] = self._caller(headers)
            refuse_large(_declared_bytes(headers))
        except Problem as problem:
            return await problem.response()(scope, receive, send)
        return await self.app(scope, _counted(receive), send)

    def _caller(self, headers: Headers) -> Caller:
        if not self.tokens:
            raise _no_token_set()
        caller = self.tokens.caller(headers.get("authorization"))
        if caller is None:
            raise _unknown_caller()
        return caller


def is_guarded(path: str) -> bool:
    """Return whether a path requires a token."""
    return path == GUARDED or path.startswith(GUARDED + "/")


def refuse_large(body_bytes: int) -> None:
    """Raise the 413 problem when a body is larger than any request needs to be."""
    if body_bytes > LARGEST_BODY_BYTES:
        detail = (
            f"A body may have {LARGEST_BODY_BYTES} bytes; split the request, such as stock into fewer levels."
        )
        raise Problem(413, "body_too_large", detail, headers={"Connection": "close"})


def caller_of(request: Request) -> Caller:
    """Return the caller that `Gate` authenticated."""
    caller: Caller = request.state.caller
    return caller


def _declared_bytes(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive) -> Receive:
    seen_bytes = 0

    async def counting() -> Message:
        nonlocal seen_bytes
        message = await receive()
        seen_bytes += len(message.get("body", b""))
        refuse_large(seen_bytes)
        return message

    return counting


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _no_token_set() -> Problem:
    return Problem(
        503,
        "no_token_configured",
        "No API token is configured. Set COMPTOIR_API_TOKENS to a JSON list such as "
        '[{"name": "erp", "shop": "maison", "token": "…"}], tokens of 16 characters or more, '
        "and start the orders service again.",
    )


def _unknown_caller() -> Problem:
    return Problem(
        401,
        "token_unknown",
        "Send a token of COMPTOIR_API_TOKENS in the header `Authorization: Bearer …`, never in the URL.",
        headers={"WWW-Authenticate": 'Bearer realm="comptoir"'},
    )
