"""All SQL on disputes of all accounts: those to publish, and their counts. Locks nothing."""

from uuid import UUID

import asyncpg

from services.chassis.storage.database import Connection


async def find_unpublished(connection: Connection, limit: int) -> list[tuple[str, UUID]]:
    """Return orders with a dispute that was reported and never published."""
    rows = await connection.fetch(
        """SELECT DISTINCT r.shop, r.order_id
           FROM (SELECT shop, order_id, provider, object_id FROM dispute_report
                 UNION ALL SELECT shop, order_id, provider, object_id FROM remark WHERE topic = 'dispute') AS r
           WHERE NOT EXISTS (SELECT FROM dispute d
                             WHERE (d.shop, d.provider, d.object_id) = (r.shop, r.provider, r.object_id))
           ORDER BY r.shop, r.order_id LIMIT $1""",
        limit,
    )
    return [(row["shop"], row["order_id"]) for row in rows]


async def count_disputes(connection: Connection) -> list[asyncpg.Record]:
    """Return, by state: disputes, due_soon, unresolved, and the earliest deadline (due_at)."""
    return await connection.fetch(
        """SELECT state, count(*) AS disputes, count(*) FILTER (WHERE is_due_soon) AS due_soon,
               count(*) FILTER (WHERE state IN ('lost', 'accepted') AND resolution IS NULL) AS unresolved,
               min(due_at) AS due_at
           FROM dispute GROUP BY state"""
    )
