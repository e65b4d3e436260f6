"""Derived states follow from the facts beside them: the rules of the README's tables, written a second time."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, table

Row = Mapping[str, Any]
FACTS = """shop, order_id, stage, payment_method, stock, state, label, automatic_state, hand_state, hand_label,
    hand_over, payment_status, fulfilment_status, flags, payment_flags, attempt, due_minor, credited_minor,
    received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor, authorised_minor,
    balance_minor, ship_ordered, ship_needed, ship_packed, ship_lost, ship_shipped, ship_delivered, ship_returned,
    other_ordered, other_needed, other_finished, refunds_pending_minor, cancellation_requested_at,
    customer_email, refused_address, address_refused_at, address_freed_at"""


@check
async def states_follow_from_facts(inputs: Inputs) -> AsyncIterator[Finding]:
    """State, label, payment status, fulfilment status and flags of each order follow from its facts."""
    for row in await inputs.orders.fetch(f"SELECT {FACTS} FROM orders"):  # noqa: S608
        expected = {
            "automatic_state": state_of(row),
            **shown_state_of(row),
            "payment_status": payment_status_of(row),
            "fulfilment_status": fulfilment_status_of(row),
            "flags": flags_of(row),
        }
        found = {name: row[name] for name in expected}
        key = (row["shop"], row["order_id"])
        for finding in compare("order", {key: expected}, {key: found}):
            yield finding


@check
async def units_are_sums_of_lines(inputs: Inputs) -> AsyncIterator[Finding]:
    """The units of an order are those of its lines."""
    rows = await inputs.orders.fetch(
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


@check
async def units_follow_from_lines(inputs: Inputs) -> AsyncIterator[Finding]:
    """An order's units, including those to pack and to ship, are the sums over its lines."""
    source = await table(
        inputs.orders,
        """SELECT o.shop, o.order_id, sum(l.ordered - l.cancelled) FILTER (WHERE l.kind = 'ship') AS ship_needed,
               sum(l.packed) FILTER (WHERE l.kind = 'ship') AS ship_packed,
               sum(l.lost) FILTER (WHERE l.kind = 'ship') AS ship_lost,
               sum(l.shipped) FILTER (WHERE l.kind = 'ship') AS ship_shipped,
               sum(l.returned) FILTER (WHERE l.kind = 'ship') AS ship_returned
           FROM orders o CROSS JOIN LATERAL jsonb_to_recordset(o.line_positions) AS l (
               kind text, ordered int, cancelled int, packed int, lost int, shipped int, returned int)
           WHERE o.stage = 'placed' GROUP BY 1, 2""",
    )
    expected = {}
    for key, sums in source.items():
        units = {name: int(value or 0) for name, value in sums.items()}
        to_pack = max(0, units["ship_needed"] - units["ship_packed"] + units["ship_lost"])
        to_ship = max(0, units["ship_packed"] - units["ship_shipped"])
        expected[key] = {**units, "units_to_pack": to_pack, "units_to_ship": to_ship}
    copy = await table(
        inputs.orders,
        """SELECT shop, order_id, ship_needed, ship_packed, ship_lost, ship_shipped, ship_returned, units_to_pack,
               units_to_ship FROM orders WHERE stage = 'placed' AND line_positions <> '[]'""",
    )
    for finding in compare("units of order", expected, copy):
        yield finding


_AS_SOLD = """FROM orders o JOIN submission s
    ON (s.shop, s.module, s.idempotency_key, o.stage) = (o.shop, o.module, o.idempotency_key, 'placed')"""
_UNEDITED = """s.body -> 'lines' IS NOT NULL AND NOT EXISTS (
    SELECT FROM order_edit e WHERE (e.shop, e.order_id, e.cause) = (o.shop, o.order_id, 'edited'))"""


