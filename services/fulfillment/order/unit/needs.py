"""Rows needed by fulfillment's messages: a field per kind of row, and the functions that return a message's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.fulfillment.shipments import CancelShipment
from contracts.fulfillment.stock import AdjustStock, SetStock, SetStockThreshold
from contracts.orders.changes import LinesAdditionRequested, LinesReductionRequested
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import RefundMarked, RefundSent
from contracts.sale import LineKind
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order.order import Key

Sku = tuple[str, str]
"""Shop and SKU."""
ShipmentKey = tuple[str, UUID, UUID]
"""Shop, order id and shipment id."""


@dataclass
class FulfillmentNeeds:
    """Keys of the rows that the messages of one batch need.

    - orders: locked, with their lines; parcels, shipments, answers: orders of which these are read too;
    - claims: orders whose claims are read, and whose goods' levels are locked;
    - given_back: orders whose units return to stock, where waiting orders may get them;
    - placed, drawn: goods requested by an order placed now, or by another;
    - counted: goods whose level is set or adjusted;
    - shipped: shipments whose movements are read;
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
    """Return the order that the message names."""
    return [(received.message.shop, received.message.order_id)]


def by_shop(received: ReceivedMessage[Any]) -> Iterable[str]:
    """Return the shop of the message."""
    return [received.message.shop]


def by_command(received: ReceivedMessage[Any]) -> Iterable[tuple[str, UUID]]:
    """Return the shop and the id of the command itself."""
    return [(received.message.shop, received.envelope.id)]


def by_placed_goods(received: ReceivedMessage[OrderPlaced]) -> Iterable[tuple[Key, str]]:
    """Return the order with each SKU it requests."""
    key = received.message.shop, received.message.order_id
    return [(key, sku) for sku in _goods(received.message)]


def by_added_goods(received: ReceivedMessage[LinesAdditionRequested]) -> Iterable[Sku]:
    """Return the SKUs of the lines to be added."""
    return [(received.message.shop, sku) for sku in _goods(received.message)]


def by_levels(received: ReceivedMessage[SetStock]) -> Iterable[Sku]:
    """Return the SKUs whose levels are set."""
    return [(received.message.shop, level.sku) for level in received.message.levels]


def by_sku(received: ReceivedMessage[AdjustStock] | ReceivedMessage[SetStockThreshold]) -> Iterable[Sku]:
    """Return the SKU that the message names."""
    return [(received.message.shop, received.message.sku)]


def by_shipment(received: ReceivedMessage[CancelShipment]) -> Iterable[ShipmentKey]:
    """Return the shipment that the message names."""
    message = received.message
    return [(message.shop, message.order_id, message.shipment_id)]


def by_reduced_order(received: ReceivedMessage[LinesReductionRequested]) -> Iterable[Key]:
    """Return the order, if lines of it are to be reduced."""
    return by_order(received) if received.message.lines else ()


def by_refunded_order(
    received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent],
) -> Iterable[Key]:
    """Return the order, if units of it are refunded."""
    return by_order(received) if received.message.refund.lines else ()


def _goods(message: OrderPlaced | LinesAdditionRequested) -> set[str]:
    return {line.sku for line in message.lines if line.kind is LineKind.SHIP and line.sku is not None}
