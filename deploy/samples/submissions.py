"""Writing an `OrderSubmitted` as a storefront does: lines, charges and totals that add up to the cent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from contracts.sale import ExtraLine, LineKind, Shipping, SubmittedLine, Totals
from contracts.storefront import OrderSubmitted


class Charged(Protocol):
    """What a customer pays for: a line, or an extra line's equivalent."""

    @property
    def total_minor(self) -> int: ...

    @property
    def vat_rate(self) -> int: ...


@dataclass(frozen=True)
class Charge:
    """An amount and the rate of the VAT that it includes, in basis points."""

    total_minor: int
    vat_rate: int


def line(
    kind: LineKind,
    description: str,
    quantity: int,
    unit_price_minor: int,
    *,
    vat_rate: int = 0,
    discount_minor: int = 0,
    **more: Any,
) -> SubmittedLine:
    """Return a line whose total is right: quantity × unit price − discount."""
    return SubmittedLine(
        kind=kind,
        description=description,
        quantity=quantity,
        unit_price_minor=unit_price_minor,
        discount_minor=discount_minor,
        total_minor=quantity * unit_price_minor - discount_minor,
        vat_rate=vat_rate,
        **more,
    )


def totals(
    lines: Sequence[Charged], shipping: Shipping | None = None, extra_lines: Sequence[ExtraLine] = ()
) -> Totals:
    """Return the totals of a sale whose prices include VAT; VAT is taken out once per rate, halves rounded up."""
    lines_minor = sum(each.total_minor for each in lines)
    shipping_minor = shipping.amount_minor if shipping else 0
    extras_minor = sum(each.amount_minor for each in extra_lines)
    return Totals(
        lines_minor=lines_minor,
        shipping_minor=shipping_minor,
        extras_minor=extras_minor,
        tax_minor=included_vat_minor(lines, shipping, extra_lines),
        total_minor=lines_minor + shipping_minor + extras_minor,
    )


def included_vat_minor(
    lines: Sequence[Charged], shipping: Shipping | None, extra_lines: Sequence[ExtraLine]
) -> int:
    """Return the VAT contained in gross amounts, by rate."""
    gross: defaultdict[int, int] = defaultdict(int)
    for each in lines:
        gross[each.vat_rate] += each.total_minor
    for extra in extra_lines:
        gross[extra.vat_rate] += extra.amount_minor
    if shipping:
        gross[shipping.vat_rate] += shipping.amount_minor
    return sum((2 * amount * rate + 10_000 + rate) // (2 * (10_000 + rate)) for rate, amount in gross.items())


def submission(
    *,
    lines: Sequence[SubmittedLine],
    submitted_at: datetime,
    shipping: Shipping | None = None,
    extra_lines: Sequence[ExtraLine] = (),
    **more: Any,
) -> OrderSubmitted:
    """Return the message, with totals worked out from its parts."""
    return OrderSubmitted(
        lines=list(lines),
        shipping=shipping,
        extra_lines=list(extra_lines),
        totals=totals(lines, shipping, extra_lines),
        submitted_at=submitted_at,
        **more,
    )
