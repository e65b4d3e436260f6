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
from services.chassis.messaging.subscribers import ReceivedMessage, Subscribers
from services.fulfillment.changes import adding, reducing, returning
from services.fulfillment.order import forgetting
from services.fulfillment.order.answering import refused_as_deleted
from services.fulfillment.order.unit import FulfillmentUnit
from services.fulfillment.parcels import packing, unpacking
from services.fulfillment.resync.resyncing import TO_ORDERS
from services.fulfillment.shipments import correcting, delivering, dispatching, losing
from services.fulfillment.stock import reserving, stocking

subscribers = Subscribers("fulfillment", FulfillmentUnit)
subscribers.tells("orders", TO_ORDERS)


@subscribers.on(OrderPlaced)
def order_placed(work: FulfillmentUnit, received: ReceivedMessage[OrderPlaced]) -> None:
    """A repeat finds the order and leaves it as it is."""
    reserving.take_in(work, received)


@subscribers.on(LinesReductionRequested)
def lines_reduction_requested(
    work: FulfillmentUnit, received: ReceivedMessage[LinesReductionRequested]
) -> None:
    """A repeat finds the request answered."""
    reducing.reduce(work, received)


@subscribers.on(LinesAdditionRequested)
def lines_addition_requested(
    work: FulfillmentUnit, received: ReceivedMessage[LinesAdditionRequested]
) -> None:
    """A repeat finds the request answered."""
    adding.add(work, received)


@subscribers.on(OrderDeleted)
def order_deleted(work: FulfillmentUnit, received: ReceivedMessage[OrderDeleted]) -> None:
    """A repeat finds the order marked."""
    forgetting.forget(work, received)


@subscribers.on(SetStock)
def set_stock(work: FulfillmentUnit, received: ReceivedMessage[SetStock]) -> None:
    """A repeat under another id finds the levels as asked and is done."""
    stocking.set_stock(work, received)


@subscribers.on(AdjustStock)
def adjust_stock(work: FulfillmentUnit, received: ReceivedMessage[AdjustStock]) -> None:
    """A repeat finds the change made and is done."""
    stocking.adjust(work, received)


@subscribers.on(PackParcel)
def pack_parcel(work: FulfillmentUnit, received: ReceivedMessage[PackParcel]) -> None:
    """A repeat finds its parcel and is done."""
    if not refused_as_deleted(work, received):
        packing.pack(work, received)


@subscribers.on(UnpackParcel)
def unpack_parcel(work: FulfillmentUnit, received: ReceivedMessage[UnpackParcel]) -> None:
    """A repeat finds the parcel taken apart and is done."""
    if not refused_as_deleted(work, received):
        unpacking.unpack_asked(work, received)


@subscribers.on(DispatchShipment)
def dispatch_shipment(work: FulfillmentUnit, received: ReceivedMessage[DispatchShipment]) -> None:
    """A repeat finds its shipment and is done."""
    if not refused_as_deleted(work, received):
        dispatching.dispatch(work, received)


@subscribers.on(UpdateShipment)
def update_shipment(work: FulfillmentUnit, received: ReceivedMessage[UpdateShipment]) -> None:
    """A repeat finds the shipment as asked and is done."""
    if not refused_as_deleted(work, received):
        correcting.update(work, received)


@subscribers.on(CancelShipment)
def cancel_shipment(work: FulfillmentUnit, received: ReceivedMessage[CancelShipment]) -> None:
    """A repeat finds the shipment cancelled and is done."""
    if not refused_as_deleted(work, received):
        correcting.cancel(work, received)


@subscribers.on(ReportParcelLost)
def report_parcel_lost(work: FulfillmentUnit, received: ReceivedMessage[ReportParcelLost]) -> None:
    """A repeat finds the loss noted and is done."""
    if not refused_as_deleted(work, received):
        losing.report(work, received)


@subscribers.on(RecordDelivery)
def record_delivery(work: FulfillmentUnit, received: ReceivedMessage[RecordDelivery]) -> None:
    """A repeat finds the delivery recorded and is done."""
    if not refused_as_deleted(work, received):
        delivering.record(work, received)


@subscribers.on(RefundMarked)
def refund_marked(work: FulfillmentUnit, received: ReceivedMessage[RefundMarked]) -> None:
    """A repeat finds the refund heeded."""
    returning.heed(work, received)


@subscribers.on(RefundSent)
def refund_sent(work: FulfillmentUnit, received: ReceivedMessage[RefundSent]) -> None:
    """A repeat finds the refund heeded."""
    returning.heed(work, received)
