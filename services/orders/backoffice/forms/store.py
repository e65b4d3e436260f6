"""The SQL of forms that were carried out."""

from datetime import datetime

from services.chassis.storage.database import Connection


async def claim_form(connection: Connection, shop: str, key: str, content_hash: bytes, now: datetime) -> bool:
    """Note that a form is being carried out; False when it was already. Waits for another that does so just now."""
    claimed = await connection.fetchval(
        """insert into form_sent (shop, key, content_hash, sent_at) values ($1, $2, $3, $4)
           on conflict (shop, key) do nothing returning true""",
        *(shop, key, content_hash, now),
    )
    return bool(claimed)


async def read_form_hash(connection: Connection, shop: str, key: str) -> bytes | None:
    """What a form held when it was carried out."""
    found = await connection.fetchval(
        "select content_hash from form_sent where shop = $1 and key = $2", shop, key
    )
    return found if isinstance(found, bytes) else None


async def forget_forms(connection: Connection, before: datetime) -> None:
    """Remove forms that nobody sends again."""
    await connection.execute("delete from form_sent where sent_at < $1", before)
