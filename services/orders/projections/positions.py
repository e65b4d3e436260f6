"""The position of an order's goods as fulfillment publishes it; the highest version received is kept."""

from pydantic import TypeAdapter

from contracts.envelope import Envelope
from contracts.fulfillment.lines import LinesAdded, LinesReduced
from contracts.fulfillment.position import FulfilmentPosition, LinePosition
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.fulfilment_status import sum_lines
from services.orders.order.record import Order
from services.orders.order.unit.unit import OrderUnit

_POSITIONS = TypeAdapter(list[LinePosition])


def take_change(
    work: OrderUnit, received: ReceivedMessage[LinesReduced] | ReceivedMessage[LinesAdded]
) -> None:
    """Update the position after units were stopped or added. Raises Wait for an unknown order."""
    message = received.message
    order = work.find(message.shop, message.order_id)
    take_position(work, order, message.position, received.envelope, None)


def take_position(
    work: OrderUnit, order: Order, position: FulfilmentPosition, cause: Envelope, actor: str | None
) -> None:
    if order.take_units(position.version, sum_lines(position.lines), position.stock):
        order.line_positions = _POSITIONS.dump_json(position.lines).decode()
        work.changed(order, cause, actor)
