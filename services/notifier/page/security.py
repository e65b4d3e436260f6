"""What holds for every response of the page: headers, limits, and the origin of forms.

There is no cookie: the token in the address is the only credential, and another site does not know it. A form
that a browser says comes from elsewhere is refused all the same.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, MutableMapping
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.http.bodies import LARGEST_BODY_BYTES, declared_bytes, limited
from services.notifier.page.rendering import refused

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
MOST_KEYS = 10_000
"""Links and addresses that are counted at once; the longest unseen is forgotten."""
A_MINUTE = 60.0
PEER_REQUESTS, TOKEN_REQUESTS = 240, 120
"""Maximum number of requests per minute from one address, and with one link."""


class Limit:
    """At most `most` events of a key within `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self.most, self.seconds, self._clock = most, seconds, clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, key: str) -> bool:
        """Count an event of a key. Return whether it is within the limit; one beyond it is not counted."""
        now = self._clock()
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and times[0] <= now - self.seconds:
            times.popleft()
        while len(self._seen) > MOST_KEYS:
            self._seen.popitem(last=False)
        if len(times) >= self.most:
            return False
        times.append(now)
        return True


class Guard:
    """Middleware for all of the above."""

    def __init__(self, app: ASGIApp, page_url: str | None) -> None:
        self.app = app
        self._host = urlsplit(page_url).netloc if page_url else None
        self._peers, self._tokens = Limit(PEER_REQUESTS, A_MINUTE), Limit(TOKEN_REQUESTS, A_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(message)
            await send(message)

        if refusal := self._refusal(scope):
            return await refusal(scope, receive, guarded)
        return await self.app(scope, limited(receive), guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, request = Headers(scope=scope), Request(scope)
        peer = scope["client"][0] if scope.get("client") else "unknown"
        if not (self._peers.admit(peer) and self._tokens.admit(_token_of(scope["path"]) or peer)):
            return refused(request, "often", 429, {"Retry-After": "60"})
        if declared_bytes(headers) > LARGEST_BODY_BYTES:
            return refused(request, "large", 413, {"Connection": "close"})
        if scope["method"] == "POST" and not self._is_own_form(headers):
            return refused(request, "foreign", 403)
        return None

    def _is_own_form(self, headers: Headers) -> bool:
        """Return whether a form comes from our own page, as far as the browser says. `Origin: null` is what our
        own forms send, because of the Referrer-Policy.
        """
        if (site := headers.get("sec-fetch-site")) is not None:
            return site == "same-origin"
        origin = headers.get("origin")
        return origin in (None, "null") or urlsplit(origin).netloc in (self._host, headers.get("host"))


def _secure(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
        headers.setdefault(name, value)  # a download has a stricter policy of its own


def _token_of(path: str) -> str | None:
    parts = path.split("/", 3)
    return parts[2].lower() if len(parts) > 2 and parts[1] == "c" else None
