"""The states shown follow from the facts beside them: the rules of the README's tables, written a second
time.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from deploy.auditor.finding import Finding, check, shown
from deploy.auditor.ground import Ground

Row = Mapping[str, Any]


@check
async def states_follow_from_facts(ground: Ground) -> AsyncIterator[Finding]:
    """State, payment status and fulfilment status of each order are what its facts give."""
    for row in await ground.orders.fetch("SELECT * FROM orders"):
        expected = (state_of(row), payment_status_of(row), fulfilment_status_of(row))
        found = (row["automatic_state"], row["payment_status"], row["fulfilment_status"])
        if expected != found:
            where = f"order {shown((row['shop'], row['order_id']))}"
            yield Finding(where, ", ".join(expected), ", ".join(found))


@check
async def units_are_sums_of_lines(ground: Ground) -> AsyncIterator[Finding]:
    """The units on an order are those of its lines."""
    rows = await ground.orders.fetch(
        """SELECT o.shop, o.order_id, o.ship_ordered, o.other_ordered,
               coalesce(sum(l.quantity + l.reduced) FILTER (WHERE l.kind = 'ship'), 0)::int AS goods,
               coalesce(sum(l.quantity + l.reduced) FILTER (WHERE l.kind <> 'ship'), 0)::int AS others
           FROM orders o JOIN order_line l USING (shop, order_id) WHERE o.stage = 'placed' GROUP BY 1, 2, 3, 4"""
    )
    for row in rows:
        expected, found = (row["goods"], row["others"]), (row["ship_ordered"], row["other_ordered"])
        if expected != found:
            where = f"order {shown((row['shop'], row['order_id']))}"
            yield Finding(
                where, f"{expected[0]} goods, {expected[1]} others", f"{found[0]} goods, {found[1]} others"
            )


def state_of(row: Row) -> str:
    """The automatic state of an order."""
    if row["stage"] != "placed":
        return {"draft": "draft", "checkout": "in_checkout", "checkout_over": "abandoned"}[row["stage"]]
    needed = row["ship_needed"] + row["other_needed"]
    if row["ship_ordered"] + row["other_ordered"] > 0 and needed == 0:
        return "cancelled"
    delivered = row["ship_delivered"] >= row["ship_needed"] and row["other_finished"] >= row["other_needed"]
    if needed > 0 and delivered and row["balance_minor"] <= 0:
        return "completed"
    if row["ship_shipped"] > 0:
        return "processing"
    if row["balance_minor"] <= 0 or row["payment_method"] == "cash" or row["ship_packed"] > row["ship_lost"]:
        return "ready"
    return "awaiting_payment"


def payment_status_of(row: Row) -> str:
    """The payment status of an order."""
    if row["stage"] != "placed":
        return {"draft": "void", "checkout": "in_progress", "checkout_over": "abandoned"}[row["stage"]]
    balance, net = row["balance_minor"], row["received_minor"] - row["refunded_minor"] - row["marked_minor"]
    returned = row["refunded_minor"] + row["marked_minor"]
    if returned > 0 and net <= 0 and balance <= 0:
        return "refunded"
    if balance < 0:
        return "overpaid"
    if balance == 0:
        if row["state"] == "cancelled" and row["due_minor"] == row["credited_minor"] and net == 0:
            return "void"
        return "partially_refunded" if returned > 0 and row["credited_minor"] > 0 else "paid"
    if net > 0:
        return "partially_paid"
    if row["authorised_minor"] >= balance:
        return "authorized"
    in_flight = ("created", "requires_action", "pending", "authorised", "captured")
    return "pending" if row["attempt"] in in_flight else "unpaid"


def fulfilment_status_of(row: Row) -> str:
    """The fulfilment status of an order's goods."""
    needed = row["ship_needed"]
    if needed <= 0 and row["ship_shipped"] <= 0:
        return "not_required"
    packed = row["ship_packed"] - row["ship_lost"]
    for stage, units in (
        ("returned", row["ship_returned"]),
        ("delivered", row["ship_delivered"]),
        ("shipped", row["ship_shipped"]),
        ("packed", packed),
    ):
        if units > 0:
            return stage if units >= needed else f"partially_{stage}"
    return "unfulfilled"
