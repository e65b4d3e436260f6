"""What the REST API tells: the shape of its answers, as its OpenAPI document describes them."""

from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from contracts.fulfillment import LinePosition, ParcelLine, ProofKind, StockStanding
from contracts.message import LineUnits, Moment, Reason
from contracts.orders import OrderState, PlacedLine
from contracts.payments import AttemptState, RefundCause, RefundLine, RefundMode, RefundState
from contracts.storefront import Address, ExtraLine, Module, PartialAddress, PaymentMethod, Shipping, Totals
from services.orders.listing.words import PaymentWord, StatusWord
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus
from services.orders.order.shop.colours import Colour


class LabelResponse(BaseModel):
    """A status: its key and what it says in French and English."""

    key: str
    fr: str
    en: str


class OrderListed(BaseModel):
    """An order as the list shows it."""

    order_id: UUID
    code: str
    module: Module
    source_reference: str | None
    placed_at: Moment = Field(description="Of a checkout: when it was opened last.")
    customer_name: str | None
    customer_email: str | None
    payment_method: PaymentMethod | None
    currency: str
    total_minor: int
    balance_minor: int = Field(description="Positive: owed by the customer; negative: owed to them.")
    state: OrderState
    label: LabelResponse
    status: StatusWord | None = Field(description="Word of the filter «Statut»; a draft has none.")
    payment_status: PaymentStatus
    payment: PaymentWord = Field(description="Word of the filter «Statut de paiement».")
    fulfilment_status: FulfilmentStatus
    flags: list[str] = Field(description="What a person should look at: to_collect, stock_missing, disputed.")
    units_to_pack: int
    units_to_ship: int
    archived_at: Moment | None
    changed_at: Moment


class OrdersPage(BaseModel):
    """One page of the list."""

    orders: list[OrderListed]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last one.")
    previous: str | None = Field(
        description="Send it as `before` for the page before; null on the first one."
    )


class MoneyResponse(BaseModel):
    """Payments' position of the order, in minor units; version 0: not heard of yet."""

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
    """Who bought; of a checkout, what they have told."""

    name: str | None
    email: str | None
    phone: str | None = None
    company: str | None = None
    vat_number: str | None = None


class LineResponse(PlacedLine):
    """A line with fulfillment's quantities; null: not heard of yet."""

    position: LinePosition | None = None


class LedgerEntryResponse(BaseModel):
    """One entry of the ledger, with the balance after it."""

    entry_id: UUID
    number: int = Field(description="From 1 without holes.")
    kind: str = Field(description="order_total, payment_received, credit_granted, refund_paid, …")
    method: PaymentMethod | None
    amount_minor: int = Field(description="Positive whatever the kind.")
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
    occurred_at: Moment
    recorded_at: Moment


class RefundResponse(BaseModel):
    """A refund as it stands."""

    refund_id: UUID
    mode: RefundMode
    state: RefundState
    amount_minor: int
    confirmed_minor: int | None = Field(description="What really went back.")
    currency: str
    provider: str | None
    payment_reference: str | None = Field(description="The refunded payment at the provider.")
    provider_reference: str | None = Field(description="The refund at the provider.")
    reference: str | None = Field(description="What the merchant confirmed it with.")
    lines: list[RefundLine]
    cause: RefundCause
    reason: str | None
    actor: str
    asked_at: Moment
    detail: str | None = Field(description="The provider's words when it failed.")


class ParcelResponse(BaseModel):
    """A packed parcel."""

    parcel_id: UUID
    number: int
    kind: str
    weight_grams: int | None
    lines: list[ParcelLine]
    packed_at: Moment
    packed_by: str
    unpacked_at: Moment | None = Field(default=None, description="When it was taken apart, before it left.")
    unpacked_by: str | None = None
    lost_at: Moment | None = Field(default=None, description="When it was said to be lost, on its way.")
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
    dispatched_at: Moment
    dispatched_by: str
    version: int = 1
    cancelled_at: Moment | None = None
    cancelled_by: str | None = None
    cancel_reason: str | None = None


class DeliveryResponse(BaseModel):
    """A shipment that reached its customer."""

    shipment_id: UUID
    parcel_ids: list[UUID]
    delivered_at: Moment
    proof: ProofKind
    proof_reference: str | None
    recorded_by: str


class MailResponse(BaseModel):
    """What became of a mail."""

    mail_id: UUID
    template: str
    recipient: str
    cause_id: UUID
    state: str
    at: Moment
    detail: str | None


class ActivityResponse(BaseModel):
    """Something that happened, by whom and because of which message."""

    kind: str
    item: UUID
    happened_at: Moment
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
    changed_at: Moment


class CommandResponse(BaseModel):
    """A command and what became of it. `parked` waits for a person; it may still become done or rejected."""

    command_id: UUID
    type: str
    order_id: UUID | None
    actor: str
    state: str = Field(description="pending, parked, done or rejected.")
    requested_at: Moment
    settled_at: Moment | None
    outcome: JsonValue = Field(default=None, description="The owner's answer.")


class TagResponse(BaseModel):
    """A shop's own word on orders."""

    tag_id: UUID
    name: str
    colour: Colour
    orders: int | None = Field(default=None, description="How many orders have it, where that was counted.")


class TagsResponse(BaseModel):
    """The tags of a shop, by name."""

    tags: list[TagResponse]


class StatusResponse(LabelResponse):
    """A status that can be given to orders."""

    state: OrderState
    colour: Colour
    is_built_in: bool


class StatusesResponse(BaseModel):
    """The statuses of a shop, in the states' sequence."""

    statuses: list[StatusResponse]


class OrderResponse(OrderListed):
    """An order with everything about it."""

    revision: int = Field(
        description="Counts the order's changes; send it back with an update made from this page."
    )
    tags: list[TagResponse] = []
    idempotency_key: str
    locale: str
    customer: CustomerResponse
    billing_address: Address | PartialAddress | None = None
    shipping_address: Address | PartialAddress | None = None
    note: str | None = None
    prices_include_tax: bool | None = None
    totals: Totals | None = None
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = []
    money: MoneyResponse
    stock: StockStanding
    lines: list[LineResponse]
    ledger: list[LedgerEntryResponse]
    refunds: list[RefundResponse]
    parcels: list[ParcelResponse]
    shipments: list[ShipmentResponse]
    deliveries: list[DeliveryResponse]
    mails: list[MailResponse]
    activity: list[ActivityResponse]
    history: list[StateChangeResponse]
    commands: list[CommandResponse]


class ParcelTouchedResponse(BaseModel):
    """A packed parcel that would be taken apart."""

    parcel_id: UUID
    number: int


class PreviewResponse(BaseModel):
    """What a change of an order would do; nothing was changed. With reasons against it, it would do nothing."""

    revision: int = Field(description="Send it with the change.")
    totals_before: Totals
    totals: Totals
    due_change_minor: int
    balance_minor: int
    balance_after_minor: int = Field(description="Negative: to be paid back.")
    stop: list[LineUnits] = Field(description="Units that fulfillment would be asked to stop.")
    stays: list[LineUnits] = Field(description="Units asked off that have left and stay ordered.")
    add: list[LineUnits] = Field(description="Units for which stock would be asked.")
    parcels: list[ParcelTouchedResponse]
    reasons: list[Reason]


class SubmissionResponse(BaseModel):
    """What became of a storefront's submission."""

    module: Module
    idempotency_key: str
    answer: str = Field(description="placed or refused.")
    submission_id: UUID
    order_id: UUID | None = None
    code: str | None = None
    reasons: list[Reason] = []
