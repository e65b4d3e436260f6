"""Plans of packing and cancelling many orders: the effects on each. Nothing is changed.

Invariant: an order for which the action is impossible is left out with its reason; the requests for the
others hold exactly the units that were previewed, so that after any later change the owner rejects them
instead of acting differently.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.fulfillment.position import LinePosition
from contracts.message import Reason
from contracts.orders.lifecycle import OrderState
from contracts.sale import LineKind
from services.chassis.messaging.process import Transactions
from services.chassis.storage.database import Connection
from services.orders.backoffice.orders.bulk import store
from services.orders.backoffice.orders.bulk.runs import Planned
from services.orders.changes.previewing import CancellationSum, preview_cancellations
from services.orders.order.attention import DISPUTED, STOCK_MISSING
from services.orders.order.refusal import Refusal

Row = Mapping[str, Any]
MOST_DESCRIBED = 4
"""Lines of an order that the preview lists by name."""
CLOSED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})


async def plan_packing(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Planned]:
    """Plan one parcel per order with everything left to pack; orders that wait for their payment are left
    out.
    """
    return [packing_of(row) for row in await store.read_orders(connection, shop, order_ids)]


def packing_of(row: Row) -> Planned:
    """Return the plan for packing one order. Pure."""
    positions = {one["line"]: LinePosition.model_validate(one) for one in json.loads(row["positions"])}
    left = [
        (line, units)
        for line in json.loads(row["lines"])
        if (units := _left(line, positions.get(line["line"])))
    ]
    reason = _against_packing(row, bool(left))
    if reason:
        return Planned(row["order_id"], row["code"], None, reasons=[reason])
    return Planned(
        row["order_id"],
        row["code"],
        {"lines": [{"line": line["line"], "quantity": units} for line, units in left]},
        {
            "units": sum(units for _, units in left),
            "lines": [[units, line["description"]] for line, units in left[:MOST_DESCRIBED]],
            "more": max(0, len(left) - MOST_DESCRIBED),
        },
    )


def _left(line: Row, position: LinePosition | None) -> int:
    if line["kind"] != LineKind.SHIP:
        return 0
    if position is None:
        return int(line["quantity"])
    return max(0, position.ordered - position.cancelled - position.packed + position.lost)


def _against_packing(row: Row, has_some: bool) -> Reason | None:
    if row["state"] in CLOSED:
        return Reason(code="order_not_placed", message=f"Order {row['code']} was never placed.")
    if row["state"] == OrderState.CANCELLED:
        return Reason(code="order_is_cancelled", message=f"Order {row['code']} is cancelled.")
    if not has_some:
        return Reason(code="nothing_to_pack", message=f"Order {row['code']} has nothing left to pack.")
    if row["state"] == OrderState.AWAITING_PAYMENT:
        message = (
            f"Order {row['code']} waits for its payment; pack it on its own page if it is to leave unpaid."
        )
        return Reason(code="waits_for_payment", message=message)
    if DISPUTED in row["flags"]:
        message = (
            f"The payment of order {row['code']} is disputed; pack it on its own page if it is to leave."
        )
        return Reason(code="disputed", message=message)
    if STOCK_MISSING in row["flags"]:
        return Reason(code="stock_missing", message=f"Order {row['code']} lacks stock.")
    return None


async def plan_cancelling(
    process: Transactions, shop: str, order_ids: Sequence[UUID], reason: str | None
) -> list[Planned]:
    """Return the plan for cancelling each order, from the previewed revision."""
    found = await preview_cancellations(process, shop, order_ids)
    codes = await _codes(process, shop, [one for one in order_ids if isinstance(found.get(one), Refusal)])
    return [
        cancelling_of(order_id, found[order_id], codes.get(order_id, ""), reason)
        for order_id in order_ids
        if order_id in found
    ]


def cancelling_of(
    order_id: UUID, preview: CancellationSum | Refusal, code: str, reason: str | None
) -> Planned:
    """Return the plan for cancelling one order. Pure."""
    if isinstance(preview, Refusal):
        return Planned(order_id, code, None, reasons=reasons_of(preview))
    return Planned(
        order_id,
        preview.code,
        {"revision": preview.revision, "reason": reason},
        {
            "units": preview.units_stopped,
            "stays": preview.units_staying,
            "currency": preview.currency,
            "due_change_minor": preview.due_change_minor,
            "balance_minor": preview.balance_minor + preview.due_change_minor,
        },
    )


def reasons_of(refusal: Refusal) -> list[Reason]:
    """Return a rejection as reasons."""
    reasons = getattr(refusal, "reasons", None)
    return list(reasons) if reasons else [Reason(code=refusal.code, message=str(refusal)[:1000])]


async def _codes(process: Transactions, shop: str, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    async with process.acquire() as connection:
        rows = await store.read_orders(connection, shop, order_ids)
    return {row["order_id"]: row["code"] for row in rows}
