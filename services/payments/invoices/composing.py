"""Content of invoices and credit notes, from the sale, the shop's settings and the amount at stake. Pure.

An order's documents add up: invoices less credit notes are what the customer owes by the ledger. The first
document is the sale; every later one is the difference that the ledger then shows, divided by VAT rate. Tax is
divided cumulatively, so credit notes that take everything back take back exactly the tax that was charged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.payments.invoices import InvoiceKind, InvoicingSettings, VatRegime
from services.chassis.identifiers.numbers import compact, eu_vat_number, vat_number_form, vat_prefix
from services.chassis.identifiers.vat_territories import is_export, is_within_eu, vat_territory
from services.chassis.texts import is_blank, trimmed
from services.payments.invoices.correction_items import Correction, named_items, rate_items
from services.payments.invoices.document import (
    EXEMPT,
    EXPORT,
    INTRA_COMMUNITY,
    STANDARD,
    ZERO,
    Content,
    Item,
    Party,
    Seller,
    grouped,
)
from services.payments.invoices.items import item_of
from services.payments.invoices.mentions import exemption, printed
from services.payments.invoices.sale import SERVICES, Sale, SoldTo, named_units


@dataclass(frozen=True, slots=True)
class Heading:
    """What the series and the calendar give a document."""

    id: UUID
    number: str
    issued_on: date
    logo: str | None


def invoice(heading: Heading, sale: Sale, settings: InvoicingSettings, paid_minor: int) -> Content:
    """Return an order's invoice as the sale was made."""
    category = _category(sale, settings)
    items = tuple(item_of(part, sale, category) for part in sale.parts)
    return _content(heading, InvoiceKind.INVOICE, sale, settings, items, paid_minor=paid_minor)


def correction(
    heading: Heading,
    sale: Sale,
    settings: InvoicingSettings,
    before: Sequence[Content],
    what: Correction,
) -> Content:
    """Return a credit note, or an invoice for what is owed in addition, beside the documents before it.

    What is sold at no rate keeps the category that it was invoiced with.
    """
    invoiced = (item.category for content in before for item in content.items if item.category != STANDARD)
    category = next(invoiced, None) or _category(sale, settings)
    named = named_units(sale, what.lines, what.withdrawn)
    items = named_items(named, sale, category, before, what) or rate_items(
        named, sale, category, before, what
    )
    more = {"corrects": what.corrects, "corrects_issued_on": what.corrects_issued_on, "reason": what.reason}
    content = _content(heading, what.kind, sale, settings, items, paid_minor=0)
    return content.model_copy(update=more)


def _content(
    heading: Heading,
    kind: InvoiceKind,
    sale: Sale,
    settings: InvoicingSettings,
    items: tuple[Item, ...],
    paid_minor: int,
) -> Content:
    net_minor, tax_minor = sum(item.net_minor for item in items), sum(item.tax_minor for item in items)
    return Content(
        id=heading.id,
        kind=kind,
        number=heading.number,
        issued_on=heading.issued_on,
        sold_on=sale.placed_at.astimezone(ZoneInfo(settings.time_zone)).date(),
        due_on=heading.issued_on + timedelta(days=settings.payment_days),
        locale=sale.locale,
        currency=sale.currency,
        order_id=sale.order_id,
        code=sale.code,
        source_reference=sale.source_reference,
        nature=nature(sale),
        vat_on_debits=settings.vat_on_debits,
        exemption_reason=_exemption_reason(items, sale, settings),
        method=sale.method,
        prices_include_tax=sale.prices_include_tax,
        seller=_seller(settings, heading.logo),
        buyer=_party(sale.buyer),
        items=items,
        groups=grouped(items),
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        paid_minor=paid_minor,
    )


def nature(sale: Sale) -> str:
    """Return whether goods, services or both were sold."""
    kinds = {part.kind in SERVICES for part in sale.parts if part.kind is not None}
    if kinds == {True}:
        return "services"
    return "mixed" if True in kinds else "goods"


def _seller(settings: InvoicingSettings, logo: str | None) -> Seller:
    shown = printed(settings).model_dump(include=set(Seller.model_fields) - {"logo"})
    exempt = settings.vat_regime is VatRegime.FRANCHISE
    return Seller(**shown, is_exempt=exempt, logo=logo)


def _party(buyer: SoldTo) -> Party:
    """Return the buyer; a text of which nothing can be seen counts as none."""
    return Party(
        name=buyer.name,
        company=trimmed(buyer.company or "") or None,
        vat_number=vat_number_form(trimmed(buyer.vat_number or "")) or None,
        company_id=compact(trimmed(buyer.company_id or "")) or None,
        address=buyer.billing or buyer.delivery,
        delivery=buyer.delivery if buyer.billing else None,
    )


def _category(sale: Sale, settings: InvoicingSettings) -> str:
    """Return the VAT category of what is sold at no rate. A buyer's VAT number that can't be one exempts nothing."""
    if settings.vat_regime is VatRegime.FRANCHISE:
        return EXEMPT
    place = sale.buyer.delivery or sale.buyer.billing
    origin = vat_territory(settings.country, settings.postal_code)
    destination = vat_territory(place.country, place.postal_code) if place else origin
    if nature(sale) == "goods" and is_export(origin, destination):
        return EXPORT
    number = eu_vat_number(sale.buyer.vat_number, destination)
    is_intra_community = nature(sale) == "goods" and is_within_eu(origin, destination)
    if is_intra_community and number and number[:2] != vat_prefix(origin):
        return INTRA_COMMUNITY
    return ZERO if is_blank(settings.exemption_reason) else EXEMPT


def _exemption_reason(items: Sequence[Item], sale: Sale, settings: InvoicingSettings) -> str | None:
    """Return why some of it bears no VAT, if some does not."""
    found = next((item.category for item in items if item.category not in (STANDARD, ZERO)), None)
    if found is None:
        return None
    if found == EXEMPT and settings.vat_regime is VatRegime.NORMAL:
        return trimmed(settings.exemption_reason)
    return exemption(found, settings.country, sale.locale)
