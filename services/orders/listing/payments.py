"""The list of all ledger entries of a shop and its unmatched money («À identifier»), as the REST API returns
them.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.message import Timestamp
from contracts.sale import PaymentMethod
from services.chassis.http.paging import CursorInvalid
from services.chassis.storage.database import Connection
from services.orders.listing.cursor import PageCursor
from services.orders.listing.filters import Day
from services.orders.listing.finder.selection import midnight, midnight_after
from services.orders.listing.order_parts import LedgerEntryResponse
from services.orders.listing.orders import LARGEST_PAGE


class EntriesQuery(BaseModel):
    """A query for entries. A filter given several times means any of its values; all filters must hold."""

    model_config = ConfigDict(extra="forbid")

    kind: list[str] = Field(default=[], description="order_total, payment_received, refund_paid, …")
    method: list[PaymentMethod] = Field(default=[], description="Method of the payment.")
    order_id: UUID | None = None
    from_: Day | None = Field(
        default=None, alias="from", description="First day recorded, in the shop's zone."
    )
    to: Day | None = Field(default=None, description="Last day recorded, inclusive.")
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Most entries on the page.")
    after: str | None = Field(default=None, max_length=100, description="`next` of the page before.")


class EntryListed(LedgerEntryResponse):
    """A ledger entry with its order."""

    order_id: UUID
    code: str
    customer_name: str
    is_pending: bool = Field(
        default=False, description="A refund that the provider has taken and not confirmed yet."
    )


class EntriesPage(BaseModel):
    """A page of entries, latest recorded first."""

    entries: list[EntryListed]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last one.")


class UnmatchedPayment(BaseModel):
    """Money that no order has."""

    provider: str
    provider_reference: str
    amount_minor: int
    currency: str
    received_at: Timestamp
    reason: str = Field(description="order_unknown, currency_differs, order_deleted.")


class UnmatchedPayments(BaseModel):
    """All of it, the latest first (at most 500)."""

    payments: list[UnmatchedPayment]


async def read_entries(
    connection: Connection, shop: str, query: EntriesQuery, zone: tzinfo
) -> dict[str, Any]:
    """Return a page of entries. Raises CursorInvalid. Locks nothing."""
    rows = await connection.fetch(_ENTRIES, *_arguments(shop, query, zone), query.limit + 1)
    return _page(rows, query.limit)


async def every_entry(
    connection: Connection, shop: str, query: EntriesQuery, zone: tzinfo, batch: int
) -> AsyncGenerator[Sequence[Mapping[str, Any]]]:
    """Yield all matching entries in batches, without a limit. Needs a transaction; locks nothing."""
    cursor = await connection.cursor(_ENTRIES, *_arguments(shop, query, zone), None)
    while rows := await cursor.fetch(batch):
        yield rows


_ENTRIES = """select e.*, o.code, o.customer_name,
      e.kind = 'refund_paid' and exists (
        select from refund r where r.shop = e.shop and r.order_id = e.order_id
          and r.provider_reference = e.provider_reference and r.state in ('sent', 'marked')) as is_pending
    from ledger_entry e
    join orders o on o.order_id = e.order_id and o.shop = e.shop
    where e.shop = $1 and (cardinality($2::text[]) = 0 or e.kind = any($2))
      and (cardinality($3::text[]) = 0 or e.method = any($3))
      and ($4::uuid is null or e.order_id = $4)
      and ($5::timestamptz is null or e.recorded_at >= $5)
      and ($6::timestamptz is null or e.recorded_at < $6)
      and ($7::timestamptz is null or (e.recorded_at, e.entry_id) < ($7, $8::uuid))
    order by e.recorded_at desc, e.entry_id desc limit $9"""


def _arguments(shop: str, query: EntriesQuery, zone: tzinfo) -> list[Any]:
    """Return the arguments of _ENTRIES but for the limit. Raises CursorInvalid."""
    after = PageCursor.read(query.after) if query.after else None
    if after is not None and not isinstance(after.key, datetime):
        raise CursorInvalid
    return [
        *(shop, query.kind, [method.value for method in query.method], query.order_id),
        midnight(query.from_, zone) if query.from_ else None,
        midnight_after(query.to, zone) if query.to else None,
        *((after.key, after.order_id) if after else (None, None)),
    ]


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> dict[str, Any]:
    shown = [EntryListed.model_validate({**row, **_days(row)}) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    cursor = str(PageCursor(last["recorded_at"], last["entry_id"])) if last else None
    return EntriesPage(entries=shown, next=cursor).model_dump(mode="json")


def _days(row: Mapping[str, Any]) -> dict[str, str | None]:
    days: dict[str, date | None] = {name: row[name] for name in ("received_on", "clearing_on")}
    return {name: day.isoformat() if day else None for name, day in days.items()}


async def read_unmatched(connection: Connection, shop: str) -> dict[str, Any]:
    """Return money that was reported, that no ledger has, and that no person assigned to an order or set
    aside. Locks nothing.
    """
    rows = await connection.fetch(
        """select provider, provider_reference, amount_minor, currency, received_at, reason
           from unmatched_payment u
           where shop = $1 and set_aside_at is null
             and not exists (select from assigned_payment a
                             where (a.shop, a.provider, a.provider_reference)
                                 = (u.shop, u.provider, u.provider_reference))
             and (reason = 'order_deleted'
                  or not exists (select from ledger_entry e
                                 where e.shop = u.shop and e.provider_reference = u.provider_reference
                                   and e.kind = 'payment_received'))
           order by received_at desc, provider_reference limit 500""",
        shop,
    )
    found = [UnmatchedPayment.model_validate(dict(row)) for row in rows]
    return UnmatchedPayments(payments=found).model_dump(mode="json")
