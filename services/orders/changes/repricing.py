"""Prices and taxes of a line, shipping or an extra line after an edit changed quantity, price or rate. Pure.

The total and the tax of the existing part are facts of the sender. Fewer units at the same price are a
portion of both, so that the kept and the removed part sum to the whole; only parts to which an edit gives a
new price follow from price and rate.
"""

from typing import Any, TypeVar

from contracts.portions import portion
from contracts.sale import ExtraLine, Shipping
from contracts.taxation import charge_of, taxes_at
from services.orders.order.totals.content import ContentLine

E = TypeVar("E", Shipping, ExtraLine)


def repriced(base: ContentLine, terms: ContentLine, quantity: int, *, includes_tax: bool) -> ContentLine:
    """Return `terms` for this many units.

    `base` is the existing line: its total and tax are those of its quantity.
    """
    if quantity == 0:
        return terms.model_copy(
            update={"quantity": 0, "discount_minor": 0, "total_minor": 0} | _no_tax(terms)
        )
    is_same_price = terms.unit_price_minor == base.unit_price_minor and base.quantity > 0
    if is_same_price:
        gross = portion(base.total_minor + base.discount_minor, quantity, base.quantity)
    else:
        gross = quantity * terms.unit_price_minor
    total = gross - terms.discount_minor
    is_part = is_same_price and quantity <= base.quantity
    update = {
        "quantity": quantity,
        "total_minor": total,
        "unit_price_exact": base.unit_price_exact if is_same_price else None,
    }
    if terms.vat_rate != base.vat_rate:
        update |= {"tax_minor": None, "taxes": None}
    else:
        update |= _taxed(base, base.total_minor, total, is_part=is_part, includes_tax=includes_tax)
    return terms.model_copy(update=update)


def carried_over(current: E | None, requested: E, *, includes_tax: bool) -> E:
    """Return `asked` with the tax of the existing shipping or extra line, as far as it is unchanged."""
    if current is None or requested.vat_rate != current.vat_rate:
        return requested
    if requested.tax_minor is not None or requested.taxes is not None:
        return requested
    is_same = requested.amount_minor == current.amount_minor
    if is_same:
        return requested.model_copy(update={"tax_minor": current.tax_minor, "taxes": current.taxes})
    taxes = _taxed(
        current, current.amount_minor, requested.amount_minor, is_part=False, includes_tax=includes_tax
    )
    return requested.model_copy(update=taxes)


def _taxed(part: Any, before: int, after: int, *, is_part: bool, includes_tax: bool) -> dict[str, Any]:
    """Return the fields of the tax on `after`, computed from that of `part` on `before`: a portion, or by its
    rates.
    """
    charge = charge_of(part.__dict__, before)
    if charge.taxes is None:
        return {"tax_minor": None, "taxes": None}
    if before and (is_part or not any(charge.rates)):
        found = tuple(_in_proportion(tax, after, before) for tax in charge.taxes)
    else:
        found = taxes_at(after, charge.rates, includes_tax=includes_tax)
    if not part.taxes:
        return {"tax_minor": sum(found), "taxes": None}
    taxes = [
        tax.model_copy(update={"tax_minor": minor}) for tax, minor in zip(part.taxes, found, strict=True)
    ]
    return {"tax_minor": sum(found), "taxes": taxes}


def _in_proportion(tax: int, after: int, before: int) -> int:
    return portion(tax, after, before) if before > 0 else portion(tax, -after, -before)


def _no_tax(line: ContentLine) -> dict[str, Any]:
    return {} if line.tax_minor is None and line.taxes is None else {"tax_minor": 0, "taxes": None}
