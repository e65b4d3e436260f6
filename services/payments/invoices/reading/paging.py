"""Documents of a filter read page by page: a connection is held while a page is read, never while it is sent.

A slow reader would otherwise keep a connection and a transaction for as long as the download takes, and the database
ends a transaction that is idle. At most two pages are read at once in a process, so that exports leave the pool to
everything else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg

from contracts.payments.invoices import InvoiceKind
from services.chassis.messaging.process import Process
from services.chassis.storage.database import Connection
from services.payments.invoices.reading.listing import DocumentFilter, SeriesPlace

AT_ONCE = 2
Read = Callable[[Connection, DocumentFilter, SeriesPlace, int], Awaitable[list[asyncpg.Record]]]


class Pages:
    """The exports of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def rows(self, read: Read, filters: DocumentFilter, limit: int) -> AsyncIterator[asyncpg.Record]:
        """Yield all documents of a filter, invoices first, each kind by number."""
        for kind in (filters.kind,) if filters.kind else (InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE):
            place, is_last = SeriesPlace(kind), False
            while not is_last:
                async with self._turns, self._process.acquire() as connection:
                    rows = await read(connection, filters, place, limit)
                for row in rows:
                    yield row
                is_last = len(rows) < limit
                if rows:
                    place = SeriesPlace(kind, rows[-1]["year"], rows[-1]["position"])
