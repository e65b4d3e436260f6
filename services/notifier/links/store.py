"""SQL of links: written before their mail is handed over, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.writing import Writer


class LinkRow(NamedTuple):
    token_hash: bytes
    shop: str
    order_id: UUID
    mail_id: UUID
    recipient: str
    made_at: datetime


_INSERT = Bulk(
    LinkRow,
    """INSERT INTO page_link ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_links(connection: Writer, links: Sequence[LinkRow]) -> None:
    """Write links; an existing one stays unchanged. Locks nothing."""
    await _INSERT.execute(connection, sorted(links, key=lambda link: link.token_hash))
