"""SQL of the operations pages: actions on messages, and the orders that findings name."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection


async def read_actions(
    connection: Connection, shop: str, actions: Sequence[str], most: int
) -> Sequence[Mapping[str, Any]]:
    """Return the latest of these actions in the audit: at, actor, action, outcome, detail. Covers the last 90
    days.
    """
    return await connection.fetch(
        """select at, actor, action, outcome, detail::text as detail from audit
           where shop = $1 and action = any($2) and at > now() - interval '90 days'
           order by at desc, audit_id desc limit $3""",
        *(shop, actions, most),
    )


async def read_codes(connection: Connection, shop: str, ids: Collection[UUID]) -> dict[str, str]:
    """Return the codes of the shop's orders among these ids, by the id as text."""
    rows = await connection.fetch(
        """select o.order_id::text as order_id, o.code from unnest($2::uuid[]) as k (order_id)
           join orders o on o.order_id = k.order_id and o.shop || '' = $1""",
        *(shop, list(ids)),
    )
    return {row["order_id"]: row["code"] for row in rows}
