"""Messages about parcels that are packed and unpacked, and the commands for them."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.fulfillment.position import FulfilmentPosition
from contracts.message import (
    Actor,
    Command,
    LineNumber,
    Message,
    Minor,
    OrderCode,
    OrderId,
    Part,
    Quantity,
    Shop,
    Timestamp,
)


class ParcelLine(Part):
    """A number of units of one order line."""

    line: LineNumber
    quantity: Quantity


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
    packed_at: Timestamp
    packed_by: Actor
    position: FulfilmentPosition


class UnpackParcel(Command):
    """Unpack a packed parcel that has not been shipped; its units are to be packed again."""

    wire_name: ClassVar[str] = "parcel.unpack.v1"

    shop: Shop
    order_id: OrderId
    parcel_id: UUID
    actor: Actor


class ParcelUnpacked(Message):
    """A packed parcel that had not been shipped was unpacked; its units are to be packed again or were cancelled."""

    wire_name: ClassVar[str] = "parcel.unpacked.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    parcel_id: UUID
    number: int = Field(ge=1, description="The parcel's number within its order.")
    lines: list[ParcelLine]
    unpacked_at: Timestamp
    unpacked_by: Actor
    position: FulfilmentPosition
