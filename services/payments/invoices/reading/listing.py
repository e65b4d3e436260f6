"""Lists of issued documents: the query parameters and the SQL. Locks nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from starlette.datastructures import QueryParams

from contracts.payments.invoices import InvoiceKind
from services.chassis.storage.database import Connection

LARGEST_PAGE = 500
_NAMES = frozenset(("shop", "kind", "number", "order", "from", "to", "id", "after", "limit"))
_COLUMNS = """i.id, i.shop, i.order_id, a.code, i.kind, i.year, i.position, i.number, i.corrects, i.issued_on,
    i.issued_at, i.currency, i.net_minor, i.tax_minor, i.total_minor, i.digest"""
_BUYER = "coalesce(i.content::jsonb #>> '{buyer,company}', i.content::jsonb #>> '{buyer,name}') AS buyer"
_PDF_STATE = """CASE WHEN EXISTS (SELECT FROM invoice_pdf p WHERE p.invoice_id = i.id) THEN 'made'
         WHEN (SELECT e.state FROM msg.effect e WHERE e.key = i.id::text) IN ('failed', 'discarded') THEN 'failed'
         ELSE 'waiting' END AS pdf"""
_UNMADE = """WITH unmade AS MATERIALIZED (
    SELECT key FROM msg.effect WHERE kind = 'invoice_pdf' AND state = 'planned'
    UNION ALL SELECT key FROM msg.effect WHERE kind = 'invoice_pdf' AND state = 'in_flight'
    UNION ALL SELECT key FROM msg.effect WHERE kind = 'invoice_pdf' AND state IN ('failed', 'uncertain')
    UNION ALL SELECT key FROM msg.effect WHERE kind = 'invoice_pdf' AND state = 'discarded')"""
"""The documents whose PDF is not made, by the indexes of effects that have not succeeded."""
_FILTER = """FROM invoice i JOIN account a USING (shop, order_id)
    WHERE i.shop = $1 AND ($2::text IS NULL OR i.kind = $2)
      AND ($3::text IS NULL OR position(upper($3) IN upper(i.number)) > 0)
      AND ($4::uuid IS NULL OR i.order_id = $4)
      AND ($5::date IS NULL OR i.issued_on >= $5) AND ($6::date IS NULL OR i.issued_on <= $6)
      AND ($7::uuid[] IS NULL OR i.id = ANY($7))"""


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """A filter for a shop's documents; None means all. Both days are included."""

    shop: str
    kind: str | None = None
    number: str | None = None
    order_id: UUID | None = None
    first: date | None = None
    last: date | None = None
    identifiers: tuple[UUID, ...] = ()
    after: tuple[date, UUID] | None = None
    limit: int = 100

    @property
    def values(self) -> tuple[Any, ...]:
        return (
            self.shop,
            self.kind,
            self.number,
            self.order_id,
            self.first,
            self.last,
            self.identifiers or None,
        )


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """The last document of a kind that was read; the next ones follow it."""

    kind: str
    year: int = 0
    position: int = 0


def wanted(query: QueryParams) -> DocumentFilter:
    """Return the filter of a query. Raises ValueError, naming the unreadable value and its correct form."""
    if unknown := set(query) - _NAMES:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))[:100]}; known: {', '.join(sorted(_NAMES))}")
    if not query.get("shop"):
        raise ValueError("shop is missing: ?shop=…")
    if query.get("kind") and query["kind"] not in tuple(InvoiceKind):
        raise ValueError(f"kind is one of {', '.join(InvoiceKind)}")
    limit = int(query.get("limit", "100")) if query.get("limit", "100").isdecimal() else 0
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit is a number from 1 to {LARGEST_PAGE}")
    return DocumentFilter(
        shop=query["shop"],
        kind=query.get("kind") or None,
        number=query.get("number") or None,
        order_id=_uuid(query.get("order"), "order"),
        first=_day(query.get("from"), "from"),
        last=_day(query.get("to"), "to"),
        identifiers=tuple(one for text in query.getlist("id") if (one := _uuid(text, "id"))),
        after=_place(query.get("after")),
        limit=limit,
    )


