"""What orders lets go: refused sales, and checkouts that ended long ago without a sale and without money."""

from datetime import timedelta

from services.chassis.database import Connection
from services.chassis.retention import Rule, statement
from services.orders import edit_store
from services.orders.settings import OrdersSettings


def _refusal_days(settings: OrdersSettings) -> int:
    return settings.refusal_days


def _checkout_days(settings: OrdersSettings) -> int:
    return settings.checkout_days


async def forget_checkouts(connection: Connection, age: timedelta, most: int) -> int:
    """Delete every row about so many checkouts that ran out or were dropped so long ago; how many there were."""
    rows = await connection.fetch(
        """SELECT shop, order_id FROM orders AS o
           WHERE stage = 'checkout_over' AND placed_at < now() - $1::interval
             AND NOT EXISTS (SELECT FROM checkout AS c
                             WHERE (c.shop, c.checkout_id) = (o.shop, o.order_id) AND c.paid_at IS NOT NULL)
             AND NOT EXISTS (SELECT FROM ledger_entry AS e WHERE (e.shop, e.order_id) = (o.shop, o.order_id))
           ORDER BY placed_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        age,
        most,
    )
    await edit_store.erase_unplaced(connection, [(row["shop"], row["order_id"]) for row in rows])
    return len(rows)


RULES = (
    Rule(
        "refused sales",
        _refusal_days,
        statement(
            """DELETE FROM refusal WHERE ctid = ANY(ARRAY(
                   SELECT ctid FROM refusal WHERE refused_at < now() - $1::interval
                   LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
    Rule("checkouts that ended without a sale", _checkout_days, forget_checkouts),
)
