"""SQL of drafts: one function per statement, the connection first. A draft belongs to one person and one order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection


@dataclass(frozen=True)
class DraftRow:
    """A stored draft, and the state and outcome of the command that its form sent; None if it has sent none."""

    text: str
    saved_at: datetime
    command_id: UUID | None
    state: str | None
    outcome: str | None
    requested_at: datetime | None


async def read_draft(connection: Connection, shop: str, order_id: UUID, staff_id: UUID) -> DraftRow | None:
    """Return a staff member's draft of an order."""
    row: Any = await connection.fetchrow(
        """select d.text, d.saved_at, c.command_id, c.state, c.outcome, c.requested_at
           from message_draft d
           left join command c on c.shop = d.shop and c.idempotency_key = d.form_key
           where d.shop = $1 and d.order_id = $2 and d.staff_id = $3""",
        shop,
        order_id,
        staff_id,
    )
    return DraftRow(**row) if row else None


@dataclass(frozen=True)
class NewDraft:
    """A draft to be stored. `form_key` is the idempotency key of the form in which it is typed."""

    shop: str
    order_id: UUID
    staff_id: UUID
    text: str
    form_key: str | None
    saved_at: datetime


async def put_draft(connection: Connection, draft: NewDraft, *, unless_sent: str | None = None) -> None:
    """Store a staff member's draft of an existing order, in place of the one before.

    Nothing is stored when the form with the key `unless_sent` was sent: an autosaved draft may arrive after the
    message that was sent from it.
    """
    await connection.execute(
        """insert into message_draft (shop, order_id, staff_id, text, form_key, saved_at)
           select $1, $2, $3, $4, $5, $6 from orders where order_id = $2 and shop || '' = $1
             and not exists (select from command where shop = $1 and idempotency_key = $7)
           on conflict (shop, order_id, staff_id) do update
           set (text, form_key, saved_at) = (excluded.text, excluded.form_key, excluded.saved_at)""",
        draft.shop,
        draft.order_id,
        draft.staff_id,
        draft.text,
        draft.form_key,
        draft.saved_at,
        unless_sent,
    )


async def delete_draft(
    connection: Connection, shop: str, order_id: UUID, staff_id: UUID, form_key: str | None = None
) -> None:
    """Delete a staff member's draft of an order; with a `form_key` only if that form sent it."""
    await connection.execute(
        """delete from message_draft where shop = $1 and order_id = $2 and staff_id = $3
             and ($4::text is null or form_key = $4)""",
        shop,
        order_id,
        staff_id,
        form_key,
    )


async def delete_drafts(connection: Connection, before: datetime) -> None:
    """Delete the drafts that were last saved before this time."""
    await connection.execute("delete from message_draft where saved_at < $1", before)
