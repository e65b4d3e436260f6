"""SQL of forms that were processed."""

from datetime import datetime

from services.chassis.storage.database import Connection


async def claim_form(connection: Connection, shop: str, key: str, content_hash: bytes, now: datetime) -> bool:
    """Claim a form for processing; return False when it was already. Waits for a concurrent request with the
    same key.
    """
    claimed = await connection.fetchval(
        """insert into form_sent (shop, key, content_hash, sent_at) values ($1, $2, $3, $4)
           on conflict (shop, key) do nothing returning true""",
        *(shop, key, content_hash, now),
    )
    return bool(claimed)


async def read_form_hash(connection: Connection, shop: str, key: str) -> bytes | None:
    """Return the content hash of a processed form."""
    found = await connection.fetchval(
        "select content_hash from form_sent where shop = $1 and key = $2", shop, key
    )
    return found if isinstance(found, bytes) else None


async def forget_forms(connection: Connection, before: datetime) -> None:
    """Delete keys of forms that are no longer sent again."""
    await connection.execute("delete from form_sent where sent_at < $1", before)
