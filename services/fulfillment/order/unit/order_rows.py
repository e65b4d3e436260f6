"""Orders and their lines as rows of their tables; pure."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Integer
from services.fulfillment.order.order import Key, Order
from services.fulfillment.order.position import Line


class OrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str
    placed_at: datetime
    stock: str
    version: Integer
    sequence: Integer
    next_parcel_number: Integer


class OrderPositionRow(NamedTuple):
    shop: str
    order_id: UUID
    stock: str
    version: Integer
    sequence: Integer
    next_parcel_number: Integer


class NewLineRow(NamedTuple):
    shop: str
    order_id: UUID
    kind: str
    sku: str | None
    line: Integer
    ordered: Integer
    cancelled: Integer
    packed: Integer
    lost: Integer
    shipped: Integer
    delivered: Integer
    returned: Integer


class LineQuantitiesRow(NamedTuple):
    shop: str
    order_id: UUID
    line: Integer
    ordered: Integer
    cancelled: Integer
    packed: Integer
    lost: Integer
    shipped: Integer
    delivered: Integer
    returned: Integer


def order_row(order: Order) -> OrderRow:
    return OrderRow(
        *order.key,
        code=order.code,
        placed_at=order.placed_at,
        stock=order.stock,
        version=order.version,
        sequence=order.sequence,
        next_parcel_number=order.next_parcel_number,
    )


def order_position_row(order: Order) -> OrderPositionRow:
    return OrderPositionRow(
        *order.key,
        stock=order.stock,
        version=order.version,
        sequence=order.sequence,
        next_parcel_number=order.next_parcel_number,
    )


def new_line_row(key: Key, line: Line) -> NewLineRow:
    return NewLineRow(
        *key,
        kind=line.kind,
        sku=line.sku,
        line=line.line,
        ordered=line.ordered,
        cancelled=line.cancelled,
        packed=line.packed,
        lost=line.lost,
        shipped=line.shipped,
        delivered=line.delivered,
        returned=line.returned,
    )


def line_quantities_row(key: Key, line: Line) -> LineQuantitiesRow:
    return LineQuantitiesRow(
        *key,
        line=line.line,
        ordered=line.ordered,
        cancelled=line.cancelled,
        packed=line.packed,
        lost=line.lost,
        shipped=line.shipped,
        delivered=line.delivered,
        returned=line.returned,
    )
