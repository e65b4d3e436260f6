"""Messages about shipments, lost parcels and deliveries, and the commands for them.

Every event about an order carries the order's whole `FulfilmentPosition`, as `contracts.fulfillment.position` has it.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.position import FulfilmentPosition
from contracts.message import (
    Actor,
    Command,
    Currency,
    Message,
    Minor,
    Name,
    OrderCode,
    OrderId,
    Shop,
    Text,
    Timestamp,
)


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
        default=None, description="Where it goes; some carriers' tracking pages require it."
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
    dispatched_at: Timestamp
    dispatched_by: Actor
    position: FulfilmentPosition


class UpdateShipment(Command):
    """Correct the details of a dispatched shipment. Carries all of them, also those that stay."""

    wire_name: ClassVar[str] = "shipment.update.v1"

    shop: Shop
    order_id: OrderId
    shipment_id: UUID
    carrier: Name
    tracking_number: Annotated[str, Field(max_length=100)] | None = None
    tracking_url: Annotated[str, Field(max_length=1000, pattern=r"^https?://")] | None = None
    postal_code: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="Where it goes; some carriers' tracking pages require it."
    )
    shipped_on: date
    expected_on: date | None = None
    notify_customer: bool = False
    actor: Actor


class ShipmentUpdated(Message):
    """The details of a shipment were corrected; a version lower than one already received is ignored."""

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
    announced: bool = Field(default=False, description="Whether the customer gets a mail about the dispatch.")
    notify_customer: bool = Field(
        default=False, description="Whether to mail the correction to the customer."
    )
    dispatched_at: Timestamp
    dispatched_by: Actor
    updated_at: Timestamp
    updated_by: Actor
    position: FulfilmentPosition


class CancelShipment(Command):
    """Cancel a dispatch: its parcels are packed again and can leave in another shipment."""

    wire_name: ClassVar[str] = "shipment.cancel.v1"

    shop: Shop
    order_id: OrderId
    shipment_id: UUID
    reason: Text | None = None
    notify_customer: bool = False
    actor: Actor


class ShipmentCancelled(Message):
    """A dispatch was cancelled (the parcels had not left or came straight back): they are packed again."""

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
    announced: bool = Field(default=False, description="Whether the customer gets a mail about the dispatch.")
    notify_customer: bool = Field(
        default=False, description="Whether to mail the cancellation to the customer."
    )
    reason: Text | None = None
    dispatched_at: Timestamp
    dispatched_by: Actor
    cancelled_at: Timestamp
    cancelled_by: Actor
    position: FulfilmentPosition


class ReportParcelLost(Command):
    """Report a shipped parcel as lost: its units are to be packed and sent again, or refunded."""

    wire_name: ClassVar[str] = "parcel.report_lost.v1"

    shop: Shop
    order_id: OrderId
    parcel_id: UUID
    reason: Text | None = None
    notify_customer: bool = False
    actor: Actor


class ParcelLost(Message):
    """A shipped parcel was lost; its units are left to pack, with stock reserved for them or missing."""

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
    lost_at: Timestamp
    lost_by: Actor
    position: FulfilmentPosition


class ProofKind(StrEnum):
    """Kinds of proof of delivery."""

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
    delivered_at: Timestamp
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
    delivered_at: Timestamp
    proof: ProofKind
    proof_reference: str | None = None
    recorded_by: Actor
    position: FulfilmentPosition
