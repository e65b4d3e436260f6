"""Accounting facts of an order besides its total: VAT by rate, delivery, the customer's country. Pure.

Invariant: the VAT of the rates sums to the order's VAT to the cent (`contracts/taxation.py`). As long as the
lines are those of the sale or of its last edit, that is the order's own VAT.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.taxation import Charge, charge_of, taxes_of

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Facts:
    """Accounting facts of one order, in minor units.

    `vat` is by rate in millionths; key 0 holds a tax without a stated rate.
    """

    country: str | None
    tax_minor: int
    shipping_minor: int
    vat: Mapping[int, int]


def facts_of(lines: Iterable[Charge], total_minor: int, sale: Mapping[str, Any]) -> Facts:
    """Return the facts of an order with these current lines, from its sale as JSON."""
    now = list(lines)
    totals = sale.get("totals") or _NOTHING
    is_as_sold = (sum(line.amount for line in now), total_minor) == (
        totals.get("lines_minor"),
        totals.get("total_minor"),
    )
    vat = vat_by_rate(now, sale, totals.get("tax_minor", 0) if is_as_sold else None)
    address = sale.get("billing_address") or sale.get("shipping_address") or _NOTHING
    shipping = (sale.get("shipping") or _NOTHING).get("amount_minor", 0)
    return Facts(address.get("country"), sum(vat.values()), shipping, vat)


def vat_by_rate(lines: Sequence[Charge], sale: Mapping[str, Any], tax_minor: int | None) -> dict[int, int]:
    """Return the VAT by rate of the lines, the delivery and the charges of their sale; `tax_minor` is their
    sum, if known.
    """
    extra = [sale["shipping"]] if sale.get("shipping") else []
    extra += sale.get("extra_lines") or []
    charges = [*lines, *(charge_of(one, one["amount_minor"]) for one in extra)]
    found: dict[int, int] = {}
    taxes = taxes_of(charges, tax_minor, includes_tax=sale.get("prices_include_tax", True))
    for charge, of_charge in zip(charges, taxes, strict=True):
        for rate, tax in zip(charge.rates, of_charge, strict=True):
            if rate or tax:
                found[rate] = found.get(rate, 0) + tax
    return found
