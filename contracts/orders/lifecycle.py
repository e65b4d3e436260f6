"""Messages of orders: an order was placed, refused or deleted, its state or status changed."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.message import (
    Actor,
    Currency,
    LineNumber,
    Locale,
    Message,
    Minor,
    OrderCode,
    OrderId,
    Part,
    Quantity,
    Reason,
    Reference,
    Shop,
    Sku,
    Text,
    Timestamp,
    VatRate,
)
from contracts.sale import (
    Address,
    CompanyId,
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
    starts_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    options: dict[str, str] = Field(default_factory=dict)


class Buyer(Part):
    """The customer as far as the other services need it (no IP address, no browser)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    company: Annotated[str, Field(max_length=200)] | None = None
    vat_number: Annotated[str, Field(max_length=40)] | None = None
    company_id: CompanyId | None = None


class OrderPlaced(Message):
    """An order was placed. Holds the sale that every service relies on from then on."""

    wire_name: ClassVar[str] = "order.placed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    module: Module
    source_reference: Reference | None = None
    placed_at: Timestamp
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
    """A submitted order was refused; nothing else of it is stored."""

    wire_name: ClassVar[str] = "order.rejected.v1"

    shop: Shop
    module: Module
    submission_id: OrderId = Field(description="Id of the refused OrderSubmitted event.")
    idempotency_key: str | None = None
    source_reference: str | None = None
    reasons: list[Reason] = Field(min_length=1)


RESUME_URL = r"^https://[^\s\x00-\x20<>\"'\\]+$"
"""An address that a mail may link to: https, without anything that ends it in a text."""


class Abandonment(StrEnum):
    """How a checkout ended."""

    TIMED_OUT = "timed_out"
    DROPPED = "dropped"


class AbandonedBy(Part):
    """The customer of an abandoned basket, as far as the checkout had their data."""

    name: Annotated[str, Field(max_length=200)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None


class CheckoutAbandoned(Message):
    """A checkout timed out or was dropped without becoming an order; opened again, it may be abandoned again."""

    wire_name: ClassVar[str] = "checkout.abandoned.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    module: Module
    opened_at: Timestamp
    abandoned_at: Timestamp
    cause: Abandonment
    locale: Locale
    currency: Currency
    total_minor: Minor | None = None
    customer: AbandonedBy | None = None
    resume_url: Annotated[str, Field(max_length=2000, pattern=RESUME_URL)] | None = Field(
        default=None, description="Where its customer goes on with it, as the storefront stated."
    )


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


class OrderCompleted(Message):
    """An order was completed by its facts, not by staff: everything arrived, and nothing is owed."""

    wire_name: ClassVar[str] = "order.completed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode


class CheckoutResumed(Message):
    """The customer is back in a checkout that was abandoned."""

    wire_name: ClassVar[str] = "checkout.resumed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode


class OrderDeleted(Message):
    """An order was deleted; only this fact is kept. Money received for it later has no order."""

    wire_name: ClassVar[str] = "order.deleted.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    reason: Text
    actor: Actor
    deleted_at: Timestamp


class PaymentReferenced(Message):
    """A storefront reported the provider's payment of an order placed earlier."""

    wire_name: ClassVar[str] = "order.payment_referenced.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    provider: Annotated[
        str, Field(min_length=1, max_length=40, description="Payment provider: stripe, paypal.")
    ]
    provider_reference: Reference = Field(description="The provider's object: pi_… at Stripe.")


class StatusUpdated(Message):
    """Staff updated an order's status; with `notify_customer` the customer gets a mail."""

    wire_name: ClassVar[str] = "order.status_updated.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    previous: OrderState
    state: OrderState
    label: str = Field(
        max_length=60, description="Key of the status: a built-in label or one of the shop's own."
    )
    label_texts: dict[str, str] = Field(description="Text of the status, by language: fr and en.")
    is_forced: bool = Field(default=False, description="Whether a right beyond the rules was used.")
    notify_customer: bool = False
    public_comment: Text | None = Field(default=None, description="For the customer to read.")
    customer: Buyer | None = Field(
        default=None, description="Whom to notify; present when `notify_customer` is."
    )
    locale: Locale | None = Field(default=None, description="The customer's language, likewise.")
    actor: Actor