@check
async def lines_are_as_they_were_sold(inputs: Inputs) -> AsyncIterator[Finding]:
    """The lines of an unedited order equal its submission: article, quantity, unit price and total."""
    key = ("shop", "order_id", "line")
    source = await table(
        inputs.orders,
        f"""SELECT o.shop, o.order_id, l.line::int AS line, l.sold ->> 'sku' AS sku,
                (l.sold ->> 'quantity')::int AS quantity, (l.sold ->> 'total_minor')::bigint AS total_minor
            {_AS_SOLD} CROSS JOIN LATERAL json_array_elements(s.body -> 'lines') WITH ORDINALITY AS l (sold, line)
            WHERE {_UNEDITED}""",
        key=key,
    )
    copy = await table(
        inputs.orders,
        f"""SELECT o.shop, o.order_id, l.line, l.sku, l.quantity + l.reduced AS quantity, l.total_minor
            {_AS_SOLD} JOIN order_line l ON (l.shop, l.order_id) = (o.shop, o.order_id) WHERE {_UNEDITED}""",
        key=key,
    )
    for row in (*source.values(), *copy.values()):
        row["sku"] = (row["sku"] or "").strip() or None
    for finding in compare("line", source, copy):
        yield finding


def state_of(row: Row) -> str:
    """Return the automatic state of an order."""
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


def shown_state_of(row: Row) -> dict[str, str]:
    """Return state and label: those set by hand, as long as the automatic state has not changed since."""
    automatic = state_of(row)
    if row["hand_state"] is not None and row["hand_over"] == automatic:
        return {"state": row["hand_state"], "label": row["hand_label"]}
    if automatic != "ready":
        return {"state": automatic, "label": automatic}
    return {"state": automatic, "label": ready_label_of(row)}


def ready_label_of(row: Row) -> str:
    """Return the label of `ready`: payments received once everything due is paid and some of it by hand.

    An order paid in part by hand keeps the label of the former rule until it changes.
    """
    if row["received_by_hand_minor"] <= 0:
        return "in_progress_order"
    if row["balance_minor"] <= 0 or row["label"] == "payments_received":
        return "payments_received"
    return "in_progress_order"


def flags_of(row: Row) -> list[str]:
    """Return the attention flags: those of payments, and those that follow from money, units and stock."""
    placed = row["stage"] == "placed"
    also = {
        "to_collect": placed and row["balance_minor"] > 0 and row["ship_packed"] > row["ship_lost"],
        "stock_missing": row["stock"] == "missing",
        "paid_without_order": not placed and row["received_minor"] > row["refunded_minor"],
        "disputed": row["disputed_minor"] > 0,
        "cancellation_requested": placed
        and row["cancellation_requested_at"] is not None
        and row["automatic_state"] != "cancelled",
        "address_refused": is_address_refused(row),
    }
    return sorted({*row["payment_flags"], *(flag for flag, is_raised in also.items() if is_raised)})


def is_address_refused(row: Row) -> bool:
    """Return whether the customer's current address was refused, and not freed since."""
    refused, freed = row["address_refused_at"], row["address_freed_at"]
    if refused is None or (row["refused_address"] or "").lower() != (row["customer_email"] or "").lower():
        return False
    return freed is None or freed < refused


def payment_status_of(row: Row) -> str:
    """Return the payment status of an order."""
    if row["stage"] != "placed":
        return {"draft": "void", "checkout": "in_progress", "checkout_over": "abandoned"}[row["stage"]]
    balance, net = row["balance_minor"], row["received_minor"] - row["refunded_minor"] - row["marked_minor"]
    returned = row["refunded_minor"] + row["marked_minor"]
    under_way = row["refunds_pending_minor"] > 0
    if returned > 0 and net <= 0 and balance <= 0:
        return "refund_pending" if under_way else "refunded"
    if balance < 0:
        return "overpaid"
    if balance == 0:
        if row["state"] == "cancelled" and row["due_minor"] == row["credited_minor"] and net == 0:
            return "void"
        if returned > 0 and row["credited_minor"] > 0:
            return "refund_pending" if under_way else "partially_refunded"
        return "paid"
    if net > 0:
        return "partially_paid"
    if row["authorised_minor"] >= balance:
        return "authorized"
    in_flight = ("created", "requires_action", "pending", "authorised", "captured")
    return "pending" if row["attempt"] in in_flight else "unpaid"


def fulfilment_status_of(row: Row) -> str:
    """Return the fulfilment status of an order's goods."""
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
