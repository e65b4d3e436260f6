"""SQL that removes the customers' data of deleted or erased orders from recipients, mails and what belongs to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.notifier.mails.recipient_store import OrderKey


class DeletionRow(NamedTuple):
    shop: str
    order_id: UUID
    deleted_at: datetime


_DISCARD_PLANNED = Bulk(
    tuple[str, UUID],
    """UPDATE msg.effect AS e SET state = 'discarded', detail = 'the order was deleted', updated_at = {now}
       FROM mail JOIN {rows} AS gone (shop, order_id) USING (shop, order_id)
       WHERE e.key = mail.id::text AND e.kind = 'mail' AND e.state IN ('planned', 'failed')""",
)
_CLEAR_RESENDS = Bulk(
    tuple[str, UUID],
    """UPDATE resend SET recipient = NULL FROM mail JOIN {rows} AS gone (shop, order_id) USING (shop, order_id)
       WHERE resend.mail_id = mail.id""",
)
_DELETE_BOUNCE_ADDRESSES = Bulk(
    tuple[str, UUID],
    """DELETE FROM bounce_address b USING mail JOIN {rows} AS gone (shop, order_id) USING (shop, order_id)
       WHERE b.mail_id = mail.id""",
)
_CLEAR_BOUNCES = Bulk(
    tuple[str, UUID],
    """UPDATE bounce b SET address = '', diagnostic = ''
       FROM mail JOIN {rows} AS gone (shop, order_id) USING (shop, order_id) WHERE b.mail_id = mail.id""",
)
_DELETE_SUPPRESSIONS = Bulk(
    tuple[str, UUID],
    """DELETE FROM suppression s USING addressee a JOIN {rows} AS gone (shop, order_id) USING (shop, order_id)
       WHERE s.shop = a.shop AND s.address = lower(a.email) AND NOT EXISTS (
           SELECT FROM addressee other WHERE other.shop = s.shop AND lower(other.email) = s.address
             AND other.order_id <> a.order_id)""",
)
_CLEAR_MAILS = Bulk(
    tuple[str, UUID],
    """UPDATE mail SET recipient = '', context = CASE WHEN context ? 'shipment_id'
           THEN jsonb_build_object('shipment_id', context->'shipment_id') ELSE '{}' END
       FROM {rows} AS gone (shop, order_id)
       WHERE (mail.shop, mail.order_id) = (gone.shop, gone.order_id)""",
)
_CLEAR_LINKS = Bulk(
    tuple[str, UUID],
    """UPDATE page_link AS l SET recipient = '' FROM {rows} AS gone (shop, order_id)
       WHERE (l.shop, l.order_id) = (gone.shop, gone.order_id)""",
)
_CLEAR_RECIPIENTS = Bulk(
    DeletionRow,
    """UPDATE addressee AS a SET name = '', email = '', placed = '{}', edited = NULL, deleted_at = gone.deleted_at
       FROM {rows} AS gone ({columns})
       WHERE (a.shop, a.order_id) = (gone.shop, gone.order_id)""",
)


async def forget_orders(connection: Connection, deleted: Mapping[OrderKey, datetime], now: datetime) -> None:
    """Remove the customers' data of deleted orders, and set aside their unsent mails."""
    keys = sorted(deleted)
    await _DISCARD_PLANNED.execute(connection, keys, now=now)
    await _CLEAR_RESENDS.execute(connection, keys)
    await _DELETE_BOUNCE_ADDRESSES.execute(connection, keys)
    await _CLEAR_BOUNCES.execute(connection, keys)
    await _DELETE_SUPPRESSIONS.execute(connection, keys)
    await _CLEAR_MAILS.execute(connection, keys)
    await _CLEAR_LINKS.execute(connection, keys)
    rows = [DeletionRow(shop, order_id, deleted[shop, order_id]) for shop, order_id in keys]
    await _CLEAR_RECIPIENTS.execute(connection, rows)


async def count_named(connection: Connection, keys: Sequence[OrderKey]) -> int:
    """Return the number of mails of these orders that still name a recipient."""
    found: int = await connection.fetchval(
        """SELECT count(*) FROM mail JOIN unnest($1::text[], $2::uuid[]) AS gone (shop, order_id)
           USING (shop, order_id) WHERE recipient <> ''""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
    return found


async def read_answers(connection: Connection, keys: Sequence[OrderKey]) -> list[tuple[str, str]]:
    """Return what mail servers answered to the mails of these orders, by the key of the effect. Locks them."""
    rows = await connection.fetch(
        """SELECT e.key, e.detail FROM msg.effect AS e
           WHERE e.kind = 'mail' AND e.detail IS NOT NULL AND e.key IN (
               SELECT mail.id::text FROM mail JOIN unnest($1::text[], $2::uuid[]) AS gone (shop, order_id)
               USING (shop, order_id))
           ORDER BY e.key FOR UPDATE""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
    return [(row["key"], row["detail"]) for row in rows]


async def write_answers(connection: Connection, answers: Sequence[tuple[str, str]]) -> None:
    """Replace what mail servers answered."""
    await connection.executemany("UPDATE msg.effect SET detail = $2 WHERE key = $1", answers)
