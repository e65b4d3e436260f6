"""The CSV of any list, streamed: every order that fits, in the list's order, in constant memory.

Invariant: the whole export is one snapshot of the database (repeatable read): an order that changes during
the export is in it once, as it was. Ids come from a server-side cursor and details by the batch, so memory
does not grow with the list.
"""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from heapq import merge as merged
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.listing.export.cells import CellFormat, cells, headings
from services.orders.listing.filters import Filters
from services.orders.listing.finder import searching, statements
from services.orders.listing.finder.facet_counts import FacetCounts
from services.orders.listing.finder.finder import Finder
from services.orders.listing.finder.scans import Scan
from services.orders.listing.finder.selection import Selection
from services.orders.listing.finder.statements import Sql
from services.orders.order.search.indexing import facts_in, read_words

Detail = Mapping[str, Any]
BATCH = 1_000
BROAD = 0.02
"""Share of all orders from which scanning them all is quicker than sorting those that fit."""
BYTE_ORDER_MARK = "\ufeff"
"""The UTF-8 byte order mark; without it spreadsheets assume another encoding."""
SETTINGS = """set local statement_timeout = '60s'; set local idle_in_transaction_session_timeout = '15min'"""


async def export(
    connection: Connection, finder: Finder, shop: str, filters: Filters, cell_format: CellFormat
) -> AsyncGenerator[bytes]:
    """Yield the CSV in pieces: headings first, then a batch of orders per piece. The connection is in use
    until the end and must be in no transaction; a reader who stops early closes the generator.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SETTINGS)
        known, selection = await finder.choose(connection, shop, filters, cell_format.zone)
        cell_format = replace(cell_format, rates=await read_rates(connection, shop))
        yield (BYTE_ORDER_MARK + lines([headings(cell_format)], cell_format)).encode()
        async for rows in _details(connection, shop, _batches(connection, known, selection, filters)):
            yield lines([cells(row, cell_format) for row in rows], cell_format).encode()


async def export_chosen(
    connection: Connection, shop: str, order_ids: Sequence[UUID], cell_format: CellFormat
) -> AsyncGenerator[bytes]:
    """Yield the CSV of these orders of the shop, in this order; otherwise like `export`."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SETTINGS)
        cell_format = replace(cell_format, rates=await read_rates(connection, shop))
        yield (BYTE_ORDER_MARK + lines([headings(cell_format)], cell_format)).encode()
        async for rows in _details(connection, shop, _parts(order_ids)):
            yield lines([cells(row, cell_format) for row in rows], cell_format).encode()


async def read_rates(connection: Connection, shop: str) -> list[int]:
    """Return the VAT rates that occur in the shop's orders, in millionths, the highest first; also those of
    orders that the worker has not reached yet. A tax without a stated rate has no column of its own.
    """
    rates = {row["rate_ppm"] for row in await connection.fetch(RATES, shop)}
    due = [row["order_id"] for row in await connection.fetch(DUE, shop)]
    for start in range(0, len(due), BATCH):
        words = await read_words(connection, [(shop, one) for one in due[start : start + BATCH]])
        rates.update(rate for row in words for rate in facts_in(row).vat)
    return sorted(rates - {0}, reverse=True)


async def _parts(order_ids: Sequence[UUID]) -> AsyncIterator[list[UUID]]:
    for start in range(0, len(order_ids), BATCH):
        yield list(order_ids[start : start + BATCH])


async def _details(
    connection: Connection, shop: str, batches: AsyncIterator[list[UUID]]
) -> AsyncIterator[list[Detail]]:
    """Yield the exported details of the orders of each batch. PostgreSQL reads the next one while this one is
    written.
    """
    due = {row["order_id"] for row in await connection.fetch(DUE, shop)}

    async def following() -> list[Detail] | None:
        order_ids = await anext(batches, None)
        return None if order_ids is None else await _batch(connection, shop, order_ids, due)

    reading = asyncio.create_task(following())
    try:
        while (rows := await reading) is not None:
            reading = asyncio.create_task(following())
            yield rows
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def _batch(
    connection: Connection, shop: str, order_ids: list[UUID], due: Collection[UUID]
) -> list[Detail]:
    """Return the rows of some orders; taxes that the worker has not computed yet are computed here."""
    rows: list[Detail] = await connection.fetch(DETAILS, shop, order_ids)
    late = [row["order_id"] for row in rows if row["tax_minor"] is None or row["order_id"] in due]
    if not late:
        return rows
    found = {row["order_id"]: row for row in await read_words(connection, [(shop, one) for one in late])}
    return [
        {**row, **_worked_out(found[row["order_id"]])} if row["order_id"] in found else row for row in rows
    ]


