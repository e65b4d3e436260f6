"""What orders says: an order was placed, was refused, changed its state or status, is to be changed."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import (
    Actor,
    Currency,
    LineNumber,
    LineUnits,
    Locale,
    Message,
    Minor,
    Moment,
    OrderCode,
    OrderId,
    Part,
    Quantity,
    Reason,
    Reference,
    Shop,
    Sku,
    Text,
    VatRate,
)
from contracts.storefront import (
    Address,
    ExactPrice,
    ExtraLine,
    LineKind,
    Module,
    PaymentChoice,
    Shipping,
    Taxes,
    TaxMinor,
    Totals,
)


class OrderState(StrEnum):
    """The states of an order (fixed); merchants add labels bound to them."""

    DRAFT = "draft"
    IN_CHECKOUT = "in_checkout"
    ABANDONED = "abandoned"
    AWAITING_PAYMENT = "awaiting_payment"
    READY = "ready"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PlacedLine(Part):
    """A line of a placed order, numbered from 1."""

    line: LineNumber
    kind: LineKind
    description: Annotated[str, Field(min_length=1, max_length=500)]
    sku: Sku | None = None
    quantity: Quantity
    unit_price_minor: Minor
    unit_price_exact: ExactPrice | None = None
    discount_minor: Minor = 0
    total_minor: Minor
    vat_rate: VatRate = 0
    tax_minor: TaxMinor | None = None
    taxes: Taxes | None = None
    resource: Reference | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    options: dict[str, str] = Field(default_factory=dict)


class Buyer(Part):
    """The customer as the other services need to know them (no IP address, no browser)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    company: Annotated[str, Field(max_length=200)] | None = None


class OrderPlaced(Message):
    """An order was placed: the sale as every service may rely on it from now on."""

    wire_name: ClassVar[str] = "order.placed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    module: Module
    source_reference: Reference | None = None
    placed_at: Moment
    locale: Locale
    currency: Currency
    prices_include_tax: bool = True
    payment: PaymentChoice
    customer: Buyer
    billing_address: Address | None = None
    shipping_address: Address | None = None
    lines: list[PlacedLine] = Field(min_length=1)
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = Field(default_factory=list)
    totals: Totals
    note: Text | None = None


class OrderRejected(Message):
    """A submitted order was refused; nothing of it exists beyond this fact."""

    wire_name: ClassVar[str] = "order.rejected.v1"

    shop: Shop
    module: Module
    submission_id: OrderId = Field(description="Id of the refused OrderSubmitted event.")
    idempotency_key: str | None = None
    source_reference: str | None = None
    reasons: list[Reason] = Field(min_length=1)


class Abandonment(StrEnum):
    """How a checkout came to its end."""

    TIMED_OUT = "timed_out"
    DROPPED = "dropped"


class AbandonedBy(Part):
    """Who left a basket, as far as they had told."""

    name: Annotated[str, Field(max_length=200)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None


class CheckoutAbandoned(Message):
    """A checkout ran out or was dropped without becoming an order; opened again it may be abandoned again."""

    wire_name: ClassVar[str] = "checkout.abandoned.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    module: Module
    opened_at: Moment
    abandoned_at: Moment
    cause: Abandonment
    locale: Locale
    currency: Currency
    total_minor: Minor | None = None
    customer: AbandonedBy | None = None


class OrderStateChanged(Message):
    """An order's state or its built-in label changed."""

    wire_name: ClassVar[str] = "order.state_changed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    previous: OrderState | None = None
    state: OrderState
    label: str = Field(description="The built-in label's key: payments_received, in_preparation.")
    cause: str = Field(description="Type of the message that caused it.")


class ChangeCause(StrEnum):
    """Why a placed order is changed."""

    EDITED = "edited"
    CANCELLED = "cancelled"
    REINSTATED = "reinstated"
    DELETED = "deleted"


class LinesReductionRequested(Message):
    """Units of a placed order are no longer wanted; fulfillment is to stop those that have not left."""

    wire_name: ClassVar[str] = "lines.reduction_requested.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Names the request; the answer repeats it.")
    lines: list[LineUnits] = Field(min_length=1)
    cause: ChangeCause
    actor: Actor


class LineAddition(Part):
    """So many more units of a line, which may be new."""

    line: LineNumber
    kind: LineKind
    sku: Sku | None = Field(default=None, description="Required for `ship` lines.")
    quantity: Quantity


class LinesAdditionRequested(Message):
    """More units of a placed order are wanted, or cancelled ones again; fulfillment is to find stock for them."""

    wire_name: ClassVar[str] = "lines.addition_requested.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Names the request; the answer repeats it.")
    lines: list[LineAddition] = Field(min_length=1)
    all_or_nothing: bool = Field(description="Nothing is added unless stock stands behind all of it.")
    cause: ChangeCause = Field(
        description="edited: units on top of those ordered; reinstated: cancelled units are wanted again."
    )
    actor: Actor


class OrderEdited(Message):
    """A placed order was changed: what it holds from now on, and by how much what is due changes.

    The change is named by `edit_id` and counts once. Cancelling and reinstating leave the content as it was; the
    quantities that are still wanted are fulfillment's to tell.
    """

    wire_name: ClassVar[str] = "order.edited.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    edit_id: UUID
    previous_edit_id: UUID | None = Field(
        default=None, description="The order's edit before this one; what is due follows them one by one."
    )
    revision: int = Field(ge=1, description="The order's revision after the change; the highest one counts.")
    cause: ChangeCause
    currency: Currency
    due_change_minor: Minor = Field(
        description="Positive: more is due; negative: a credit. A reinstatement takes a cancellation's credit back."
    )
    totals: Totals
    lines: list[PlacedLine]
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = Field(default_factory=list)
    customer: Buyer
    billing_address: Address | None = None
    shipping_address: Address | None = None
    reason: Text | None = None
    notify_customer: bool = Field(
        default=False, description="Whether the customer is to be told of a cancellation, in a mail."
    )
    public_comment: Text | None = Field(default=None, description="For the customer to read, in that mail.")
    cancelled_lines: list[LineUnits] | None = Field(
        default=None,
        description="What a cancellation called off, when the rest of the order had left already.",
    )
    actor: Actor


class OrderDeleted(Message):
    """An order was deleted: nothing of it is kept but this fact. Money that still comes for it has no order."""

    wire_name: ClassVar[str] = "order.deleted.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    reason: Text
    actor: Actor
    deleted_at: Moment


class PaymentReferenced(Message):
    """A storefront named the provider's payment of an order that was placed before."""

    wire_name: ClassVar[str] = "order.payment_referenced.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    provider: Annotated[
        str, Field(min_length=1, max_length=40, description="Payment provider: stripe, paypal.")
    ]
    provider_reference: Reference = Field(description="The provider's object: pi_… at Stripe.")


class StatusUpdated(Message):
    """A person updated an order's status; with `notify_customer` the customer is to be told, in a mail."""

    wire_name: ClassVar[str] = "order.status_updated.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    previous: OrderState
    state: OrderState
    label: str = Field(
        max_length=60, description="Key of the status: a built-in label or one of the shop's own."
    )
    label_texts: dict[str, str] = Field(description="What the status says, by language: fr and en.")
    is_forced: bool = Field(default=False, description="Whether a right beyond the rules was used.")
    notify_customer: bool = False
    public_comment: Text | None = Field(default=None, description="For the customer to read.")
    customer: Buyer | None = Field(default=None, description="Whom to tell; there when `notify_customer` is.")
    locale: Locale | None = Field(default=None, description="The customer's language, likewise.")
    actor: Actor
