"""SQL of quick replies: one function per statement, the connection first. Writers hold the shop's names."""

from datetime import datetime
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.backoffice.conversation.quick_replies import QuickReply


async def lock_names(connection: Connection, shop: str) -> None:
    """Lock this shop's quick replies against concurrent changes until the transaction ends."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('quick replies of ' || $1, 0))", shop
    )


async def read_replies(connection: Connection, shop: str) -> list[QuickReply]:
    """Return the shop's quick replies by name."""
    rows = await connection.fetch(
        "select reply_id, name, text_fr, text_en from quick_reply where shop = $1 order by folded", shop
    )
    return [
        QuickReply(row["reply_id"], row["name"], {"fr": row["text_fr"], "en": row["text_en"]}) for row in rows
    ]


async def find_reply(connection: Connection, shop: str, folded: str) -> UUID | None:
    """Return the reply of this folded name."""
    found: UUID | None = await connection.fetchval(
        "select reply_id from quick_reply where shop = $1 and folded = $2", shop, folded
    )
    return found


async def put_reply(
    connection: Connection,
    shop: str,
    reply_id: UUID,
    values: tuple[str, str, str, str],
    actor: str,
    now: datetime,
) -> None:
    """Add a reply or replace the one of this id; values are name, folded name, and its French and English text."""
    await connection.execute(
        """insert into quick_reply (shop, reply_id, name, folded, text_fr, text_en, changed_by, changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (shop, reply_id) do update
           set (name, folded, text_fr, text_en, changed_by, changed_at)
             = (excluded.name, excluded.folded, excluded.text_fr, excluded.text_en, excluded.changed_by,
                excluded.changed_at)""",
        shop,
        reply_id,
        *values,
        actor,
        now,
    )


async def delete_reply(connection: Connection, shop: str, reply_id: UUID) -> None:
    """Delete a reply."""
    await connection.execute("delete from quick_reply where shop = $1 and reply_id = $2", shop, reply_id)
