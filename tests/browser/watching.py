"""Errors that a browser reports during a test: none may go unnoticed.

A page is not finished if it writes an error to the console, violates its own security policy, requests a missing
file or sends a request to another site. Every such error fails the test, unless the test has declared it.
"""

from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Page, Request, Response

ABORTED = "net::ERR_ABORTED"
"""The browser aborted a request itself, as it does with a live stream when its page is left."""
STATUS_IN_CONSOLE = "the server responded with a status of "


class Watch:
    """The errors of one page and the windows it opens."""

    def __init__(self, page: Page, origin: str) -> None:
        self._origin = origin
        self._allowed_statuses: set[int] = set()
        self._allowed_texts: list[str] = []
        self._complaints: list[tuple[str, int | None]] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._note(f"script failed: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failure)
        page.on("response", self._on_response)
        page.on("crash", lambda _: self._note("the page crashed"))

    def allow(self, *statuses: int, text: str | None = None) -> None:
        """Allow responses with these statuses, or errors that contain this text."""
        self._allowed_statuses |= set(statuses)
        if text is not None:
            self._allowed_texts.append(text)

    def complaints(self) -> list[str]:
        """Return the errors that are not allowed."""
        return [
            text
            for text, status in self._complaints
            if status not in self._allowed_statuses and not any(part in text for part in self._allowed_texts)
        ]

    def _note(self, text: str, status: int | None = None) -> None:
        self._complaints.append((text, status))

    def _on_console(self, message: ConsoleMessage) -> None:
        """Record errors and warnings, except those about a response's status, which `_on_response` records."""
        if message.type in ("error", "warning") and STATUS_IN_CONSOLE not in message.text:
            place = message.location
            self._note(f"console {message.type}: {message.text} ({place['url']}:{place['lineNumber']})")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if (
            parts.scheme in ("http", "https", "ws", "wss")
            and f"{parts.scheme}://{parts.netloc}" != self._origin
        ):
            self._note(f"asked somebody else: {request.method} {request.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != ABORTED:
            self._note(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            text = f"answered {response.status}: {response.request.method} {response.url}"
            self._note(text, response.status)
