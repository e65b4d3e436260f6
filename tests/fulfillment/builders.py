"""Messages and envelopes as fulfillment hears them, with everything that a test does not care about filled
in.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import uuid7
from contracts.fulfillment.stock import AdjustStock, SetStock, StockLevel
from contracts.message import LineUnits
from contracts.orders.changes import (
    ChangeCause,
    LineAddition,
    LinesAdditionRequested,
    LinesReductionRequested,
)
from contracts.orders.lifecycle import OrderPlaced
from contracts.sale import LineKind
from tests.builders.orders import a_line, an_order

PLACED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def a_shop() -> str:
    """A shop no other test uses."""
    return f"shop-{uuid4().hex[:12]}"


def goods(sku: str, quantity: int = 1) -> tuple[LineKind, str | None, int]:
    """A line of goods."""
    return LineKind.SHIP, sku, quantity


def ticket(quantity: int = 1) -> tuple[LineKind, str | None, int]:
    """A line without goods."""
    return LineKind.TICKET, None, quantity


def placed(
    shop: str,
    *lines: tuple[LineKind, str | None, int],
    order_id: UUID | None = None,
    placed_at: datetime = PLACED_AT,
) -> OrderPlaced:
    """An order with these lines."""
    return an_order(
        *(
            a_line(number, kind=kind, sku=sku, quantity=quantity)
            for number, (kind, sku, quantity) in enumerate(lines, 1)
        ),
        shop=shop,
        order_id=order_id or uuid7(),
        placed_at=placed_at,
    )


def stock_of(shop: str, **on_hand: int) -> SetStock:
    """What a count found, by SKU, at the main location."""
    return stock_at(shop, *((sku, "main", units) for sku, units in on_hand.items()))


def stock_at(shop: str, *levels: tuple[str, str, int]) -> SetStock:
    """What a count found: SKU, location, units."""
    return SetStock(
        shop=shop,
        levels=[StockLevel(sku=sku, location=location, on_hand=units) for sku, location, units in levels],
        actor="api:erp",
    )


def adjustment(shop: str, sku: str, change: int, **more: Any) -> AdjustStock:
    """So many units of a SKU came or went at the main location, unless said otherwise."""
    fields: dict[str, Any] = {"reason": "Deux bougies cassées", "actor": "staff:zoe", **more}
    return AdjustStock(shop=shop, sku=sku, change=change, **fields)


def reduce(
    order: OrderPlaced,
    units: dict[int, int],
    request_id: UUID | None = None,
    cause: ChangeCause = ChangeCause.CANCELLED,
) -> LinesReductionRequested:
    """A request to stop these units by line."""
    return LinesReductionRequested(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        request_id=request_id or uuid7(),
        lines=[LineUnits(line=line, quantity=quantity) for line, quantity in units.items()],
        cause=cause,
        actor="staff:zoe",
    )


def add(
    order: OrderPlaced,
    lines: dict[int, tuple[LineKind, str | None, int]],
    request_id: UUID | None = None,
    cause: ChangeCause = ChangeCause.EDITED,
    all_or_nothing: bool = False,
) -> LinesAdditionRequested:
    """A request for these units by line number."""
    return LinesAdditionRequested(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        request_id=request_id or uuid7(),
        lines=[
            LineAddition(line=line, kind=kind, sku=sku, quantity=quantity)
            for line, (kind, sku, quantity) in lines.items()
        ],
        all_or_nothing=all_or_nothing,
        cause=cause,
        actor="staff:zoe",
    )
