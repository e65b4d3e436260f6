"""The next steps of an order: the one primary button of its page. Pure."""

from dataclasses import dataclass
from uuid import UUID

from contracts.orders.lifecycle import OrderState
from contracts.sale import LineKind, PaymentMethod
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_
from services.orders.listing.documents import OrderResponse
from services.orders.listing.order_parts import LineResponse, ShipmentResponse
from services.orders.order.state import SET_BY_HAND

RECEIVE = {
    PaymentMethod.CHEQUE: N_("Receive the cheque"),
    PaymentMethod.TRANSFER: N_("Receive the transfer"),
    PaymentMethod.CASH: N_("Receive the money"),
    PaymentMethod.OTHER: N_("Receive the money"),
}
"""Button labels by method of payments that staff record."""
UNPLACED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})


@dataclass(frozen=True)
class Step:
    """A button: its label (marked for translation), its place on the page, the permission it requires."""

    text: str
    href: str
    demand: Permission


def steps(order: OrderResponse) -> list[Step]:
    """Return all pending steps, the most urgent first."""
    if order.state in UNPLACED:
        return []
    found = []
    money = receives(order)
    late = money is not None and order.state is not OrderState.AWAITING_PAYMENT
    if money and not late:
        found.append(Step(money, "#payment", Permission.PAYMENTS_RECORD))
    if order.units_to_pack > 0 and order.state is not OrderState.AWAITING_PAYMENT:
        found.append(Step(N_("Pack"), "#parcels", Permission.PARCELS_PACK))
    if order.units_to_ship > 0:
        found.append(Step(N_("Ship"), "#shipments", Permission.PARCELS_SHIP))
    if undelivered(order):
        found.append(Step(N_("Record delivery"), "#shipments", Permission.PARCELS_SHIP))
    if money and late:
        found.append(Step(money, "#payment", Permission.PAYMENTS_RECORD))
    if order.balance_minor < 0:
        found.append(Step(N_("Refund"), f"/orders/{order.code}/refund", Permission.PAYMENTS_REFUND))
    return found


def receives(order: OrderResponse) -> str | None:
    """Return the label of the button that records this order's payment; None when nothing is due or it is not
    manual.

    An order that was free has no method: an amount due after an edit is paid by any method chosen then.
    """
    if order.balance_minor <= 0 or order.payment_method is None:
        return None
    if order.payment_method is PaymentMethod.FREE:
        return N_("Receive the money")
    return RECEIVE.get(order.payment_method)


def receives_otherwise(order: OrderResponse) -> bool:
    """Return whether a payment may be recorded by a method other than the chosen one, or when nothing is due
    any more.
    """
    return order.state not in UNPLACED


def sends(order: OrderResponse) -> bool:
    """Return whether anything in an order is or was packed or shipped; nothing is, for example, in a table booking."""
    return bool(order.parcels or order.shipments) or any(line.kind is LineKind.SHIP for line in order.lines)


def left_to_pack(line: LineResponse) -> int:
    """Return the units of a line that are in no parcel yet."""
    if line.kind is not LineKind.SHIP:
        return 0
    if line.position is None:
        return line.quantity
    at = line.position
    return max(0, at.ordered - at.cancelled - at.packed + at.lost)


def undelivered(order: OrderResponse) -> bool:
    """Return whether some shipment has no recorded delivery."""
    return bool(on_the_way(order))


def on_the_way(order: OrderResponse) -> list[UUID]:
    """Return the shipments without a recorded delivery of which a parcel may still arrive."""
    return [one.shipment_id for one in order.shipments if is_under_way(order, one)]


def is_under_way(order: OrderResponse, shipment: ShipmentResponse) -> bool:
    """Return whether a shipment has no recorded delivery and a parcel of it may still arrive."""
    lost = {parcel.parcel_id for parcel in order.parcels if parcel.lost_at is not None}
    return (
        shipment.cancelled_at is None
        and shipment.shipment_id not in {one.shipment_id for one in order.deliveries}
        and not lost.issuperset(shipment.parcel_ids)
    )


def parcels_to_ship(order: OrderResponse) -> list[int]:
    """Return the packed parcels that have not been shipped, as indexes into `order.parcels`."""
    gone = {
        parcel
        for shipment in order.shipments
        if shipment.cancelled_at is None
        for parcel in shipment.parcel_ids
    }
    return [
        index
        for index, parcel in enumerate(order.parcels)
        if parcel.parcel_id not in gone and parcel.unpacked_at is None
    ]


def may_be_cancelled(order: OrderResponse) -> bool:
    """Return whether the order's own state allows cancelling it."""
    return order.state in SET_BY_HAND


def may_be_reinstated(order: OrderResponse) -> bool:
    """Return whether a cancellation can be reversed; units cancelled by refunds stay cancelled."""
    if order.state is not OrderState.CANCELLED:
        return False
    changes = [one for one in order.activity if one.kind in ("order_cancelled", "order_reinstated")]
    last = max(changes, key=lambda one: one.happened_at, default=None)
    return last is not None and last.kind == "order_cancelled"


def deletes_past_guards(order: OrderResponse) -> bool:
    """Return whether deleting the order requires the permission to delete orders with money, tracking or completion."""
    has_money = bool(order.money.received_minor or order.money.marked_minor or order.refunds)
    is_tracked = any(one.tracking_number for one in order.shipments)
    return has_money or is_tracked or order.state is OrderState.COMPLETED
