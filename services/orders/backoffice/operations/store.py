"""The SQL of operations' pages: who did what about messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis.database import Connection


async def read_deeds(
    connection: Connection, shop: str, actions: Sequence[str], most: int
) -> Sequence[Mapping[str, Any]]:
    """The latest of these actions in the audit: at, actor, action, outcome, detail. It looks at the last 90 days."""
    return await connection.fetch(
        """select at, actor, action, outcome, detail::text as detail from audit
           where shop = $1 and action = any($2) and at > now() - interval '90 days'
           order by at desc, audit_id desc limit $3""",
        *(shop, actions, most),
    )
