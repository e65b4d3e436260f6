"""What an accountant wants to know of an order beside its total: VAT by rate, delivery, the customer's country. Pure.

Invariant: the VAT of the rates adds up to the order's VAT to the cent. As long as the lines are those of the sale, that
is the sale's own; what rounding leaves between it and the rates goes to the rate with the largest amount.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one order, in minor units. `vat`: by rate in basis points."""

    country: str | None
    tax_minor: int
    shipping_minor: int
    vat: Mapping[int, int]


def facts_of(lines: Iterable[tuple[int, int]], total_minor: int, sale: Mapping[str, Any]) -> Facts:
    """The facts of an order with these lines (rate, total) now, from its sale as JSON."""
    now = list(lines)
    totals = sale.get("totals") or _NOTHING
    is_as_sold = (sum(amount for _, amount in now), total_minor) == (
        totals.get("lines_minor"),
        totals.get("total_minor"),
    )
    vat = vat_by_rate(now, sale, totals.get("tax_minor", 0) if is_as_sold else None)
    address = sale.get("billing_address") or sale.get("shipping_address") or _NOTHING
    shipping = (sale.get("shipping") or _NOTHING).get("amount_minor", 0)
    return Facts(address.get("country"), sum(vat.values()), shipping, vat)


def vat_by_rate(
    lines: Iterable[tuple[int, int]], sale: Mapping[str, Any], tax_minor: int | None
) -> dict[int, int]:
    """VAT by rate of lines (rate, total) with the delivery and the charges of their sale; `tax_minor` is their sum, if
    that is known."""
    gross: dict[int, int] = {}
    beside = [sale["shipping"]] if sale.get("shipping") else []
    beside += sale.get("extra_lines") or []
    for rate, amount in (*lines, *((one.get("vat_rate", 0), one["amount_minor"]) for one in beside)):
        gross[rate] = gross.get(rate, 0) + amount
    includes = sale.get("prices_include_tax", True)
    found = {rate: _vat(amount, rate, includes) for rate, amount in gross.items() if rate}
    left = 0 if tax_minor is None else tax_minor - sum(found.values())
    if left:
        largest = max(found, key=lambda rate: abs(gross[rate]), default=0)
        found[largest] = found.get(largest, 0) + left
    return found


def _vat(amount: int, rate: int, includes: bool) -> int:
    whole = 10_000 + rate if includes else 10_000
    return (2 * amount * rate + whole) // (2 * whole)
