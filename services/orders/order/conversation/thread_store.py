"""SQL of the copies of the notifier's threads and received mails; one function per statement.

A thread's row has the highest version received, its last message that of the highest version of a message. Of a
received mail, its end and its filing by staff fill their own columns. So messages may arrive in any order and
more than once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer


class ThreadRow(NamedTuple):
    """`message_version` is 0, and the last message's columns are empty, unless the change was a message."""

    shop: str
    order_id: UUID
    version: Integer
    state: str
    unread: Integer
    last_at: datetime
    assignee: str | None
    message_version: Integer
    last_role: str | None
    last_author: str | None
    excerpt: str | None


_WRITE_THREADS = Bulk(
    ThreadRow,
    """INSERT INTO thread AS t ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, order_id) DO UPDATE SET
           (version, state, unread, last_at, assignee) = (
               SELECT version, state, unread, last_at, assignee FROM (VALUES
                   (t.version, t.state, t.unread, t.last_at, t.assignee),
                   (excluded.version, excluded.state, excluded.unread, excluded.last_at, excluded.assignee))
               AS known (version, state, unread, last_at, assignee) ORDER BY version DESC LIMIT 1),
           (message_version, last_role, last_author, excerpt) = (
               SELECT version, role, author, excerpt FROM (VALUES
                   (t.message_version, t.last_role, t.last_author, t.excerpt),
                   (excluded.message_version, excluded.last_role, excluded.last_author, excluded.excerpt))
               AS known (version, role, author, excerpt) ORDER BY version DESC LIMIT 1)
       WHERE t.version < excluded.version OR t.message_version < excluded.message_version""",
)


async def write_threads(connection: Writer, rows: Sequence[ThreadRow]) -> None:
    """Insert or update copies of threads, one row per thread; newer columns are left unchanged."""
    await _WRITE_THREADS.execute(connection, rows)


def merged(one: ThreadRow, other: ThreadRow) -> ThreadRow:
    """Return the row of two changes of one thread, as `write_threads` would leave it after both."""
    newer = max(one, other, key=lambda row: row.version)
    last = max(one, other, key=lambda row: row.message_version)
    return newer._replace(
        message_version=last.message_version,
        last_role=last.last_role,
        last_author=last.last_author,
        excerpt=last.excerpt,
    )


class ReceivedMailRow(NamedTuple):
    shop: str
    inbound_id: UUID
    order_id: UUID | None
    outcome: str | None
    reason: str | None
    received_at: datetime | None
    filed_at: datetime | None
    filed_by: str | None


_WRITE_RECEIVED = Bulk(
    ReceivedMailRow,
    """INSERT INTO received_mail AS m ({columns})
       SELECT * FROM {rows} AS r ({columns})
       WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
       ON CONFLICT (shop, inbound_id) DO UPDATE SET
           order_id = CASE WHEN excluded.filed_at IS NULL THEN coalesce(m.order_id, excluded.order_id)
                           ELSE coalesce(excluded.order_id, m.order_id) END,
           outcome = coalesce(m.outcome, excluded.outcome), reason = coalesce(m.reason, excluded.reason),
           received_at = coalesce(m.received_at, excluded.received_at),
           filed_at = coalesce(m.filed_at, excluded.filed_at),
           filed_by = coalesce(m.filed_by, excluded.filed_by)""",
)


_READ_ORDERS = Bulk(
    tuple[str, UUID],
    """SELECT m.shop, m.order_id FROM received_mail m JOIN {rows} AS k (shop, inbound_id) USING (shop, inbound_id)
       WHERE m.order_id IS NOT NULL""",
)


async def threads_of(connection: Connection, rows: Sequence[ReceivedMailRow]) -> set[tuple[str, UUID]]:
    """Return the orders, by shop, in whose threads these mails wait or waited: of the rows, and as stored before."""
    if not rows:
        return set()
    stored = await _READ_ORDERS.fetch(connection, [(row.shop, row.inbound_id) for row in rows])
    return {(row["shop"], row["order_id"]) for row in stored} | {
        (row.shop, row.order_id) for row in rows if row.order_id is not None
    }


async def write_received(connection: Writer, rows: Sequence[ReceivedMailRow]) -> None:
    """Insert or complete copies of received mails, one row per mail. Mails of deleted orders are skipped."""
    await _WRITE_RECEIVED.execute(connection, rows)


def completed(one: ReceivedMailRow, other: ReceivedMailRow) -> ReceivedMailRow:
    """Return the row of a mail's end and of its filing, as `write_received` would leave it after both."""
    end, filing = (one, other) if other.filed_at else (other, one)
    return ReceivedMailRow(
        shop=end.shop,
        inbound_id=end.inbound_id,
        order_id=filing.order_id or end.order_id,
        outcome=end.outcome or filing.outcome,
        reason=end.reason or filing.reason,
        received_at=end.received_at or filing.received_at,
        filed_at=filing.filed_at or end.filed_at,
        filed_by=filing.filed_by or end.filed_by,
    )
