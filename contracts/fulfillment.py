"""What fulfillment says and is asked: stock, parcels, shipments, deliveries.

Every event about an order carries the order's whole `FulfilmentPosition`, with a version, so listeners may
hear them in any sequence and keep the highest.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import (
    Actor,
    Command,
    Count,
    Currency,
    LineNumber,
    LineUnits,
    Message,
    Minor,
    Moment,
    Name,
    OrderCode,
    OrderId,
    Part,
    Quantity,
    Shop,
    Sku,
    Tally,
    Text,
)
from contracts.storefront import LineKind


class StockStanding(StrEnum):
    """Whether stock stands behind an order."""

    NOT_REQUIRED = "not_required"
    RESERVED = "reserved"
    MISSING = "missing"


class LinePosition(Part):
    """Quantities of one line.

    delivered ≤ shipped, returned ≤ shipped, shipped ≤ packed, packed − lost ≤ ordered − cancelled.
    """

    line: LineNumber
    kind: LineKind
    ordered: Tally
    cancelled: Tally = 0
    packed: Tally = 0
    lost: Tally = 0
    shipped: Tally = 0
    delivered: Tally = 0
    returned: Tally = 0


class FulfilmentPosition(Part):
    """All quantities of an order; an older version than one already seen is ignored."""

    version: int = Field(ge=1)
    stock: StockStanding
    lines: list[LinePosition]


class ParcelLine(Part):
    """So many units of one order line."""

    line: LineNumber
    quantity: Quantity


class MissingStock(Part):
    """A SKU that could not be reserved."""

    sku: Sku
    requested: Tally
    available: Tally


class StockReserved(Message):
    """Stock was reserved for all goods of an order."""

    wire_name: ClassVar[str] = "stock.reserved.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    position: FulfilmentPosition


class StockRejected(Message):
    """Stock was refused to an order, all or nothing; it is tried again when stock comes."""

    wire_name: ClassVar[str] = "stock.rejected.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    missing: list[MissingStock]
    position: FulfilmentPosition


class StockRestocked(Message):
    """A refund's units were taken back: those that had not left are cancelled, ticked ones are on the shelf again."""

    wire_name: ClassVar[str] = "stock.restocked.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    cause_id: UUID = Field(description="The refund.")
    cancelled: list[LineUnits] = Field(default_factory=list, description="Units that had not left.")
    restocked: list[LineUnits] = Field(default_factory=list, description="Shipped units, back on the shelf.")
    actor: Actor
    position: FulfilmentPosition


class StockLevel(Part):
    """Stock of one SKU at one location."""

    sku: Sku
    location: Annotated[str, Field(min_length=1, max_length=64)] = "main"
    on_hand: Count
    reserved: Count = 0


class StockLevelChanged(Message):
    """Stock levels were set or adjusted by a person or an import."""

    wire_name: ClassVar[str] = "stock.level_changed.v1"

    shop: Shop
    levels: list[StockLevel]
    changed_by: Actor | None = None
    reason: Text | None = None


class SetStock(Command):
    """Set what is on hand of some SKUs, after a count or an import."""

    wire_name: ClassVar[str] = "stock.set.v1"

    shop: Shop
    levels: list[StockLevel] = Field(min_length=1, max_length=1000, description="`reserved` is ignored here.")
    actor: Actor


