"""The parts of a sale: customer, addresses, lines, taxes, shipping and totals.

Rules that deserve an answer (totals, quantities, payment method) are checked by orders, which refuses with all
reasons together; the types here refuse only what can't be parsed.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.message import (
    Minor,
    Name,
    Part,
    Reference,
    Sku,
    Timestamp,
    VatRate,
)


class Module(StrEnum):
    """The storefront module a sale comes from."""

    SHOP = "shop"
    EVENTS = "events"
    PRICE_TABLE = "price_table"
    RESTAURANT = "restaurant"
    SLOTS = "slots"


class PaymentMethod(StrEnum):
    """How the customer chose to pay.

    `card` and `paypal` are settled by the provider, the others by staff; `free` is for a total of zero.
    """

    CARD = "card"
    PAYPAL = "paypal"
    CHEQUE = "cheque"
    TRANSFER = "transfer"
    CASH = "cash"
    OTHER = "other"
    FREE = "free"


class LineKind(StrEnum):
    """How a line is fulfilled: by a parcel, a ticket, a booking or a service."""

    SHIP = "ship"
    TICKET = "ticket"
    BOOKING = "booking"
    SERVICE = "service"


class PaymentChoice(Part):
    """The chosen payment method and, if known, the provider's reference."""

    method: PaymentMethod
    provider: str | None = Field(default=None, max_length=40, description="Payment provider: stripe, paypal.")
    provider_reference: Reference | None = Field(
        default=None, description="The provider's object: pi_… at Stripe."
    )


class Address(Part):
    """A postal address; street, postal code and city may be absent or empty where the country has none."""

    name: Name
    street: Annotated[str, Field(max_length=300)] | None = None
    street_2: Annotated[str, Field(max_length=300)] | None = None
    postal_code: Annotated[str, Field(max_length=20)] | None = None
    city: Annotated[str, Field(max_length=200)] | None = None
    region: Annotated[str, Field(max_length=200)] | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]
    phone: Annotated[str, Field(max_length=40)] | None = None


CompanyId = Annotated[
    str,
    Field(max_length=40, description="The buyer's number in its trade register: the SIREN in France."),
]


class Customer(Part):
    """The buyer. IP address and browser stay in orders and have a retention limit."""

    name: Name
    email: (
        Annotated[
            str,
            Field(
                min_length=3,
                max_length=254,
                pattern=r"^[^@\s]+@[^@\s]+$",
                description="Mail address; without one the customer gets no mail.",
            ),
        ]
        | None
    ) = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    company: Annotated[str, Field(max_length=200)] | None = None
    vat_number: Annotated[str, Field(max_length=40)] | None = None
    company_id: CompanyId | None = None
    ip_address: Annotated[str, Field(max_length=45)] | None = None
    browser: Annotated[str, Field(max_length=1000, description="User agent.")] | None = None


class PartialAddress(Part):
    """An address as far as the customer has typed it."""

    name: Annotated[str, Field(max_length=200)] | None = None
    street: Annotated[str, Field(max_length=300)] | None = None
    street_2: Annotated[str, Field(max_length=300)] | None = None
    postal_code: Annotated[str, Field(max_length=20)] | None = None
    city: Annotated[str, Field(max_length=200)] | None = None
    region: Annotated[str, Field(max_length=200)] | None = None
    country: Annotated[str, Field(max_length=2)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None


class PartialCustomer(Part):
    """The customer of a checkout, as far as known."""

    name: Annotated[str, Field(max_length=200)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    company: Annotated[str, Field(max_length=200)] | None = None
    vat_number: Annotated[str, Field(max_length=40)] | None = None
    company_id: CompanyId | None = None
    ip_address: Annotated[str, Field(max_length=45)] | None = None
    browser: Annotated[str, Field(max_length=1000, description="User agent.")] | None = None


class Tax(Part):
    """One of the taxes on a line, on shipping or on an extra line, as the sender charged it."""

    label: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="What the customer calls it: GST, PST."
    )
    rate_ppm: int = Field(
        strict=True,
        ge=0,
        le=1_000_000,
        description="Rate in millionths: 88750 is 8.875 %. Shown, never counted with.",
    )
    tax_minor: Minor


TaxMinor = Annotated[
    Minor,
    Field(
        description="Tax in the amount, or on top of it, as charged: a fact. Absent: follows from the rate."
    ),
]
Taxes = Annotated[
    list[Tax],
    Field(
        min_length=1,
        max_length=10,
        description="Each tax where there are several, or where a rate is finer than a basis point; they sum to "
        "tax_minor.",
    ),
]
ExactPrice = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,13}(\.[0-9]{1,10})?$",
        description="Unit price in the major unit with all its digits, where it is finer than the minor unit: "
        "0.0123. Shown, never counted with.",
    ),
]


class SubmittedLine(Part):
    """One line of the sale. Its total and its tax are facts; unit price and rate are only shown."""

    kind: LineKind
    description: Annotated[str, Field(min_length=1, max_length=500)]
    sku: Sku | None = Field(default=None, description="Without one no stock is kept of a `ship` line.")
    quantity: int = Field(ge=-(2**31), lt=2**31, description="Units; orders refuses less than one.")
    unit_price_minor: Minor = Field(description="Rounded to the minor unit where it is finer.")
    unit_price_exact: ExactPrice | None = None
    discount_minor: Minor = Field(default=0, description="Taken off the whole line.")
    total_minor: Minor = Field(
        description="What the line costs: quantity × unit price − discount, up to rounding of the unit price."
    )
    vat_rate: VatRate = 0
    tax_minor: TaxMinor | None = None
    taxes: Taxes | None = None
    resource: Reference | None = Field(
        default=None, description="Seat block, table service or slot being booked."
    )
    starts_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    reference: Reference | None = Field(default=None, description="The storefront's own id of the line.")
    options: dict[str, str] = Field(
        default_factory=dict, description="Chosen options: size, colour, seat, attendee."
    )


class ExtraLine(Part):
    """An amount beside the goods: a fee, a manual line, a discount on the whole order (negative)."""

    label: Annotated[str, Field(min_length=1, max_length=200)]
    amount_minor: Minor
    vat_rate: VatRate = 0
    tax_minor: TaxMinor | None = None
    taxes: Taxes | None = None


class Shipping(Part):
    """The shipping method and its price."""

    label: Annotated[str, Field(min_length=1, max_length=200)]
    carrier: Annotated[str, Field(max_length=100)] | None = None
    amount_minor: Minor
    vat_rate: VatRate = 0
    tax_minor: TaxMinor | None = None
    taxes: Taxes | None = None


class Totals(Part):
    """total = lines + shipping + extras, plus tax when prices do not include it."""

    lines_minor: Minor = Field(description="Sum of the lines' totals.")
    shipping_minor: Minor = 0
    extras_minor: Minor = 0
    tax_minor: Minor = Field(default=0, description="VAT in the total (included in or added to the prices).")
    total_minor: Minor = Field(description="What the customer owes.")
