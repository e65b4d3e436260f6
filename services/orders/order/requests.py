"""Request bodies of the staff's programs, and the faults that can be found in the request itself.

A request holds only values the caller decides; the actor and the shop come from the token. Unknown fields are
rejected here (messages ignore them), because a misspelt `traking_number` would silently be lost. Faults that
no later fact can fix are found here; all others are decided by the owning service.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.fulfillment import (
    AdjustStock,
    CancelShipment,
    DispatchShipment,
    PackParcel,
    ParcelLine,
    ProofKind,
    RecordDelivery,
    ReportParcelLost,
    SetStock,
    StockLevel,
    UnpackParcel,
    UpdateShipment,
)
from contracts.message import (
    Count,
    Currency,
    LineNumber,
    Minor,
    Moment,
    Name,
    Quantity,
    Reason,
    Reference,
    Sku,
    Text,
)
from contracts.payments import RecordPayment
from contracts.storefront import PaymentMethod
from contracts.timestamps import EARLIEST, LATEST

STRICT = Field(strict=True)
"""Strict number: "12" and true are rejected where units or money are counted."""
Price = Annotated[Minor, Field(strict=True, ge=0)]
Millimetres = Annotated[int, Field(strict=True, ge=0, le=100_000)]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """Immutable facts of a placed order, enough to reject a request that cannot be intended."""

    shop: str
    order_id: UUID
    code: str
    currency: str
    lines: frozenset[int]


Day = Annotated[date, Field(ge=EARLIEST.date(), le=LATEST.date())]


class RequestBody(BaseModel):
    """A part of a request: no unknown fields, no NUL, which PostgreSQL could not hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def holds_no_nul(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("text may not hold the character NUL")
        return value


class PaymentRequest(RequestBody):
    """Money a person received: a cheque, a transfer, cash. `currency` is the order's."""

    method: PaymentMethod
    amount_minor: Annotated[Minor, Field(strict=True, gt=0)]
    currency: Currency
    reference: Reference | None = Field(default=None, description="Cheque number, transfer reference.")
    received_on: Day
    clearing_on: Day | None = None
    note: Text | None = None

    def faults(self, order: OrderFacts) -> list[Reason]:
        """Return a fault when the currency differs from the order's."""
        return currency_fault(order, self.currency)

    def command(self, order: OrderFacts, actor: str) -> RecordPayment:
        """Return the command for payments."""
        return RecordPayment(shop=order.shop, order_id=order.order_id, actor=actor, **dict(self))


class ParcelLineRequest(RequestBody):
    """So many units of one order line."""

    line: Annotated[LineNumber, STRICT]
    quantity: Annotated[Quantity, STRICT]


class ParcelRequest(RequestBody):
    """One parcel built from units still to be packed; each line is one of the order's."""

    parcel_id: UUID | None = Field(default=None, description="Made by the server when absent.")
    lines: list[ParcelLineRequest] = Field(min_length=1, max_length=1000)
    kind: Annotated[str, Field(min_length=1, max_length=40)] = Field(
        default="box", description="box, envelope, tube, pallet."
    )
    weight_grams: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    length_mm: Millimetres | None = None
    width_mm: Millimetres | None = None
    height_mm: Millimetres | None = None
    declared_value_minor: Price | None = None

    def faults(self, order: OrderFacts) -> list[Reason]:
        """Return a fault for every line that is not one of the order's."""
        return line_faults(order, [asked.line for asked in self.lines])

    def command(self, order: OrderFacts, actor: str, parcel_id: UUID) -> PackParcel:
        """Return the command for fulfillment. `parcel_id` is used when the caller sent none."""
        lines = [ParcelLine(line=one.line, quantity=one.quantity) for one in self.lines]
        asked = {**dict(self), "lines": lines, "parcel_id": self.parcel_id or parcel_id}
        return PackParcel(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class UnpackingRequest(RequestBody):
    """A packed parcel is to be taken apart; the path says which, and there is nothing to add."""

    def command(self, order: OrderFacts, actor: str, parcel_id: UUID) -> UnpackParcel:
        """Return the command for fulfillment."""
        return UnpackParcel(shop=order.shop, order_id=order.order_id, parcel_id=parcel_id, actor=actor)


class ShipmentRequest(RequestBody):
    """Packed parcels handed to a carrier. `cost_minor` and `cost_currency` go together."""

    shipment_id: UUID | None = Field(default=None, description="Made by the server when absent.")
    parcel_ids: list[UUID] = Field(min_length=1, max_length=1000)
    carrier: Name
    tracking_number: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    tracking_url: Annotated[str, Field(max_length=1000, pattern=r"^https?://")] | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="Where it goes; some carriers' tracking pages ask for it."
    )
    shipped_on: Day
    expected_on: Day | None = None
    cost_minor: Price | None = Field(default=None, description="Needs `cost_currency`.")
    cost_currency: Currency | None = Field(default=None, description="Needs `cost_minor`.")
    notify_customer: Annotated[bool, STRICT] = False

    @model_validator(mode="after")
    def cost_has_its_currency(self) -> Self:
        if (self.cost_minor is None) != (self.cost_currency is None):
            raise ValueError("send cost_minor and cost_currency together, or neither")
        return self

    def command(self, order: OrderFacts, actor: str, shipment_id: UUID) -> DispatchShipment:
        """Return the command for fulfillment. `shipment_id` is used when the caller sent none."""
        asked = {**dict(self), "shipment_id": self.shipment_id or shipment_id}
        return DispatchShipment(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class CorrectionRequest(RequestBody):
    """What is to be told of a shipment that left, all of it: also what stays."""

    carrier: Name
    tracking_number: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    tracking_url: Annotated[str, Field(max_length=1000, pattern=r"^https?://")] | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="Where it goes; some carriers' tracking pages ask for it."
    )
    shipped_on: Day
    expected_on: Day | None = None
    notify_customer: Annotated[bool, STRICT] = False

    def command(self, order: OrderFacts, actor: str, shipment_id: UUID) -> UpdateShipment:
        """Return the command for fulfillment."""
        asked = {**dict(self), "shipment_id": shipment_id}
        return UpdateShipment(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class ShipmentCancellationRequest(RequestBody):
    """A shipment is to be taken back; its parcels stand packed again."""

    reason: Text | None = None
    notify_customer: Annotated[bool, STRICT] = False

    def command(self, order: OrderFacts, actor: str, shipment_id: UUID) -> CancelShipment:
        """Return the command for fulfillment."""
        asked = {**dict(self), "shipment_id": shipment_id}
        return CancelShipment(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class LossRequest(RequestBody):
    """A parcel on its way is lost; its units are to be packed again or refunded."""

    reason: Text | None = None
    notify_customer: Annotated[bool, STRICT] = False

    def command(self, order: OrderFacts, actor: str, parcel_id: UUID) -> ReportParcelLost:
        """Return the command for fulfillment."""
        asked = {**dict(self), "parcel_id": parcel_id}
        return ReportParcelLost(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class DeliveryRequest(RequestBody):
    """A shipment reached its customer."""

    delivered_at: Moment
    proof: ProofKind = ProofKind.NONE
    proof_reference: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def command(self, order: OrderFacts, actor: str, shipment_id: UUID) -> RecordDelivery:
        """Return the command for fulfillment."""
        asked = {**dict(self), "shipment_id": shipment_id}
        return RecordDelivery(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class StockLevelRequest(RequestBody):
    """What is on hand of one SKU at one location."""

    sku: Sku
    location: Annotated[str, Field(min_length=1, max_length=64)] = "main"
    on_hand: Annotated[Count, STRICT]


class StockRequest(RequestBody):
    """What is on hand of some SKUs, after a count or an import."""

    levels: list[StockLevelRequest] = Field(min_length=1, max_length=1000)

    def command(self, shop: str, actor: str) -> SetStock:
        """Return the command for fulfillment."""
        levels = [StockLevel(sku=one.sku, location=one.location, on_hand=one.on_hand) for one in self.levels]
        return SetStock(shop=shop, levels=levels, actor=actor)


class AdjustmentRequest(RequestBody):
    """So many units of a SKU more, or fewer, than the books say."""

    sku: Sku
    location: Annotated[str, Field(min_length=1, max_length=64)] = "main"
    change: Annotated[
        int,
        Field(
            strict=True, ge=-1_000_000, le=1_000_000, description="Units; negative when they went, never 0."
        ),
    ]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]

    @field_validator("change", mode="after")
    @classmethod
    def changes_something(cls, change: int) -> int:
        if change == 0:
            raise ValueError("0 changes nothing; send how many units came or went")
        return change

    @field_validator("reason", mode="after")
    @classmethod
    def says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("say why the stock changes")
        return reason.strip()

    def command(self, shop: str, actor: str) -> AdjustStock:
        """Return the command for fulfillment."""
        return AdjustStock(shop=shop, actor=actor, **dict(self))


def _numbers(lines: frozenset[int]) -> str:
    shown = ", ".join(map(str, sorted(lines)[:20]))
    return shown + (", …" if len(lines) > 20 else "")


def currency_fault(order: OrderFacts, currency: str) -> list[Reason]:
    """Return the fault of an amount in a currency other than the order's, if it has one."""
    if currency == order.currency:
        return []
    message = f"Order {order.code} is in {order.currency}, not {currency}; send {order.currency}."
    return [Reason(code="currency_differs", message=message, field="currency")]


def line_faults(order: OrderFacts, lines: Sequence[int]) -> list[Reason]:
    """A fault for every named line that the order does not have."""
    message = f"Order {order.code} has the lines {_numbers(order.lines)}; name one of them."
    return [
        Reason(code="line_unknown", message=message, field=f"lines[{index}].line")
        for index, line in enumerate(lines)
        if line not in order.lines
    ]
