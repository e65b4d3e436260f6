"""Bearer tokens (RFC 6750): who has one, and the gate before the paths that need one.

Tokens are accepted in the `Authorization` header only, compared in constant time and never logged.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.http.bodies import declared_bytes, limited, refuse_large
from services.chassis.http.problems import Problem
from services.chassis.settings import ServiceSettings

Holder = TypeVar("Holder")
OPERATORS, SCRAPER = "operators", "metrics"


class Tokens(Generic[Holder]):
    """The tokens of a setting, each with its holder. Only digests are kept, and every one is compared, so
    timing reveals nothing.

    `example` is a value of the setting, shown in the error when it is missing.
    """

    def __init__(
        self, setting: str, holders: Iterable[tuple[SecretStr, Holder]], example: str = "a token"
    ) -> None:
        self.setting, self.example = setting, example
        self._holders = [(_digest(token.get_secret_value()), holder) for token, holder in holders]

    def __bool__(self) -> bool:
        return bool(self._holders)

    def holder(self, headers: Mapping[str, str]) -> Holder | None:
        """Return the holder of the token in a request's headers; None without a valid token."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        presented, found = _digest(token.strip()), None
        for digest, holder in self._holders:
            if hmac.compare_digest(digest, presented):
                found = holder
        return found if scheme.lower() == "bearer" else None

    def admit(self, headers: Mapping[str, str]) -> Holder:
        """Return the holder of the token in a request's headers. Raises the 401 problem, or the 503 one when
        no token is configured."""
        if not self:
            raise Problem(503, "no_token_configured", f"No API token is configured. {self._how_to_set()}")
        found = self.holder(headers)
        if found is None:
            detail = (
                f"Send a token of {self.setting} in the header `Authorization: Bearer …`, never in the URL."
            )
            raise Problem(
                401, "token_unknown", detail, headers={"WWW-Authenticate": 'Bearer realm="comptoir"'}
            )
        return found

    def _how_to_set(self) -> str:
        return f"Set {self.setting} to {self.example}, and start the service again."


def operators(settings: ServiceSettings) -> Tokens[str]:
    """Return the token of the routes below /internal."""
    return Tokens("COMPTOIR_INTERNAL_TOKEN", [(settings.internal_token, OPERATORS)])


def scrapers(settings: ServiceSettings) -> Tokens[str]:
    """Return the tokens that open /metrics."""
    own = [(settings.metrics_token, SCRAPER)] if settings.metrics_token is not None else []
    setting = "COMPTOIR_METRICS_TOKEN or COMPTOIR_INTERNAL_TOKEN"
    return Tokens(setting, [*own, (settings.internal_token, OPERATORS)])


def authorization(token: str) -> dict[str, str]:
    """Return the header by which a client presents a token."""
    return {"Authorization": f"Bearer {token}"}


class Gate:
    """Middleware that admits only holders of a token below a path, only bodies up to `bodies.LARGEST_BODY_BYTES`
    (HTTP 413), and no NUL in the address, which PostgreSQL cannot store (HTTP 422). The holder is the request's
    `state.holder`.
    """

    def __init__(self, app: ASGIApp, under: str, tokens: Tokens[Any]) -> None:
        self.app, self.under, self.tokens = app, under, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_below(scope["path"], self.under):
            return await self.app(scope, receive, send)
        try:
            headers = Headers(scope=scope)
            scope.setdefault("state", {})["holder"] = self.tokens.admit(headers)
            refuse_large(declared_bytes(headers))
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise Problem(422, "nul_in_address", "The address has a NUL character (%00): leave it out.")
        except Problem as refusal:
            return await refusal.response()(scope, receive, send)
        return await self.app(scope, limited(receive), send)


def is_below(path: str, under: str) -> bool:
    """Return whether a path is another one or below it."""
    return path == under or path.startswith(under + "/")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
