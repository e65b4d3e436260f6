"""Retention in orders: deletion of old refused sales, audit records and checkouts without sale or money."""

from datetime import timedelta

from services.chassis.background.retention import Rule, statement
from services.chassis.storage.database import Connection
from services.orders.order.settings import OrdersSettings
from services.orders.order.unit.edits import deletion_store


def _refusal_days(settings: OrdersSettings) -> int:
    return settings.refusal_days


def _checkout_days(settings: OrdersSettings) -> int:
    return settings.checkout_days


def _audit_days(settings: OrdersSettings) -> int:
    return settings.audit_days


async def forget_checkouts(connection: Connection, age: timedelta, most: int) -> int:
    """Delete every row about at most this many checkouts that timed out or were dropped this long ago.

    Return their number.
    """
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
    await deletion_store.erase_unplaced(connection, [(row["shop"], row["order_id"]) for row in rows])
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
    Rule(
        "the record of actions in the back office",
        _audit_days,
        statement(
            """DELETE FROM audit WHERE audit_id = ANY(ARRAY(
                   SELECT audit_id FROM audit WHERE at < now() - $1::interval
                   ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
)
