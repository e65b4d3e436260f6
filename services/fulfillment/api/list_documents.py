"""Levels, movements, pick lists, waiting parcels and packing slips as HTTP responses."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from contracts.fulfillment.position import StockStanding
from services.chassis.http.paging import keyed
from services.fulfillment.api.documents import (
    ShownLevel,
    ShownParcel,
    ShownShipment,
    show_parcel,
    show_shipment,
)
from services.fulfillment.api.store import Row
from services.fulfillment.order.order import Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.stock import Kind
from services.fulfillment.parcels import preparing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ON_HAND = {Kind.ADJUST: 1, Kind.RESTOCK: 1, Kind.UNSHIP: 1, Kind.SHIP: -1, Kind.WRITE_OFF: -1}
_RESERVED = {
    Kind.HOLD: 1,
    Kind.RESERVE: 1,
    Kind.UNSHIP: 1,
    Kind.RELEASE: -1,
    Kind.SHIP: -1,
    Kind.WRITE_OFF: -1,
}


class ListedLevel(ShownLevel):
    """A level with the threshold of its SKU, and whether the SKU is low at all locations together."""

    threshold: int | None
    is_low: bool


class LevelsPage(BaseModel):
    """Levels in the requested order. `next` is sent back as `after`; null: there are no more."""

    levels: list[ListedLevel]
    next: str | None


class ShownMovement(BaseModel):
    """A movement of a level. `actor` is null where no person was involved; code and line where it belongs to
    no order.
    """

    moved_at: datetime
    kind: Kind
    location: str
    on_hand_change: int
    reserved_change: int
    cause: UUID
    order_id: UUID | None
    code: str | None
    line: int | None
    actor: str | None
    reason: str | None


class MovementsPage(BaseModel):
    """Movements of one SKU, newest first. `next` is sent back as `after`; null: there are no more."""

    sku: str
    movements: list[ShownMovement]
    next: str | None


class PickedSku(BaseModel):
    """Units of a SKU to pick from a location for all the orders; location null: not in stock."""

    sku: str
    location: str | None
    quantity: int


class PickedLine(BaseModel):
    """Units of an order line to pick; no stock is kept of a line without a SKU."""

    line: int
    sku: str | None
    location: str | None
    quantity: int


class PickedOrder(BaseModel):
    """Items to pick for one order."""

    order_id: UUID
    code: str
    placed_at: datetime
    stock: StockStanding
    lines: list[PickedLine]


class PickList(BaseModel):
    """Pick list of some orders: by location for one walk along the shelves, then order by order, oldest first."""

    skus: list[PickedSku]
    orders: list[PickedOrder]


class WaitingParcels(BaseModel):
    """The packed parcels of one order that have not left."""

    order_id: UUID
    code: str
    parcels: list[ShownParcel]


class SlipLine(BaseModel):
    """Units of a line in the parcel, and how many were ordered (cancelled ones are not counted)."""

    line: int
    sku: str | None
    quantity: int
    ordered: int


class PackingSlip(BaseModel):
    """Packing slip of one parcel. Names and addresses are added by the orders service."""

    order_id: UUID
    code: str
    placed_at: datetime
    parcel: ShownParcel
    of_parcels: int
    lines: list[SlipLine]
    left_to_pack: list[SlipLine]
    shipment: ShownShipment | None


def show_levels(rows: Sequence[Row], limit: int) -> LevelsPage:
    """Return a page of at most `limit` levels; one row more than that means that there is another page."""
    page = [ListedLevel.model_validate(dict(row)) for row in rows[:limit]]
    last = page[-1] if len(rows) > limit else None
    return LevelsPage(levels=page, next=keyed((last.available, last.sku, last.location)) if last else None)


def show_movements(sku: str, rows: Sequence[Row], limit: int) -> MovementsPage:
    """Return a page of at most `limit` movements; one row more than that means that there is another page."""
    last = rows[limit - 1] if len(rows) > limit else None
    return MovementsPage(
        sku=sku,
        movements=[_movement(row) for row in rows[:limit]],
        next=keyed(_key(last)) if last else None,
    )


def _movement(row: Row) -> ShownMovement:
    kind, quantity = Kind(row["kind"]), row["quantity"]
    return ShownMovement.model_validate(
        {
            **dict(row),
            "on_hand_change": _ON_HAND.get(kind, 0) * quantity,
            "reserved_change": _RESERVED.get(kind, 0) * quantity,
        }
    )


def _key(row: Row) -> tuple[int, str, str, int, str]:
    at = (row["moved_at"] - _EPOCH) // timedelta(microseconds=1)
    return at, str(row["cause"]), row["kind"], row["line"] or 0, row["location"]


def show_pick_list(orders: Sequence[Order]) -> PickList:
    """Return what to pick for these orders; orders with nothing left to pack are omitted."""
    fetches = {order.key: preparing.to_fetch(order) for order in orders}
    sums = preparing.sums(fetch for each in fetches.values() for fetch in each)
    return PickList(
        skus=[
            PickedSku(sku=sku, location=location, quantity=quantity)
            for (sku, location), quantity in sums.items()
        ],
        orders=[
            PickedOrder(
                order_id=order.id,
                code=order.code,
                placed_at=order.placed_at,
                stock=order.stock,
                lines=[PickedLine(**fetch._asdict()) for fetch in fetches[order.key]],
            )
            for order in orders
            if fetches[order.key]
        ],
    )


def show_waiting_parcels(orders: Sequence[Order]) -> list[WaitingParcels]:
    """Return the parcels that have not left, order by order; orders without any are omitted."""
    return [
        WaitingParcels(
            order_id=order.id, code=order.code, parcels=[show_parcel(parcel) for parcel in unshipped_parcels]
        )
        for order in orders
        if (unshipped_parcels := preparing.unshipped_parcels(order))
    ]


def show_slips(orders: Sequence[Order], parcel_id: UUID | None) -> list[PackingSlip]:
    """Return a slip for every parcel of these orders, or for the one named."""
    return [
        _slip(order, parcel) for order in orders for parcel in _whole(order) if parcel_id in (None, parcel.id)
    ]


def _whole(order: Order) -> list[Parcel]:
    """Return the parcels that were not taken apart, by number."""
    whole = (parcel for parcel in order.parcels.values() if parcel.unpacked_at is None)
    return sorted(whole, key=lambda parcel: parcel.number)


def _slip(order: Order, parcel: Parcel) -> PackingSlip:
    shipment = preparing.shipments_by_parcel(order).get(parcel.id)
    left = {number: line.left_to_pack for number, line in sorted(order.lines.items()) if line.is_goods}
    return PackingSlip(
        order_id=order.id,
        code=order.code,
        placed_at=order.placed_at,
        parcel=show_parcel(parcel),
        of_parcels=len(_whole(order)),
        lines=[_slip_line(order, number, quantity) for number, quantity in parcel.units.items()],
        left_to_pack=[_slip_line(order, number, quantity) for number, quantity in left.items() if quantity],
        shipment=show_shipment(shipment) if shipment else None,
    )


def _slip_line(order: Order, number: int, quantity: int) -> SlipLine:
    line = order.lines[number]
    return SlipLine(line=number, sku=line.sku, quantity=quantity, ordered=line.ordered - line.cancelled)