class AdjustStock(Command):
    """Change what is on hand of a SKU by so many units: breakage, a find, goods that came in."""

    wire_name: ClassVar[str] = "stock.adjust.v1"

    shop: Shop
    sku: Sku
    location: Annotated[str, Field(min_length=1, max_length=64)] = "main"
    change: Annotated[
        int, Field(ge=-1_000_000, le=1_000_000, description="Units, negative when they went; never 0.")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    actor: Actor


class PackParcel(Command):
    """Build one parcel from units still to be packed."""

    wire_name: ClassVar[str] = "parcel.pack.v1"

    shop: Shop
    order_id: OrderId
    parcel_id: UUID
    lines: list[ParcelLine] = Field(min_length=1)
    kind: Annotated[str, Field(max_length=40, description="box, envelope, tube, pallet.")] = "box"
    weight_grams: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    length_mm: Annotated[int, Field(ge=0, le=100_000)] | None = None
    width_mm: Annotated[int, Field(ge=0, le=100_000)] | None = None
    height_mm: Annotated[int, Field(ge=0, le=100_000)] | None = None
    declared_value_minor: Minor | None = None
    actor: Actor


class ParcelPacked(Message):
    """A parcel was packed."""

    wire_name: ClassVar[str] = "parcel.packed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    parcel_id: UUID
    number: int = Field(ge=1, description="The parcel's number within its order.")
    lines: list[ParcelLine]
    kind: str
    weight_grams: int | None = None
    packed_at: Moment
    packed_by: Actor
    position: FulfilmentPosition


class UnpackParcel(Command):
    """Take a packed parcel apart that has not left; its units are to be packed again."""

    wire_name: ClassVar[str] = "parcel.unpack.v1"

    shop: Shop
    order_id: OrderId
    parcel_id: UUID
    actor: Actor


class ParcelUnpacked(Message):
    """A packed parcel that had not left was taken apart; its units are to be packed again or were cancelled."""

    wire_name: ClassVar[str] = "parcel.unpacked.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    parcel_id: UUID
    number: int = Field(ge=1, description="The parcel's number within its order.")
    lines: list[ParcelLine]
    unpacked_at: Moment
    unpacked_by: Actor
    position: FulfilmentPosition


class DispatchShipment(Command):
    """Hand packed parcels to a carrier."""

    wire_name: ClassVar[str] = "shipment.dispatch.v1"

    shop: Shop
    order_id: OrderId
    shipment_id: UUID
    parcel_ids: list[UUID] = Field(min_length=1)
    carrier: Name
    tracking_number: Annotated[str, Field(max_length=100)] | None = None
    tracking_url: Annotated[str, Field(max_length=1000, pattern=r"^https?://")] | None = None
    postal_code: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="Where it goes; some carriers' tracking pages ask for it."
    )
    shipped_on: date
    expected_on: date | None = None
    cost_minor: Minor | None = None
    cost_currency: Currency | None = None
    notify_customer: bool = False
    actor: Actor


class ShipmentDispatched(Message):
    """Parcels of an order were handed to a carrier."""

    wire_name: ClassVar[str] = "shipment.dispatched.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    shipment_id: UUID
    parcel_ids: list[UUID]
    lines: list[ParcelLine]
    carrier: Name
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_on: date
    expected_on: date | None = None
    notify_customer: bool = False
    dispatched_at: Moment
    dispatched_by: Actor
    position: FulfilmentPosition


class UpdateShipment(Command):
    """Correct what is told of a shipment that left: all of it as it is to be, also what stays."""

    wire_name: ClassVar[str] = "shipment.update.v1"

    shop: Shop
    order_id: OrderId
    shipment_id: UUID
    carrier: Name
    tracking_number: Annotated[str, Field(max_length=100)] | None = None
    tracking_url: Annotated[str, Field(max_length=1000, pattern=r"^https?://")] | None = None
    postal_code: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="Where it goes; some carriers' tracking pages ask for it."
    )
    shipped_on: date
    expected_on: date | None = None
    notify_customer: bool = False
    actor: Actor


class ShipmentUpdated(Message):
    """What is told of a shipment was corrected; a lower version than one already seen is ignored."""

    wire_name: ClassVar[str] = "shipment.updated.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    shipment_id: UUID
    version: int = Field(ge=2, description="Raised by every correction; the dispatch was 1.")
    parcel_ids: list[UUID]
    lines: list[ParcelLine]
    carrier: Name
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_on: date
    expected_on: date | None = None
    announced: bool = Field(default=False, description="Whether the customer was to be told of the dispatch.")
    notify_customer: bool = Field(
        default=False, description="Whether to tell the customer of the correction."
    )
    dispatched_at: Moment
    dispatched_by: Actor
    updated_at: Moment
    updated_by: Actor
    position: FulfilmentPosition


