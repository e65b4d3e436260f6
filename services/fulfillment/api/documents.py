"""Stock and an order's fulfilment as HTTP responses."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.position import FulfilmentPosition
from contracts.fulfillment.shipments import ProofKind
from services.fulfillment.order.low_stock.thresholds import DEFAULT_THRESHOLD, is_low
from services.fulfillment.order.order import Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.shipment import Shipment
from services.fulfillment.order.stock import Level, StockPlace


class ShownLevel(BaseModel):
    """Units of one SKU at one location; available = on hand − reserved."""

    sku: str
    location: str
    on_hand: int
    reserved: int
    available: int


class ShownStock(BaseModel):
    """The requested levels; a SKU without a level is absent and counts as zero. `thresholds`: the number of available
    units at or below which the merchant is warned, by SKU; one without is low at `default_threshold`. `low`:
    the SKUs that are.
    """

    shop: str
    levels: list[ShownLevel]
    thresholds: dict[str, int]
    default_threshold: int = DEFAULT_THRESHOLD
    low: list[str]


class ShownParcel(BaseModel):
    """One parcel and its contents. Weight in grams, lengths in mm."""

    parcel_id: UUID
    number: int
    lines: list[ParcelLine]
    kind: str
    weight_grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    declared_value_minor: int | None
    packed_at: datetime
    packed_by: str
    unpacked_at: datetime | None
    unpacked_by: str | None
    lost_at: datetime | None = None
    lost_by: str | None = None


class ShownShipment(BaseModel):
    """One shipment; the fields of the delivery are null until it arrived."""

    shipment_id: UUID
    parcel_ids: list[UUID]
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    shipped_on: date
    expected_on: date | None
    cost_minor: int | None
    cost_currency: str | None
    dispatched_at: datetime
    dispatched_by: str
    delivered_at: datetime | None
    proof: ProofKind | None
    proof_reference: str | None
    recorded_by: str | None
    version: int = 1
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None


class ShownReservation(BaseModel):
    """Units of an order line still reserved at a location."""

    line: int
    sku: str
    location: str
    quantity: int


class ShownOrder(BaseModel):
    """Everything that fulfillment has stored about one order."""

    shop: str
    order_id: UUID
    code: str
    placed_at: datetime
    position: FulfilmentPosition
    reservations: list[ShownReservation]
    parcels: list[ShownParcel]
    shipments: list[ShownShipment]


def show_stock(shop: str, levels: Mapping[StockPlace, Level], thresholds: dict[str, int]) -> ShownStock:
    """Return levels by SKU and location, with the SKUs' thresholds, and which of those with a level are low."""
    available = Counter[str]()
    for place, level in levels.items():
        available[place.sku] += level.available
    return ShownStock(
        shop=shop,
        thresholds=thresholds,
        low=sorted(sku for sku, units in available.items() if is_low(units, thresholds.get(sku))),
        levels=[
            ShownLevel(
                sku=place.sku,
                location=place.location,
                on_hand=level.on_hand,
                reserved=level.reserved,
                available=level.available,
            )
            for place, level in sorted(levels.items())
        ],
    )


def show_order(order: Order) -> ShownOrder:
    """Return an order with its parcels by number and its shipments by time of dispatch."""
    return ShownOrder(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        placed_at=order.placed_at,
        position=order.position(),
        reservations=[
            ShownReservation(line=line, sku=place.sku, location=place.location, quantity=claim.open)
            for (line, place), claim in sorted(order.claims.items())
        ],
        parcels=[show_parcel(p) for p in sorted(order.parcels.values(), key=lambda p: p.number)],
        shipments=[
            show_shipment(s) for s in sorted(order.shipments.values(), key=lambda s: (s.dispatched_at, s.id))
        ],
    )


def show_parcel(parcel: Parcel) -> ShownParcel:
    """Return one parcel."""
    return ShownParcel(
        parcel_id=parcel.id,
        number=parcel.number,
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in parcel.units.items()],
        kind=parcel.kind,
        weight_grams=parcel.weight_grams,
        length_mm=parcel.length_mm,
        width_mm=parcel.width_mm,
        height_mm=parcel.height_mm,
        declared_value_minor=parcel.declared_value_minor,
        packed_at=parcel.packed_at,
        packed_by=parcel.packed_by,
        unpacked_at=parcel.unpacked_at,
        unpacked_by=parcel.unpacked_by,
        lost_at=parcel.lost_at,
        lost_by=parcel.lost_by,
    )


def show_shipment(shipment: Shipment) -> ShownShipment:
    """Return one shipment."""
    return ShownShipment(
        shipment_id=shipment.id,
        parcel_ids=list(shipment.parcel_ids),
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
        shipped_on=shipment.shipped_on,
        expected_on=shipment.expected_on,
        cost_minor=shipment.cost_minor,
        cost_currency=shipment.cost_currency,
        dispatched_at=shipment.dispatched_at,
        dispatched_by=shipment.dispatched_by,
        delivered_at=shipment.receipt.delivered_at if shipment.receipt else None,
        proof=shipment.receipt.proof if shipment.receipt else None,
        proof_reference=shipment.receipt.proof_reference if shipment.receipt else None,
        recorded_by=shipment.receipt.recorded_by if shipment.receipt else None,
        version=shipment.version,
        updated_at=shipment.updated_at,
        cancelled_at=shipment.cancelled_at,
        cancelled_by=shipment.cancelled_by,
    )
