"""Invoices and credit notes: who issues them and when, and what payments publishes once one is issued."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import (
    Actor,
    Command,
    Currency,
    Locale,
    Message,
    Minor,
    OrderCode,
    OrderId,
    Part,
    Shop,
    Text,
    Timestamp,
)

Short = Annotated[str, Field(max_length=200)]


class InvoiceKind(StrEnum):
    """An invoice says what a customer owes; a credit note takes a part of it back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class IssueAt(StrEnum):
    """When an order's invoice is issued: once it is placed, or once nothing is owed any more."""

    PLACEMENT = "placement"
    PAYMENT = "payment"


class VatRegime(StrEnum):
    """Whether the merchant charges VAT, or is exempt from it as a small business (art. 293 B of the French CGI)."""

    NORMAL = "normal"
    FRANCHISE = "franchise"


class InvoicingSettings(Part):
    """Who issues a shop's invoices, and how. Fields that the law wants may be empty: nothing is issued meanwhile."""

    is_on: bool = False
    issue_at: IssueAt = IssueAt.PAYMENT
    mails_customer: bool = Field(default=True, description="Whether the customer gets the PDF by mail.")
    first_day: date | None = Field(
        default=None,
        description="Orders placed before this day, in the time zone, get no invoice automatically; "
        "without it, those placed before `is_on` was first set.",
    )
    time_zone: Annotated[str, Field(max_length=60)] = "Europe/Paris"
    invoice_prefix: Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,10}$")] = "F"
    credit_note_prefix: Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,10}$")] = "A"
    name: Short = ""
    trade_name: Short = ""
    legal_form: Short = Field(default="", description="SARL, SAS, EI, association, …")
    capital: Short = Field(default="", description="Share capital as printed: 10 000 €.")
    street: Annotated[str, Field(max_length=300)] = ""
    street_2: Annotated[str, Field(max_length=300)] = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    city: Short = ""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")] = "FR"
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    siret: Annotated[str, Field(max_length=20)] = Field(
        default="", description="Fourteen digits; the first nine are the SIREN."
    )
    registration: Short = Field(default="", description="Register and town: RCS Lyon, RNE.")
    vat_regime: VatRegime = VatRegime.NORMAL
    vat_number: Annotated[str, Field(max_length=40)] = ""
    vat_on_debits: bool = False
    exemption_reason: Annotated[str, Field(max_length=300)] = Field(
        default="", description="Why goods at 0 % bear no VAT: the article of the law."
    )
    payment_days: int = Field(default=0, ge=0, le=120, description="Days until payment is due.")
    late_penalty: Annotated[str, Field(max_length=300)] = ""
    early_discount: Annotated[str, Field(max_length=300)] = ""
    iban: Annotated[str, Field(max_length=40)] = ""
    footer: Text = ""
    logo: Annotated[str, Field(max_length=150_000)] = Field(default="", description="PNG or JPEG, in base64.")


class InvoiceTotals(Part):
    """net + tax = total, in minor units; positive on credit notes too."""

    net_minor: Minor
    tax_minor: Minor
    total_minor: Minor


class InvoiceIssued(Message):
    """An invoice was issued: its number is in use and its content never changes. The PDF is read from payments."""

    wire_name: ClassVar[str] = "invoice.issued.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    invoice_id: UUID
    number: Annotated[str, Field(max_length=40)]
    issued_on: date
    issued_at: Timestamp
    currency: Currency
    totals: InvoiceTotals
    locale: Locale
    mails_customer: bool = Field(description="Whether the customer is to get the PDF by mail.")


class CreditNoteIssued(Message):
    """A credit note was issued for an order that has an invoice. Its amounts are positive."""

    wire_name: ClassVar[str] = "credit_note.issued.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    invoice_id: UUID
    number: Annotated[str, Field(max_length=40)]
    corrects: Annotated[str, Field(max_length=40, description="Number of the corrected invoice.")]
    issued_on: date
    issued_at: Timestamp
    currency: Currency
    totals: InvoiceTotals
    locale: Locale
    mails_customer: bool = Field(description="Whether the customer is to get the PDF by mail.")


class InvoicingChanged(Message):
    """A shop's invoicing was set up or changed, or its stored mentions were found wrong, or right again: then with the
    version of the settings that are stored. `missing` names the mentions without which nothing is issued.
    """

    wire_name: ClassVar[str] = "invoicing.changed.v1"

    shop: Shop
    version: int = Field(ge=1, description="Raised by every change; the highest one counts.")
    is_on: bool
    issue_at: IssueAt
    missing: list[str] = Field(default_factory=list)
    mails_customer: bool | None = Field(
        default=None, description="Whether customers get the PDF by mail; absent from earlier versions."
    )
    issues: bool | None = Field(
        default=None,
        description="Whether documents are issued: invoicing is on, and no mention is missing or wrong; absent from "
        "earlier versions.",
    )
    since: Timestamp | None = Field(
        default=None, description="Orders placed before this moment get no invoice automatically."
    )
    changed_by: Actor
    changed_at: Timestamp


class ChangeInvoicing(Command):
    """Replace a shop's invoicing settings; an absent logo keeps the one there is."""

    wire_name: ClassVar[str] = "invoicing.change.v1"

    shop: Shop
    settings: InvoicingSettings
    keeps_logo: bool = Field(default=False, description="Keep the logo, regardless of `settings.logo`.")
    version: int = Field(ge=0, description="The version that was changed; another one is refused.")
    actor: Actor


class ReissueInvoice(Command):
    """Issue an order's invoice now; one it has is taken back by a credit note and issued again as the order is now."""

    wire_name: ClassVar[str] = "invoice.reissue.v1"

    shop: Shop
    order_id: OrderId
    reason: Text = Field(min_length=1)
    actor: Actor
