"""What fulfillment hears, and which action each message starts."""

from contracts.fulfillment import (
    AdjustStock,
    CancelShipment,
    DispatchShipment,
    PackParcel,
    RecordDelivery,
    ReportParcelLost,
    SetStock,
    UnpackParcel,
    UpdateShipment,
)
from contracts.orders import LinesAdditionRequested, LinesReductionRequested, OrderDeleted, OrderPlaced
from contracts.payments import RefundMarked, RefundSent
from services.chassis.messaging.subscribers import Delivery, Subscribers
from services.fulfillment.changes import adding, reducing, returning
from services.fulfillment.order import forgetting
from services.fulfillment.order.answering import refused_as_deleted
from services.fulfillment.order.unit import ShelfBook
from services.fulfillment.parcels import packing, unpacking
from services.fulfillment.resync.resyncing import TO_ORDERS
from services.fulfillment.shipments import correcting, delivering, dispatching, losing
from services.fulfillment.stock import reserving, stocking

subscribers = Subscribers("fulfillment", ShelfBook)
subscribers.tells("orders", TO_ORDERS)


@subscribers.on(OrderPlaced)
def order_placed(book: ShelfBook, delivery: Delivery[OrderPlaced]) -> None:
    """A repeat finds the order and leaves it as it is."""
    reserving.take_in(book, delivery)


@subscribers.on(LinesReductionRequested)
def lines_reduction_requested(book: ShelfBook, delivery: Delivery[LinesReductionRequested]) -> None:
    """A repeat finds the request answered."""
    reducing.reduce(book, delivery)


@subscribers.on(LinesAdditionRequested)
def lines_addition_requested(book: ShelfBook, delivery: Delivery[LinesAdditionRequested]) -> None:
    """A repeat finds the request answered."""
    adding.add(book, delivery)


@subscribers.on(OrderDeleted)
def order_deleted(book: ShelfBook, delivery: Delivery[OrderDeleted]) -> None:
    """A repeat finds the order marked."""
    forgetting.forget(book, delivery)


@subscribers.on(SetStock)
def set_stock(book: ShelfBook, delivery: Delivery[SetStock]) -> None:
    """A repeat under another id finds the levels as asked and is done."""
    stocking.set_stock(book, delivery)


@subscribers.on(AdjustStock)
def adjust_stock(book: ShelfBook, delivery: Delivery[AdjustStock]) -> None:
    """A repeat finds the change made and is done."""
    stocking.adjust(book, delivery)


@subscribers.on(PackParcel)
def pack_parcel(book: ShelfBook, delivery: Delivery[PackParcel]) -> None:
    """A repeat finds its parcel and is done."""
    if not refused_as_deleted(book, delivery):
        packing.pack(book, delivery)


@subscribers.on(UnpackParcel)
def unpack_parcel(book: ShelfBook, delivery: Delivery[UnpackParcel]) -> None:
    """A repeat finds the parcel taken apart and is done."""
    if not refused_as_deleted(book, delivery):
        unpacking.unpack_asked(book, delivery)


@subscribers.on(DispatchShipment)
def dispatch_shipment(book: ShelfBook, delivery: Delivery[DispatchShipment]) -> None:
    """A repeat finds its shipment and is done."""
    if not refused_as_deleted(book, delivery):
        dispatching.dispatch(book, delivery)


@subscribers.on(UpdateShipment)
def update_shipment(book: ShelfBook, delivery: Delivery[UpdateShipment]) -> None:
    """A repeat finds the shipment as asked and is done."""
    if not refused_as_deleted(book, delivery):
        correcting.update(book, delivery)


@subscribers.on(CancelShipment)
def cancel_shipment(book: ShelfBook, delivery: Delivery[CancelShipment]) -> None:
    """A repeat finds the shipment cancelled and is done."""
    if not refused_as_deleted(book, delivery):
        correcting.cancel(book, delivery)


@subscribers.on(ReportParcelLost)
def report_parcel_lost(book: ShelfBook, delivery: Delivery[ReportParcelLost]) -> None:
    """A repeat finds the loss noted and is done."""
    if not refused_as_deleted(book, delivery):
        losing.report(book, delivery)


@subscribers.on(RecordDelivery)
def record_delivery(book: ShelfBook, delivery: Delivery[RecordDelivery]) -> None:
    """A repeat finds the delivery recorded and is done."""
    if not refused_as_deleted(book, delivery):
        delivering.record(book, delivery)


@subscribers.on(RefundMarked)
def refund_marked(book: ShelfBook, delivery: Delivery[RefundMarked]) -> None:
    """A repeat finds the refund heeded."""
    returning.heed(book, delivery)


@subscribers.on(RefundSent)
def refund_sent(book: ShelfBook, delivery: Delivery[RefundSent]) -> None:
    """A repeat finds the refund heeded."""
    returning.heed(book, delivery)
