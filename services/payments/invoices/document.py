"""The frozen content of an invoice or a credit note, and the hash that proves it unchanged. Pure.

Everything that the PDF and the electronic invoice show is in here, so both can be made again at any time and
never depend on what the order or the shop's settings have become since. All amounts of a document are in minor
units of its one currency; those of a credit note are what it takes back, so mostly positive.
"""

import hashlib
import json
from datetime import date
from uuid import UUID

from contracts.payments.invoices import InvoiceKind
from contracts.sale import Address, PaymentMethod
from services.chassis.identifiers.numbers import sirene_numbers
from services.chassis.identifiers.seller import OF_FRANCE
from services.payments.invoices.sale import ChargedTax, Frozen

STANDARD, EXEMPT, ZERO, INTRA_COMMUNITY, EXPORT = "S", "E", "Z", "K", "G"
"""VAT categories of EN 16931 (UNTDID 5305)."""


class Seller(Frozen):
    """The shop that issues it, as its settings were."""

    name: str
    trade_name: str = ""
    legal_form: str = ""
    capital: str = ""
    street: str = ""
    street_2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str
    email: str = ""
    phone: str = ""
    siret: str = ""
    registration: str = ""
    vat_number: str = ""
    is_exempt: bool = False
    late_penalty: str = ""
    early_discount: str = ""
    iban: str = ""
    footer: str = ""
    logo: str | None = None
    """SHA-256 of the logo's bytes."""


class Party(Frozen):
    """The buyer."""

    name: str
    company: str | None = None
    vat_number: str | None = None
    company_id: str | None = None
    address: Address | None = None
    delivery: Address | None = None

    @property
    def is_business(self) -> bool:
        return bool(self.company or self.vat_number or self.company_id)

    @property
    def sirene_numbers(self) -> tuple[str, str]:
        """Return the SIREN and the SIRET that the company number holds, each empty where it holds none. A number of
        another register may pass their check digits, so an address in France is required."""
        is_french = self.address is not None and self.address.country in OF_FRANCE
        return sirene_numbers(self.company_id or "") if is_french else ("", "")


class Item(Frozen):
    """A line of the document; `role` is line, shipping, extra or correction."""

    role: str
    description: str
    details: tuple[str, ...] = ()
    sku: str | None = None
    quantity: int = 1
    unit_price_minor: int
    unit_price_exact: str | None = None
    discount_minor: int = 0
    net_minor: int
    taxes: tuple[ChargedTax, ...]
    category: str

    @property
    def tax_minor(self) -> int:
        return sum(tax.tax_minor for tax in self.taxes)


class TaxGroup(Frozen):
    """Everything at one rate, in one category."""

    category: str
    rate_ppm: int
    label: str | None = None
    net_minor: int
    tax_minor: int


class Content(Frozen):
    """An issued invoice or credit note."""

    version: int = 1
    id: UUID
    kind: InvoiceKind
    number: str
    issued_on: date
    sold_on: date
    due_on: date
    locale: str
    currency: str
    order_id: UUID
    code: str
    source_reference: str | None = None
    corrects: str | None = None
    corrects_issued_on: date | None = None
    reason: str | None = None
    nature: str
    vat_on_debits: bool
    exemption_reason: str | None = None
    method: PaymentMethod
    prices_include_tax: bool
    seller: Seller
    buyer: Party
    items: tuple[Item, ...]
    groups: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    paid_minor: int = 0

    @property
    def due_minor(self) -> int:
        return self.total_minor - self.paid_minor


def canonical(content: Content) -> str:
    """Return the content as JSON, always the same text for the same content."""
    values = content.model_dump(mode="json", exclude_none=True)
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """Return the SHA-256 of a content's text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str) -> Content:
    """Return the content of its JSON."""
    return Content.model_validate_json(text)


def grouped(items: tuple[Item, ...]) -> tuple[TaxGroup, ...]:
    """Return the amounts of the items by category and rate. An item with several taxes is a base of each."""
    sums: dict[tuple[str, int, str | None], list[int]] = {}
    for item in items:
        for tax in item.taxes:
            found = sums.setdefault((item.category, tax.rate_ppm, tax.label), [0, 0])
            found[0] += item.net_minor
            found[1] += tax.tax_minor
    return tuple(
        TaxGroup(category=category, rate_ppm=rate, label=label, net_minor=net, tax_minor=tax)
        for (category, rate, label), (net, tax) in sums.items()
    )
