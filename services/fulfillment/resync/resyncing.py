"""Resync: re-emit the current state of orders from here: quantities and stock, parcels, shipments,
deliveries.

A corrected shipment is emitted in its current state, its dispatch included: earlier events are history that
the consumer keeps.

Invariant: an order is locked before it is read, so the emitted position is consistent and its version
identifies it.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.stock import StockRejected, StockReserved
from contracts.message import Message
from services.chassis.messaging.snapshots import Snapshot, SnapshotMessage
from services.chassis.storage.database import Connection
from services.fulfillment.order.order import Order
from services.fulfillment.order.unit import order_store, shipment_store
from services.fulfillment.parcels.packing import packed_event
from services.fulfillment.parcels.unpacking import unpacked_event
from services.fulfillment.resync import store as resync_store
from services.fulfillment.shipments.correcting import cancelled_event, updated_event
from services.fulfillment.shipments.delivering import delivered_event
from services.fulfillment.shipments.dispatching import dispatched_event
from services.fulfillment.shipments.loss import lost_event


async def read_snapshot(connection: Connection, shop: str, ids: Sequence[UUID]) -> list[SnapshotMessage]:
    """Emit everything that the orders service copies of these orders. Locks them."""
    orders = await order_store.lock_orders(connection, [(shop, order_id) for order_id in sorted(ids)])
    if orders:
        for read in (order_store.read_lines, shipment_store.read_parcels, shipment_store.read_shipments):
            await read(connection, orders)
    return [message for order in orders.values() for message in _goods_of(order)]


def _goods_of(order: Order) -> Iterator[SnapshotMessage]:
    yield SnapshotMessage(_stock_of(order), order.placed_at)
    for parcel in order.parcels.values():
        yield SnapshotMessage(packed_event(order, parcel), parcel.packed_at)
        if parcel.unpacked_at is not None and parcel.unpacked_by is not None:
            event = unpacked_event(order, parcel, parcel.unpacked_at, parcel.unpacked_by)
            yield SnapshotMessage(event, parcel.unpacked_at)
        if parcel.lost_at is not None and (left_in := order.shipment_of(parcel.id)) is not None:
            yield SnapshotMessage(lost_event(order, parcel, left_in, notify_customer=False), parcel.lost_at)
    for shipment in order.shipments.values():
        yield SnapshotMessage(dispatched_event(order, shipment), shipment.dispatched_at)
        if shipment.updated_at is not None:
            yield SnapshotMessage(updated_event(order, shipment, notify_customer=False), shipment.updated_at)
        if shipment.cancelled_at is not None:
            yield SnapshotMessage(
                cancelled_event(order, shipment, notify_customer=False), shipment.cancelled_at
            )
        if (receipt := shipment.receipt) is not None:
            yield SnapshotMessage(delivered_event(order, shipment, receipt), receipt.recorded_at)


def _stock_of(order: Order) -> Message:
    """Return only the position: earlier shortages, and when stock was reserved, are history that the consumer
    keeps.
    """
    position = order.position()
    if order.stock is StockStanding.MISSING:
        return StockRejected(
            shop=order.shop, order_id=order.id, code=order.code, missing=[], position=position
        )
    return StockReserved(shop=order.shop, order_id=order.id, code=order.code, position=position)


TO_ORDERS = Snapshot(resync_store.count, resync_store.find, read_snapshot)
"""Resync of fulfillment's orders."""
