"""SQL of an erasure on webhooks: the content of those about erased orders, and of those that name their customer.

The arrival of a webhook, its digest and its result stay, so that a repeat is still a duplicate.
"""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.storage.database import Connection

CLEARED = """body = '{}', headers = '{}', answer = NULL, body_digest = coalesce(body_digest, sha256(body))"""
"""Assignments that delete a webhook's content."""
ENDED = "state IN ('applied', 'duplicate', 'irrelevant')"


async def clear_ended(connection: Connection, shop: str, orders: Sequence[UUID], texts: Sequence[str]) -> int:
    """Delete the content of ended webhooks of these orders, and of those without an order that have one of
    these texts or name a payment of theirs. Return their number.
    """
    status: str = await connection.execute(
        f"""UPDATE webhook AS w SET {CLEARED}
            WHERE w.shop = $1 AND w.{ENDED} AND length(w.body) > 2 AND (w.order_id = ANY($2) OR (
                w.order_id IS NULL AND EXISTS (
                    SELECT FROM unnest($3::bytea[]) AS one (text) WHERE position(one.text IN w.body) > 0
                    UNION ALL
                    SELECT FROM provider_object AS o
                    WHERE o.shop = $1 AND o.order_id = ANY($2)
                      AND position(convert_to(o.object_id, 'UTF8') IN w.body) > 0)))""",  # noqa: S608
        shop,
        orders,
        [one.encode() for one in texts],
    )
    return int(status.rpartition(" ")[2])


async def read_open(connection: Connection, shop: str, orders: Sequence[UUID]) -> list[tuple[UUID, bytes]]:
    """Return the webhooks of these orders that wait or are parked, with their bodies. Locks them."""
    rows = await connection.fetch(
        """SELECT id, body FROM webhook WHERE shop = $1 AND order_id = ANY($2) AND state IN ('waiting', 'parked')
           ORDER BY id FOR UPDATE""",
        shop,
        orders,
    )
    return [(row["id"], row["body"]) for row in rows]


async def write_open(connection: Connection, bodies: Sequence[tuple[UUID, bytes]]) -> None:
    """Replace bodies of webhooks; each keeps the digest of the body that came."""
    await connection.executemany(
        """UPDATE webhook SET body = $2, headers = '{}', body_digest = coalesce(body_digest, sha256(body))
           WHERE id = $1""",
        bodies,
    )