def _uuid(text: str | None, name: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise ValueError(f"{name} is not a UUID") from None


def _day(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{name} is not a date; write it as 2026-11-29") from None


def _place(text: str | None) -> tuple[date, UUID] | None:
    if not text:
        return None
    day, _, identifier = text.partition("_")
    try:
        return date.fromisoformat(day), UUID(identifier)
    except ValueError:
        raise ValueError('pass "next" from a previous page as after, or omit it') from None


async def read_page(connection: Connection, filters: DocumentFilter) -> list[asyncpg.Record]:
    """Return one document more than the page holds, the latest issued first."""
    day, identifier = filters.after or (None, None)
    return await connection.fetch(
        f"""SELECT {_COLUMNS}, {_BUYER}, {_PDF_STATE} {_FILTER}
              AND ($8::date IS NULL OR (i.issued_on, i.id) < ($8, $9::uuid))
            ORDER BY i.issued_on DESC, i.id DESC LIMIT $10""",
        *filters.values,
        day,
        identifier,
        filters.limit + 1,
    )


async def count_without_pdf(connection: Connection, filters: DocumentFilter) -> int:
    """Return how many documents of a filter have no PDF, on all its pages: it failed, or is still being made."""
    count: int = await connection.fetchval(
        f"""{_UNMADE} SELECT count(*) {_FILTER} AND i.id IN (SELECT key::uuid FROM unmade)
            AND NOT EXISTS (SELECT FROM invoice_pdf p WHERE p.invoice_id = i.id)""",  # noqa: S608 - constants only
        *filters.values,
    )
    return count


async def count_failed_pdfs(connection: Connection, shop: str) -> int:
    """Return how many PDFs of a shop failed for good that nobody has acknowledged."""
    count: int = await connection.fetchval(
        """SELECT count(*) FROM msg.effect
           WHERE kind = 'invoice_pdf' AND state = 'failed' AND acknowledged_at IS NULL AND payload ->> 'shop' = $1""",
        shop,
    )
    return count


_IN_SERIES = "AND (i.year, i.position) > ($8, $9) ORDER BY i.year, i.position LIMIT $10"


async def read_contents_after(
    connection: Connection, filters: DocumentFilter, series: SeriesPlace, limit: int
) -> list[asyncpg.Record]:
    """Return the next documents of a kind by number, with their contents."""
    return await connection.fetch(
        f"SELECT i.year, i.position, i.content {_FILTER} {_IN_SERIES}",
        *replace(filters, kind=series.kind).values,
        *(series.year, series.position, limit),
    )


async def read_files_after(
    connection: Connection, filters: DocumentFilter, series: SeriesPlace, limit: int
) -> list[asyncpg.Record]:
    """Return the next documents of a kind by number: numbers, days, and PDFs where they are made."""
    return await connection.fetch(
        f"""SELECT d.year, d.position, d.number, d.issued_on, p.content FROM (
                SELECT i.id, i.number, i.issued_on, i.year, i.position {_FILTER} {_IN_SERIES}) AS d
            LEFT JOIN invoice_pdf p ON p.invoice_id = d.id ORDER BY d.year, d.position""",  # noqa: S608 - constants only
        *replace(filters, kind=series.kind).values,
        *(series.year, series.position, limit),
    )


async def read_pdfs(connection: Connection, shop: str, identifiers: Sequence[UUID]) -> list[asyncpg.Record]:
    """Return the numbers of these documents, in their order, with the PDFs that are made."""
    return await connection.fetch(
        """SELECT i.id, i.number, p.content FROM invoice i LEFT JOIN invoice_pdf p ON p.invoice_id = i.id
           WHERE i.shop = $1 AND i.id = ANY($2) ORDER BY i.kind DESC, i.year, i.position""",
        shop,
        list(identifiers),
    )


async def read_waiting(connection: Connection, shop: str, limit: int) -> list[asyncpg.Record]:
    """Return orders whose invoice is due in a shop with invoicing on, the first placed first."""
    return await connection.fetch(
        """SELECT s.order_id, a.code, s.placed_at
           FROM invoicing i JOIN sale s ON s.shop = i.shop AND s.is_due
           JOIN account a ON a.shop = s.shop AND a.order_id = s.order_id
           WHERE i.shop = $1 AND i.is_on AND (s.placed_at >= i.since OR s.wish IS NOT NULL)
             AND a.due_minor > a.credited_minor
             AND (a.balance_minor <= 0 OR i.settings ->> 'issue_at' = 'placement' OR s.wish IS NOT NULL)
           ORDER BY s.placed_at, s.order_id LIMIT $2""",
        shop,
        limit,
    )


async def read_failed(connection: Connection, shop: str, limit: int) -> list[asyncpg.Record]:
    """Return orders whose documents could not be issued, with the reason, the first failed first."""
    return await connection.fetch(
        """SELECT s.order_id, a.code, s.failure, s.failed_at FROM sale s JOIN account a USING (shop, order_id)
           WHERE s.shop = $1 AND s.failure IS NOT NULL ORDER BY s.failed_at, s.order_id LIMIT $2""",
        shop,
        limit,
    )
