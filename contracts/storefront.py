"""Messages of storefront modules, and the reduced answers that they receive.

A checkout may be announced from its first page on (`CheckoutOpened`, `CheckoutDropped`); these are never answered.
`OrderSubmitted` holds the whole sale as the storefront recorded it; its parts are those of `contracts.sale`, which
this module offers too, for storefronts that import everything from here.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.message import (
    CheckoutId,
    Currency,
    Locale,
    Message,
    Minor,
    OrderCode,
    OrderId,
    Reason,
    Reference,
    Shop,
    Text,
    Timestamp,
)
from contracts.sale import (
    Address,
    CompanyId,
    Customer,
    ExactPrice,
    ExtraLine,
    LineKind,
    Module,
    PartialAddress,
    PartialCustomer,
    PaymentChoice,
    PaymentMethod,
    Shipping,
    SubmittedLine,
    Tax,
    Taxes,
    TaxMinor,
    Totals,
)

__all__ = (
    "Address",
    "CheckoutDropped",
    "CheckoutOpened",
    "CompanyId",
    "Customer",
    "ExactPrice",
    "ExtraLine",
    "LineKind",
    "Module",
    "OrderAccepted",
    "OrderRefused",
    "OrderSubmitted",
    "PartialAddress",
    "PartialCustomer",
    "PaymentChoice",
    "PaymentMethod",
    "Shipping",
    "SubmittedLine",
    "Tax",
    "TaxMinor",
    "Taxes",
    "Totals",
)


class CheckoutOpened(Message):
    """A customer began, resumed or changed a checkout. Holds the checkout's current content.

    Sent again (a new event, the same `checkout_id`) whenever it changes; the highest `opened_at` counts.
    """

    wire_name: ClassVar[str] = "checkout.opened.v1"

    shop: Shop
    module: Module
    checkout_id: CheckoutId
    idempotency_key: Reference = Field(description="The key of the OrderSubmitted to come.")
    source_reference: Reference | None = Field(
        default=None, description="The module's own number of the basket."
    )
    opened_at: Timestamp
    locale: Locale = "fr"
    currency: Currency
    prices_include_tax: bool = True
    payment: PaymentChoice | None = None
    customer: PartialCustomer | None = None
    billing_address: PartialAddress | None = None
    shipping_address: PartialAddress | None = None
    lines: list[SubmittedLine] = Field(default_factory=list, max_length=1000)
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = Field(default_factory=list, max_length=100)
    totals: Totals | None = None
    note: Text | None = Field(default=None, description="The customer's remark.")
    resume_url: Annotated[str, Field(max_length=2000)] | None = Field(
        default=None,
        description="Where its customer goes on with it, an https address: the link of a reminder. Others are ignored.",
    )


class CheckoutDropped(Message):
    """A customer abandoned a checkout; one opened again later is open again."""

    wire_name: ClassVar[str] = "checkout.dropped.v1"

    shop: Shop
    module: Module
    checkout_id: CheckoutId
    dropped_at: Timestamp


class OrderSubmitted(Message):
    """A customer confirmed a sale in a storefront module."""

    wire_name: ClassVar[str] = "order.submitted.v1"

    shop: Shop
    module: Module
    idempotency_key: Reference = Field(description="Same key, same content: the first answer again.")
    source_reference: Reference | None = Field(
        default=None, description="The module's own number of the sale."
    )
    submitted_at: Timestamp
    locale: Locale = "fr"
    currency: str = Field(min_length=1, max_length=10, description="ISO 4217 alphabetic code.")
    prices_include_tax: bool = True
    payment: PaymentChoice | None = Field(
        default=None, description="Compulsory; its absence is refused with a reason."
    )
    customer: Customer
    billing_address: Address | None = None
    shipping_address: Address | None = None
    lines: list[SubmittedLine] = Field(max_length=1000)
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = Field(default_factory=list, max_length=100)
    totals: Totals
    note: Text | None = Field(default=None, description="The customer's remark.")
    checkout_id: CheckoutId | None = Field(
        default=None,
        description="The checkout this sale comes from, if it was announced; becomes the order's id.",
    )


class OrderAccepted(Message):
    """Answer to the storefront: a submitted order was placed."""

    wire_name: ClassVar[str] = "order.accepted.v1"

    shop: Shop
    module: Module
    order_id: OrderId
    code: OrderCode
    idempotency_key: Reference
    source_reference: Reference | None = None
    total_minor: Minor
    currency: str


class OrderRefused(Message):
    """Answer to the storefront: a submitted order was refused, with all reasons."""

    wire_name: ClassVar[str] = "order.refused.v1"

    shop: Shop
    module: Module
    idempotency_key: str | None = Field(
        default=None, description="Absent when the message could not be read at all."
    )
    source_reference: str | None = None
    submission_id: OrderId = Field(
        description="Id of the refused OrderSubmitted event; all zeros when it had no id that could be read."
    )
    reasons: list[Reason] = Field(min_length=1)
