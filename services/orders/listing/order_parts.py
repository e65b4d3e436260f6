"""The parts of an order's document in the API."""

from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.position import LinePosition
from contracts.fulfillment.shipments import ProofKind
from contracts.message import Timestamp
from contracts.orders.lifecycle import OrderState, PlacedLine
from contracts.payments.accounts import AttemptState
from contracts.payments.disputes import DisputeFee, DisputeResolution, DisputeState
from contracts.payments.refunds import RefundCause, RefundLine, RefundMode, RefundState
from contracts.sale import PaymentMethod


class MoneyResponse(BaseModel):
    """Payments' position of the order, in minor units; version 0: not received yet."""

    version: int
    due_minor: int
    credited_minor: int
    received_minor: int
    received_by_hand_minor: int
    refunded_minor: int
    refunds_pending_minor: int
    marked_minor: int
    disputed_minor: int
    authorised_minor: int
    balance_minor: int
    attempt: AttemptState
    flags: list[str]


class CustomerResponse(BaseModel):
    """The customer; for a checkout, the data entered so far."""

    name: str | None
    email: str | None
    phone: str | None = None
    company: str | None = None
    vat_number: str | None = None
    company_id: str | None = None


class LineResponse(PlacedLine):
    """A line with fulfillment's quantities; null: not received yet."""

    position: LinePosition | None = None


class LedgerEntryResponse(BaseModel):
    """A ledger entry, with the balance after it."""

    entry_id: UUID
    number: int = Field(description="From 1 without gaps.")
    kind: str = Field(description="order_total, payment_received, credit_granted, refund_paid, …")
    method: PaymentMethod | None
    amount_minor: int = Field(description="Positive for every kind.")
    currency: str
    provider: str | None
    provider_reference: str | None
    reference: str | None
    received_on: str | None
    clearing_on: str | None
    note: str | None
    recorded_by: str
    payment_entry_id: UUID | None = Field(
        description="First entry of the payment that this one refunds, reverses or moves."
    )
    balance_minor: int
    occurred_at: Timestamp
    recorded_at: Timestamp


class RefundResponse(BaseModel):
    """The current state of a refund."""

    refund_id: UUID
    mode: RefundMode
    state: RefundState
    amount_minor: int
    confirmed_minor: int | None = Field(description="The amount that was refunded.")
    currency: str
    provider: str | None
    payment_reference: str | None = Field(description="The refunded payment at the provider.")
    provider_reference: str | None = Field(description="The refund at the provider.")
    reference: str | None = Field(description="The reference with which the merchant confirmed it.")
    lines: list[RefundLine]
    cause: RefundCause
    reason: str | None
    actor: str
    asked_at: Timestamp
    detail: str | None = Field(description="The provider's error text when it failed.")


class DisputeResponse(BaseModel):
    """The current state of a dispute about a payment."""

    provider: str
    provider_reference: str = Field(description="The dispute at the provider.")
    state: DisputeState
    amount_minor: int
    currency: str
    withdrawn_minor: int = Field(description="Money that the provider took from the merchant.")
    reinstated_minor: int = Field(description="Money that the provider gave back.")
    fees: list[DisputeFee]
    payment_reference: str = Field(description="The disputed payment at the provider.")
    payment_entry_id: UUID = Field(description="The ledger entry by which the disputed payment came in.")
    reason: str | None
    due_at: Timestamp | None = Field(description="Until when the provider waits for an answer.")
    is_due_soon: bool
    opened_at: Timestamp
    updated_at: Timestamp
    resolution: DisputeResolution | None = Field(description="Who bears a lost dispute, as staff decided.")
    resolved_by: str | None
    resolved_at: Timestamp | None
    note: str | None


class ParcelResponse(BaseModel):
    """A packed parcel."""

    parcel_id: UUID
    number: int
    kind: str
    weight_grams: int | None
    lines: list[ParcelLine]
    packed_at: Timestamp
    packed_by: str
    unpacked_at: Timestamp | None = Field(
        default=None, description="When it was unpacked, before it was shipped."
    )
    unpacked_by: str | None = None
    lost_at: Timestamp | None = Field(
        default=None, description="When it was reported lost, after it was shipped."
    )
    lost_by: str | None = None
    lost_reason: str | None = None


class ShipmentResponse(BaseModel):
    """Parcels handed to a carrier."""

    shipment_id: UUID
    parcel_ids: list[UUID]
    lines: list[ParcelLine]
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    shipped_on: str
    expected_on: str | None
    notify_customer: bool
    dispatched_at: Timestamp
    dispatched_by: str
    version: int = 1
    cancelled_at: Timestamp | None = None
    cancelled_by: str | None = None
    cancel_reason: str | None = None


class DeliveryResponse(BaseModel):
    """A shipment that reached its customer."""

    shipment_id: UUID
    parcel_ids: list[UUID]
    delivered_at: Timestamp
    proof: ProofKind
    proof_reference: str | None
    recorded_by: str


class MailResponse(BaseModel):
    """The outcome of a mail."""

    mail_id: UUID
    template: str
    recipient: str
    cause_id: UUID
    state: str
    at: Timestamp
    detail: str | None


class ActivityResponse(BaseModel):
    """An entry of the activity: what happened, who did it, which message caused it."""

    kind: str
    item: UUID
    happened_at: Timestamp
    actor: str
    cause_id: UUID
    revision: int | None = Field(default=None, description="The order's revision it led to.")
    data: JsonValue


class StateChangeResponse(BaseModel):
    """A change of the state or its label."""

    sequence: int
    previous_state: OrderState | None
    state: OrderState
    label: str
    cause_id: UUID | None
    cause_type: str
    actor: str | None
    changed_at: Timestamp


class CommandResponse(BaseModel):
    """A command and its outcome. `parked` waits for staff; it may still become done or rejected."""

    command_id: UUID
    type: str
    order_id: UUID | None
    actor: str
    state: str = Field(description="pending, parked, done or rejected.")
    requested_at: Timestamp
    settled_at: Timestamp | None
    outcome: JsonValue = Field(default=None, description="The owning service's answer.")
