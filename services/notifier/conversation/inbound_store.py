"""SQL of received mails: one function per statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.notifier.conversation import InboundOutcome
from services.chassis.storage.database import Connection
from services.notifier.conversation.inbound import Ending, InboundMail

_COLUMNS = (
    "inbound_id, shop, received_at, envelope_from, envelope_to, raw, order_id, outcome, reason, filed_at"
)


async def lock_inbound(connection: Connection, ids: Sequence[UUID]) -> list[InboundMail]:
    """Lock and return these received mails, as far as they exist. Ids must be sorted, to avoid deadlocks."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM inbound_mail WHERE inbound_id = ANY($1::uuid[]) "  # noqa: S608 - of this module
        "ORDER BY inbound_id FOR UPDATE",
        ids,
    )
    return [_inbound(row) for row in rows]


async def read_inbound(connection: Connection, inbound_id: UUID) -> InboundMail | None:
    """Return a received mail."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM inbound_mail WHERE inbound_id = $1",  # noqa: S608 - of this module
        inbound_id,
    )
    return _inbound(row) if row else None


async def end_inbound(
    connection: Connection,
    inbound_id: UUID,
    ending: Ending,
    now: datetime,
    sender: str | None = None,
    subject: str | None = None,
    excerpt: str = "",
    *,
    is_whole: bool = True,
) -> None:
    """Write where a locked mail ended, and whether all of it was read."""
    await connection.execute(
        """UPDATE inbound_mail SET outcome = $2, reason = $3, order_id = coalesce($4, order_id), ended_at = $5,
               sender = coalesce($6, sender), subject = coalesce($7, subject), excerpt = $8, is_whole = $9
           WHERE inbound_id = $1""",
        inbound_id,
        ending.outcome,
        ending.reason,
        ending.order_id,
        now,
        sender,
        subject,
        excerpt,
        is_whole,
    )


async def note_part(connection: Connection, inbound_id: UUID) -> None:
    """Write that not all of a mail was read."""
    await connection.execute("UPDATE inbound_mail SET is_whole = false WHERE inbound_id = $1", inbound_id)


async def file_inbound(
    connection: Connection,
    inbound_id: UUID,
    order_id: UUID | None,
    filed_by: str,
    filed_at: datetime,
    reason: str | None,
) -> None:
    """Write under which order staff filed a locked mail, or why they set it aside."""
    await connection.execute(
        """UPDATE inbound_mail SET order_id = coalesce($2, order_id), filed_by = $3, filed_at = $4, filed_reason = $5
           WHERE inbound_id = $1""",
        inbound_id,
        order_id,
        filed_by,
        filed_at,
        reason,
    )


def _inbound(row: asyncpg.Record) -> InboundMail:
    outcome = InboundOutcome(row["outcome"]) if row["outcome"] else None
    return InboundMail(**{**dict(row), "outcome": outcome})
