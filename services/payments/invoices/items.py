"""Items of invoices and credit notes, and their sums by VAT rate. Pure."""

from collections.abc import Sequence

from contracts.payments.invoices import InvoiceKind
from services.payments.invoices.document import (
    STANDARD,
    Content,
    Item,
)
from services.payments.invoices.sale import (
    ChargedTax,
    NamedUnits,
    Sale,
    SoldPart,
    net,
)

Rate = tuple[str, tuple[tuple[int, str | None], ...]]
"""Category, and the rates with their labels: what may stand in one item of a correction."""


def balance(documents: Sequence[Content]) -> int:
    """Return invoices less credit notes, with tax, in minor units."""
    return sum(sign_of(one) * one.total_minor for one in documents)


def item_of(part: SoldPart, sale: Sale, category: str) -> Item:
    details = [f"{name} : {value}" if sale.locale.startswith("fr") else f"{name}: {value}"
               for name, value in part.options.items()]  # fmt: skip
    return Item(
        role=part.role,
        description=part.description,
        details=tuple(details),
        sku=part.sku,
        quantity=part.quantity,
        unit_price_minor=part.unit_price_minor,
        unit_price_exact=part.unit_price_exact,
        discount_minor=part.discount_minor,
        net_minor=net(part, sale.prices_include_tax),
        taxes=part.taxes,
        category=_category_of(part.taxes, category),
    )


def _category_of(taxes: Sequence[ChargedTax], category: str) -> str:
    return STANDARD if any(tax.rate_ppm or tax.tax_minor for tax in taxes) else category


def unit_item(named: NamedUnits, cost: int, sale: Sale, category: str) -> Item:
    taxes = tuple(
        tax.model_copy(update={"tax_minor": named.share(tax.tax_minor)}) for tax in named.part.taxes
    )
    return item_of(named.part, sale, category).model_copy(
        update={
            "quantity": named.count,
            "discount_minor": named.share(named.part.discount_minor),
            "net_minor": cost - sum(tax.tax_minor for tax in taxes),
            "taxes": taxes,
        }
    )


def invoiced_by_rate(documents: Sequence[Content]) -> dict[Rate, tuple[int, tuple[int, ...]]]:
    """Return what is invoiced and not credited, with its taxes, by rate; with tax, in minor units."""
    return sums_by_rate([(item, sign_of(one)) for one in documents for item in one.items])


def sums_by_rate(items: Sequence[tuple[Item, int]]) -> dict[Rate, tuple[int, tuple[int, ...]]]:
    found: dict[Rate, tuple[int, tuple[int, ...]]] = {}
    for item, sign in items:
        rate = rate_of(item)
        amount, taxes = found.get(rate, (0, (0,) * len(item.taxes)))
        added = tuple(a + sign * b.tax_minor for a, b in zip(taxes, item.taxes, strict=True))
        found[rate] = (amount + sign * (item.net_minor + item.tax_minor), added)
    return found


def rate_of(item: Item) -> Rate:
    return item.category, tuple((tax.rate_ppm, tax.label) for tax in item.taxes)


def sign_of(document: Content) -> int:
    return 1 if document.kind is InvoiceKind.INVOICE else -1
