"""SQL of the copies of the notifier's data about mails."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.writing import Writer


class MailRow(NamedTuple):
    shop: str
    mail_id: UUID
    order_id: UUID | None
    template: str
    recipient: str
    cause_id: UUID
    state: str
    at: datetime
    detail: str | None


_UPSERT_MAILS = Bulk(
    MailRow,
    """INSERT INTO mail ({columns})
       SELECT * FROM {rows} AS r ({columns})
       WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
       ON CONFLICT (shop, mail_id) DO UPDATE
       SET recipient = excluded.recipient, state = excluded.state, at = excluded.at, detail = excluded.detail
       WHERE (excluded.at, excluded.state) > (mail.at, mail.state)""",
)


async def upsert_mails(connection: Writer, rows: Sequence[MailRow]) -> None:
    """Insert or update the outcome of mails, one row per mail.

    The latest report counts. Reports about deleted orders are skipped.
    """
    await _UPSERT_MAILS.execute(connection, rows)
