"""The SQL of staff decisions on webhooks: set aside with a reason, or applied again.

A payment's key is locked (see `webhook_store.lock_keys`) before its webhooks are, so that a webhook being
applied is either seen here or sees the decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection

SET_ASIDE = "set_aside"
ObjectKey = tuple[str, str, str]
"""Shop, provider, the provider's payment."""


@dataclass(frozen=True, slots=True)
class StaffDecision:
    """A staff decision: who, why, and when."""

    actor: str
    reason: str
    at: datetime

    @property
    def detail(self) -> str:
        return f"{self.actor}: {self.reason}"


async def read_webhook(connection: Connection, shop: str | None, webhook_id: UUID) -> asyncpg.Record | None:
    """Return one webhook of the shop (None: of any), without its body."""
    return await connection.fetchrow(
        """SELECT id, shop, provider, state, reason, object_id, amount_minor FROM webhook
           WHERE id = $1 AND ($2::text IS NULL OR shop = $2)""",
        webhook_id,
        shop,
    )


async def end_one(connection: Connection, webhook_id: UUID, decision: StaffDecision) -> list[UUID]:
    """Set one webhook aside; return nothing when it needs no decision any more."""
    rows = await connection.fetch(
        """UPDATE webhook SET state = 'irrelevant', reason = $2, detail = $3, handled_at = $4
           WHERE id = $1 AND state IN ('waiting', 'parked') RETURNING id""",
        webhook_id,
        SET_ASIDE,
        decision.detail,
        decision.at,
    )
    return [row["id"] for row in rows]


async def note_payment(connection: Connection, payment: ObjectKey, decision: StaffDecision) -> None:
    """Record that the payment belongs to no order here; the first decision is kept."""
    await connection.execute(
        """INSERT INTO set_aside_payment (shop, provider, object_id, reason, actor, set_aside_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        *payment,
        decision.reason,
        decision.actor,
        decision.at,
    )


async def end_payment(connection: Connection, payment: ObjectKey, decision: StaffDecision) -> list[UUID]:
    """Set aside every webhook that waits, or is parked, with this payment."""
    rows = await connection.fetch(
        """UPDATE webhook SET state = 'irrelevant', reason = $4, detail = $5, handled_at = $6
           WHERE shop = $1 AND provider = $2 AND object_id = $3 AND state IN ('waiting', 'parked') RETURNING id""",
        *payment,
        SET_ASIDE,
        decision.detail,
        decision.at,
    )
    return [row["id"] for row in rows]


async def forget_payment(connection: Connection, payment: ObjectKey) -> None:
    """Delete the decision: the payment may belong to an order after all."""
    await connection.execute(
        "DELETE FROM set_aside_payment WHERE shop = $1 AND provider = $2 AND object_id = $3", *payment
    )


async def take_back(
    connection: Connection, webhook_id: UUID, payment: ObjectKey | None, actor: str
) -> list[UUID]:
    """Mark a webhook to be read again that is parked, was set aside or has money and names another shop, with
    the others of its payment that ended so. One whose content was deleted (see `retention.py`) keeps its
    result.
    """
    rows = await connection.fetch(
        """UPDATE webhook SET state = 'received', reason = NULL, detail = NULL, handled_at = NULL, judged_by = $5,
               answer = NULL
           WHERE length(body) > 2
             AND ((id = $1 AND state = 'parked')
                  OR ((id = $1 OR (shop = $2 AND provider = $3 AND object_id = $4)) AND state = 'irrelevant'
                      AND (reason = $6 OR (reason = 'names_other_shop' AND amount_minor IS NOT NULL))))
           RETURNING id""",
        webhook_id,
        *(payment or (None, None, None)),
        actor,
        SET_ASIDE,
    )
    return [row["id"] for row in rows]


_READ_SET_ASIDE = Bulk(
    tuple[str, str, str],
    """SELECT p.* FROM set_aside_payment p JOIN {rows} AS k (shop, provider, object_id)
       USING (shop, provider, object_id)""",
)


async def read_set_aside(connection: Connection, payments: Sequence[ObjectKey]) -> dict[ObjectKey, str]:
    """Return those of the payments that staff set aside, with who and why."""
    rows = await _READ_SET_ASIDE.fetch(connection, payments)
    return {(r["shop"], r["provider"], r["object_id"]): f"{r['actor']}: {r['reason']}" for r in rows}
