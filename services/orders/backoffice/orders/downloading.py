"""Export downloads: the first chunk is read before the response starts, the rest is streamed, and the connection
is always released.

Invariant: a file that looks complete is complete. A failure before the first chunk becomes a page; a later
one aborts the response, which browsers report as a failed download.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.chassis.storage.database import Connection
from services.orders.backoffice.orders.reading import zone_of
from services.orders.backoffice.web.page_context import PageContext
from services.orders.listing.export.cells import CellFormat
from services.orders.staff.labels import labels_of

Make = Callable[[Connection, CellFormat], AsyncGenerator[bytes]]
"""A function that yields an export from a connection."""
PATIENCE_SECONDS = 5.0


class TooManyExports(Exception):
    """The limit of concurrent exports of the process is reached."""


class Download(StreamingResponse):
    """A file in chunks; the generator is closed when the client disconnects."""

    def __init__(self, pieces: AsyncGenerator[bytes], name: str) -> None:
        super().__init__(pieces, media_type="text/csv; charset=utf-8")
        self._pieces = pieces
        self.headers["Content-Disposition"] = disposition(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            await super().__call__(scope, receive, send)


async def download(context: PageContext, language: str, name: str, make: Make) -> Response:
    """Return the export with a language's texts and numbers, under a name. Raises TooManyExports and database
    errors.
    """
    pieces = _pieces(context, language, make)
    try:
        first = await anext(pieces)
    except BaseException:
        await pieces.aclose()
        raise
    return Download(_beginning_with(first, pieces), name)


async def _beginning_with(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


async def _pieces(context: PageContext, language: str, make: Make) -> AsyncGenerator[bytes]:
    running = context.app_state.exporting
    try:
        await asyncio.wait_for(running.acquire(), PATIENCE_SECONDS)
    except TimeoutError:
        raise TooManyExports from None
    try:
        async with context.reading() as connection:
            labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
            texts = {key: label.text(language) for key, label in labels.by_key.items()}
            async with aclosing(make(connection, CellFormat(language, zone_of(context), texts))) as stream:
                async for piece in stream:
                    yield piece
    finally:
        running.release()


def disposition(name: str) -> str:
    """Return the header for a download under this name, with plain ASCII beside it for other systems (RFC
    6266).
    """
    return f"attachment; filename=\"{plain(name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def plain(name: str) -> str:
    """Return a file name in letters and digits that every system accepts: À traiter → a-traiter."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9.]+", "-", folded).strip("-.") or "export"