class CancelShipment(Command):
    """Take back that parcels were handed over: they stand packed again and can leave in another shipment."""

    wire_name: ClassVar[str] = "shipment.cancel.v1"

    shop: Shop
    order_id: OrderId
    shipment_id: UUID
    reason: Text | None = None
    notify_customer: bool = False
    actor: Actor


class ShipmentCancelled(Message):
    """Parcels that were said to have left had not, or came straight back: they stand packed again."""

    wire_name: ClassVar[str] = "shipment.cancelled.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    shipment_id: UUID
    version: int = Field(ge=2, description="The shipment's last; see ShipmentUpdated.")
    parcel_ids: list[UUID]
    lines: list[ParcelLine]
    carrier: Name
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_on: date
    expected_on: date | None = None
    announced: bool = Field(default=False, description="Whether the customer was to be told of the dispatch.")
    notify_customer: bool = Field(
        default=False, description="Whether to tell the customer of the cancelling."
    )
    reason: Text | None = None
    dispatched_at: Moment
    dispatched_by: Actor
    cancelled_at: Moment
    cancelled_by: Actor
    position: FulfilmentPosition


class ReportParcelLost(Command):
    """Say that a parcel on its way is lost: its units are to be packed and sent again, or refunded."""

    wire_name: ClassVar[str] = "parcel.report_lost.v1"

    shop: Shop
    order_id: OrderId
    parcel_id: UUID
    reason: Text | None = None
    notify_customer: bool = False
    actor: Actor


class ParcelLost(Message):
    """A parcel on its way was lost; its units are left to pack, with stock reserved for them or missing."""

    wire_name: ClassVar[str] = "parcel.lost.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    parcel_id: UUID
    number: int = Field(ge=1, description="The parcel's number within its order.")
    shipment_id: UUID
    lines: list[ParcelLine]
    reason: Text | None = None
    notify_customer: bool = False
    lost_at: Moment
    lost_by: Actor
    position: FulfilmentPosition


class ProofKind(StrEnum):
    """How a delivery is known."""

    CARRIER_SCAN = "carrier_scan"
    SIGNATURE = "signature"
    CUSTOMER_WORD = "customer_word"
    PHOTO = "photo"
    NONE = "none"


class RecordDelivery(Command):
    """Record that a shipment reached its customer."""

    wire_name: ClassVar[str] = "delivery.record.v1"

    shop: Shop
    order_id: OrderId
    shipment_id: UUID
    delivered_at: Moment
    proof: ProofKind = ProofKind.NONE
    proof_reference: Annotated[str, Field(max_length=200)] | None = None
    actor: Actor


class DeliveryRecorded(Message):
    """A shipment reached its customer."""

    wire_name: ClassVar[str] = "delivery.recorded.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    shipment_id: UUID
    parcel_ids: list[UUID]
    delivered_at: Moment
    proof: ProofKind
    proof_reference: str | None = None
    recorded_by: Actor
    position: FulfilmentPosition


class LinesReduced(Message):
    """What could be stopped of a reduction that orders asked for, and what had left and stays ordered."""

    wire_name: ClassVar[str] = "lines.reduced.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Of the LinesReductionRequested that this answers.")
    stopped: list[LineUnits] = Field(description="Cancelled: released, and out of any parcel.")
    left: list[LineUnits] = Field(description="Already handed over, so not stopped.")
    position: FulfilmentPosition


class MissingUnits(Part):
    """A line that was not added because its SKU is short."""

    line: LineNumber
    sku: Sku
    requested: Tally
    available: Tally


class LinesAdded(Message):
    """What was added of the units that orders asked for, and which lines had too little stock."""

    wire_name: ClassVar[str] = "lines.added.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Of the LinesAdditionRequested that this answers.")
    added: list[LineUnits]
    missing: list[MissingUnits]
    position: FulfilmentPosition
