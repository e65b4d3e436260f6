"""Messages that fulfillment receives: the function each one starts, and what that function needs loaded."""

from contracts.fulfillment.parcels import PackParcel, UnpackParcel
from contracts.fulfillment.shipments import (
    CancelShipment,
    DispatchShipment,
    RecordDelivery,
    ReportParcelLost,
    UpdateShipment,
)
from contracts.fulfillment.stock import AdjustStock, SetStock, SetStockThreshold
from contracts.orders.changes import LinesAdditionRequested, LinesReductionRequested
from contracts.orders.erasure import CustomerErased
from contracts.orders.lifecycle import OrderDeleted, OrderPlaced
from contracts.payments.refunds import RefundMarked, RefundSent
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.fulfillment.changes import adding, reducing, returning
from services.fulfillment.order.unit import forgetting
from services.fulfillment.order.unit.answering import unless_deleted
from services.fulfillment.order.unit.needs import (
    by_added_goods,
    by_command,
    by_levels,
    by_order,
    by_placed_goods,
    by_reduced_order,
    by_refunded_order,
    by_shipment,
    by_shop,
    by_sku,
)
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.parcels import packing, unpacking
from services.fulfillment.resync.resyncing import TO_ORDERS
from services.fulfillment.shipments import correcting, delivering, dispatching, loss
from services.fulfillment.stock import reserving, stock_levels, warning

subscribers = Subscribers(
    "fulfillment",
    FulfillmentUnit,
    Handler(OrderPlaced, reserving.open_order, orders=by_order, placed=by_placed_goods),
    Handler(
        LinesReductionRequested,
        reducing.reduce,
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
        claims=by_order,
        answers=by_order,
        given_back=by_reduced_order,
    ),
    Handler(
        LinesAdditionRequested,
        adding.add,
        orders=by_order,
        claims=by_order,
        answers=by_order,
        drawn=by_added_goods,
    ),
    Handler(OrderDeleted, forgetting.forget, orders=by_order),
    Handler(CustomerErased, erasing.begin),
    Handler(SetStock, stock_levels.set_stock, counted=by_levels),
    Handler(AdjustStock, stock_levels.adjust, counted=by_sku, stock_changes=by_command),
    Handler(SetStockThreshold, warning.set_threshold, drawn=by_sku),
    Handler(PackParcel, unless_deleted(packing.pack), orders=by_order, parcels=by_order),
    Handler(
        UnpackParcel,
        unless_deleted(unpacking.unpack_requested),
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
    ),
    Handler(
        DispatchShipment,
        unless_deleted(dispatching.dispatch),
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
        claims=by_order,
    ),
    Handler(
        UpdateShipment,
        unless_deleted(correcting.update),
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
    ),
    Handler(
        CancelShipment,
        unless_deleted(correcting.cancel),
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
        claims=by_order,
        shipped=by_shipment,
    ),
    Handler(
        ReportParcelLost,
        unless_deleted(loss.report),
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
        claims=by_order,
        gate=by_shop,
    ),
    Handler(
        RecordDelivery,
        unless_deleted(delivering.record),
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
    ),
    Handler(
        RefundMarked,
        returning.apply_refund,
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
        claims=by_order,
        answers=by_order,
        given_back=by_refunded_order,
    ),
    Handler(
        RefundSent,
        returning.apply_refund,
        orders=by_order,
        parcels=by_order,
        shipments=by_order,
        claims=by_order,
        answers=by_order,
        given_back=by_refunded_order,
    ),
)
subscribers.resyncs("orders", TO_ORDERS)
