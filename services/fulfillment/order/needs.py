"""What fulfillment's messages need loaded: a field per kind of row, and the functions that return a message's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.fulfillment import AdjustStock, CancelShipment, SetStock
from contracts.orders import LinesAdditionRequested, LinesReductionRequested, OrderPlaced
from contracts.payments import RefundMarked, RefundSent
from contracts.storefront import LineKind
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order.order import Key

Sku = tuple[str, str]
"""Shop and SKU."""
ShipmentKey = tuple[str, UUID, UUID]
"""Shop, order id and shipment id."""


@dataclass
class FulfillmentNeeds:
    """Keys of what the messages of one batch need.

    - orders: locked, with their lines; parcels, shipments, answers: orders of which these are read too;
    - claims: orders of which is read what they hold, and whose goods' levels are locked;
    - given_back: orders whose units go back to stock, where orders that wait may get them;
    - placed, drawn: goods that an order placed now asks for, or another; counted: goods whose level is set or adjusted;
    - shipped: shipments of which is read what they took;
    - gate: shops whose stock gate is passed, shared with others;
    - stock_changes: commands that may have changed stock before.
    """

    orders: set[Key] = field(default_factory=set)
    parcels: set[Key] = field(default_factory=set)
    shipments: set[Key] = field(default_factory=set)
    claims: set[Key] = field(default_factory=set)
    answers: set[Key] = field(default_factory=set)
    shipped: set[ShipmentKey] = field(default_factory=set)
    given_back: set[Key] = field(default_factory=set)
    placed: set[tuple[Key, str]] = field(default_factory=set)
    drawn: set[Sku] = field(default_factory=set)
    counted: set[Sku] = field(default_factory=set)
    gate: set[str] = field(default_factory=set)
    stock_changes: set[tuple[str, UUID]] = field(default_factory=set)


def by_order(received: ReceivedMessage[Any]) -> Iterable[Key]:
    """The order that the message names."""
    return [(received.message.shop, received.message.order_id)]


def by_shop(received: ReceivedMessage[Any]) -> Iterable[str]:
    """The shop of the message."""
    return [received.message.shop]


def by_command(received: ReceivedMessage[Any]) -> Iterable[tuple[str, UUID]]:
    """The shop and the id of the command itself."""
    return [(received.message.shop, received.envelope.id)]


def by_placed_goods(received: ReceivedMessage[OrderPlaced]) -> Iterable[tuple[Key, str]]:
    """The order with each SKU it asks for."""
    key = received.message.shop, received.message.order_id
    return [(key, sku) for sku in _goods(received.message)]


def by_added_goods(received: ReceivedMessage[LinesAdditionRequested]) -> Iterable[Sku]:
    """The SKUs of the lines to be added."""
    return [(received.message.shop, sku) for sku in _goods(received.message)]


def by_levels(received: ReceivedMessage[SetStock]) -> Iterable[Sku]:
    """The SKUs whose levels are set."""
    return [(received.message.shop, level.sku) for level in received.message.levels]


def by_sku(received: ReceivedMessage[AdjustStock]) -> Iterable[Sku]:
    """The SKU that the message names."""
    return [(received.message.shop, received.message.sku)]


def by_shipment(received: ReceivedMessage[CancelShipment]) -> Iterable[ShipmentKey]:
    """The shipment that the message names."""
    message = received.message
    return [(message.shop, message.order_id, message.shipment_id)]


def by_reduced_order(received: ReceivedMessage[LinesReductionRequested]) -> Iterable[Key]:
    """The order, if lines of it are to be reduced."""
    return by_order(received) if received.message.lines else ()


def by_refunded_order(
    received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent],
) -> Iterable[Key]:
    """The order, if units of it are refunded."""
    return by_order(received) if received.message.refund.lines else ()


def _goods(message: OrderPlaced | LinesAdditionRequested) -> set[str]:
    return {line.sku for line in message.lines if line.kind is LineKind.SHIP and line.sku is not None}