def _worked_out(words: Mapping[str, Any]) -> Detail:
    facts = facts_in(words)
    return {
        "country": facts.country,
        "tax_minor": facts.tax_minor,
        "shipping_minor": facts.shipping_minor,
        "vat_rates": list(facts.vat.keys()),
        "vat_minor": list(facts.vat.values()),
        "payment_references": words["payment_references"],
    }


def lines(rows: Sequence[Sequence[str]], cell_format: CellFormat) -> str:
    """Return rows of cells as lines of the file."""
    text = io.StringIO()
    csv.writer(text, delimiter=cell_format.delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


async def _batches(
    connection: Connection, known: FacetCounts, selection: Selection, filters: Filters
) -> AsyncIterator[list[UUID]]:
    scan = Scan(filters.sort.is_by_total, filters.sort.is_descending)
    troubled: list[tuple[Any, UUID]] = []
    if selection.troubled_kinds and not selection.is_hopeless:
        sql, arguments = statements.troubled(selection, scan, statements.NO_LIMIT)
        troubled = [tuple(row) for row in await connection.fetch(sql, *arguments)]
    if troubled:
        found = [row async for rows in _cursor(connection, known, selection, scan) for row in rows]
        both = [order_id for _, order_id in merged(found, troubled, reverse=scan.is_descending)]
        for start in range(0, len(both), BATCH):
            yield both[start : start + BATCH]
        return
    async for rows in _cursor(connection, known, selection, scan):
        yield [order_id for _, order_id in rows]


async def _cursor(
    connection: Connection, known: FacetCounts, selection: Selection, scan: Scan
) -> AsyncIterator[list[tuple[Any, UUID]]]:
    if selection.is_hopeless or not selection.kinds:
        return
    sql, arguments = _whole(known, selection, scan)
    cursor = await connection.cursor(sql, *arguments)
    while rows := await cursor.fetch(BATCH):
        yield [tuple(row) for row in rows]


def _whole(known: FacetCounts, selection: Selection, scan: Scan) -> Sql:
    """Return the statement that selects all orders that fit."""
    if selection.terms:
        return searching.indexed(selection, scan, statements.NO_LIMIT, ())
    if selection.facets:
        return statements.gather_facets(selection, scan, statements.NO_LIMIT)
    share = known.share(selection.kinds)
    if not scan.is_by_total and (selection.has_every_kind or (share or 0.0) > BROAD):
        return statements.scan(selection, scan, statements.NO_LIMIT, statements.NO_LIMIT)
    return statements.gather(selection, scan, statements.NO_LIMIT)


DETAILS = """
select o.order_id, o.code, o.placed_at, o.label, o.payment_status, o.payment_method, o.customer_name, o.customer_email,
    o.currency, o.total_minor, o.received_minor, o.refunded_minor, o.marked_minor, o.credited_minor,
    o.balance_minor, o.module, o.source_reference, s.country, s.tax_minor, s.shipping_minor,
    coalesce(s.vat_ppm, array(select rate * 100 from unnest(s.vat_rates) as rate)) as vat_rates, s.vat_minor,
    s.payment_references
from unnest($2::uuid[]) with ordinality as w (order_id, at)
cross join lateral (select * from orders o where o.order_id = w.order_id and o.shop || '' = $1 offset 0) o
left join lateral (select * from order_search s where s.order_id = w.order_id and s.shop || '' = $1 offset 0) s on true
order by w.at"""
RATES = "select rate_ppm from vat_rate where shop = $1"
DUE = "select order_id from order_search_due where shop = $1"
"""Orders whose search row the worker has not updated yet."""
