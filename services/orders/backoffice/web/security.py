"""Checks of every request before any page's code: host and origin; the headers of every response.

Invariant: a request that another site made changes nothing. Browsers send a request's origin (`Sec-Fetch-Site`,
W3C Fetch Metadata); those that do not must have our origin in `Origin`; a request with neither changes nothing.
The `Host` must be ours, because with DNS rebinding another name for this address would be "same origin" to the
browser. The content security policy allows no script and no style that is not a file of ours.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.orders.backoffice.web.settings import BackofficeSettings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FRAMED_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
"""Policy for a mail in a frame: its own inline styles, no script, no form, nothing fetched."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"


def why_forged(method: str, headers: Mapping[str, str], origins: list[str]) -> str | None:
    """Return why a request was not made by a user on a page of ours; None when it may have been. Header names in
    lower case.

    Reading from another site is allowed only as navigation: a link in a mail, never an image or a script.
    """
    site = headers.get("sec-fetch-site")
    if method in SAFE_METHODS:
        going = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return None if site in (None, "same-origin", "none") or going else f"read from {site}"
    origin = headers.get("origin")
    if origin is not None and origin not in origins:
        return f"origin {origin[:200]}"
    if site is not None:
        return None if site == "same-origin" else f"sent from {site}"
    return None if origin is not None else "neither Sec-Fetch-Site nor Origin"


class Guard:
    """The middleware that rejects foreign requests and adds the headers to every response."""

    def __init__(self, app: ASGIApp, settings: BackofficeSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._put_headers(MutableHeaders(scope=message))
            await send(message)

        if Headers(scope=scope).get("host", "").lower() not in self._settings.hosts:
            return await _refuse_host(scope, receive, send_guarded)
        return await self._app(scope, receive, send_guarded)

    def _put_headers(self, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("Cache-Control", "no-store")
        if self._settings.is_secure:
            headers.setdefault("Strict-Transport-Security", HSTS)


async def _refuse_host(scope: Scope, receive: Receive, send: Send) -> None:
    answer = PlainTextResponse(
        "This address is not the back office's; COMPTOIR_BACKOFFICE_ORIGIN names the one that is.", 421
    )
    await answer(scope, receive, send)


def address_of(request: Request) -> str:
    """Return the client's network address, as the server (or the proxy it trusts) reports it."""
    return request.client.host[:45] if request.client else ""


def is_local_path(path: str) -> bool:
    """Return whether a path is local: no other host, no control characters."""
    parts = urlsplit(path)
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and path.isprintable()
        and "\\" not in path
        and len(path) <= 2000
    )
