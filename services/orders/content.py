"""What a placed order holds: lines, shipping, extra lines, who buys and where it goes, and what that comes to.

Pure. Invariant: the totals are one function of the lines, the shipping and the extra lines, to the minor unit, so that
an edited order adds up exactly like a submitted one; and `worth` is one function of the units still wanted, so that
credits for parts of an order sum up to the credit for the whole.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from contracts.message import Count, Currency, Part, Tally, Text
from contracts.orders import Buyer, PlacedLine
from contracts.storefront import (
    Address,
    Customer,
    ExtraLine,
    OrderSubmitted,
    PaymentChoice,
    PaymentMethod,
    Shipping,
    Totals,
)

_WHOLE = 10_000
Units = Mapping[int, int]
"""Quantities by line number."""
Taxed = tuple[int, int]
"""An amount in minor units and its VAT rate in basis points."""


class ContentLine(PlacedLine):
    """A line as the order now says; 0 units when an edit removed it. `reduced`: units that edits took off."""

    quantity: Count
    reduced: Tally = 0


class Content(Part):
    """A sale as it stands now. IP address and browser are no part of it."""

    currency: Currency
    prices_include_tax: bool = True
    method: PaymentMethod
    customer: Customer
    billing_address: Address | None = None
    shipping_address: Address | None = None
    lines: list[ContentLine]
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = Field(default_factory=list)
    totals: Totals
    note: Text | None = None

    def line(self, number: int) -> ContentLine | None:
        """The line of this number."""
        return next((line for line in self.lines if line.line == number), None)

    def present(self) -> list[ContentLine]:
        """The lines that were not removed."""
        return [line for line in self.lines if line.quantity > 0]

    def buyer(self) -> Buyer:
        """The customer as the other services know them."""
        who = self.customer
        return Buyer(name=who.name, email=who.email, phone=who.phone, company=who.company)

    def as_sale(self) -> OrderSubmitted:
        """The content as a submission, for the rules that submissions are checked with."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _SALE}
        fields |= {"lines": self.present(), "payment": PaymentChoice(method=self.method)}
        return OrderSubmitted.model_construct(**fields)


_SALE = (
    "currency",
    "prices_include_tax",
    "customer",
    "billing_address",
    "shipping_address",
    "shipping",
    "extra_lines",
    "totals",
    "note",
)


def totals_of(content: Content, *, per_line: bool = False) -> Totals:
    """What the lines, shipping and extra lines come to."""
    lines = sum(line.total_minor for line in content.present())
    shipping = content.shipping.amount_minor if content.shipping else 0
    extras = sum(extra.amount_minor for extra in content.extra_lines)
    tax = tax_of(_taxed(content), includes_tax=content.prices_include_tax, per_line=per_line)
    return Totals(
        lines_minor=lines,
        shipping_minor=shipping,
        extras_minor=extras,
        tax_minor=tax,
        total_minor=lines + shipping + extras + (0 if content.prices_include_tax else tax),
    )


def tax_of(taxed: Iterable[Taxed], *, includes_tax: bool, per_line: bool) -> int:
    """The tax in, or on top of, these amounts: rounded half up, once per rate or once per amount."""
    sums: dict[int, int] = {}
    total = 0
    for amount, rate in taxed:
        if per_line:
            total += _share(amount, rate, includes_tax=includes_tax)
        else:
            sums[rate] = sums.get(rate, 0) + amount
    return total + sum(_share(amount, rate, includes_tax=includes_tax) for rate, amount in sums.items())


def worth(content: Content, remaining: Units) -> int:
    """What the units still wanted cost with shipping and extra lines; nothing when none is wanted.

    A line's share is its total in proportion, rounded half up. So what several cancellations credit is, whatever
    their sizes, what one would have credited: shipping and extra lines go with the last unit.
    """
    units = {line.line: max(0, remaining.get(line.line, 0)) for line in content.present()}
    if not any(units.values()):
        return 0
    if all(units[line.line] == line.quantity for line in content.present()):
        return max(0, content.totals.total_minor)
    kept = [
        line.model_copy(update={"total_minor": _part(line.total_minor, units[line.line], line.quantity)})
        for line in content.present()
    ]
    totals = totals_of(content.model_copy(update={"lines": kept}), per_line=rounds_per_line(content))
    return max(0, totals.total_minor)


def rounds_per_line(content: Content) -> bool:
    """Whether the totals' tax is rounded per line; per rate when both, or neither, give it."""
    taxed = _taxed(content)
    taxes = {
        per_line: tax_of(taxed, includes_tax=content.prices_include_tax, per_line=per_line)
        for per_line in (False, True)
    }
    return taxes[False] != content.totals.tax_minor == taxes[True]


def _taxed(content: Content) -> list[Taxed]:
    taxed = [(line.total_minor, line.vat_rate) for line in content.present()]
    taxed += [(extra.amount_minor, extra.vat_rate) for extra in content.extra_lines]
    if content.shipping is not None:
        taxed.append((content.shipping.amount_minor, content.shipping.vat_rate))
    return taxed


def _share(amount: int, rate: int, *, includes_tax: bool) -> int:
    return _part(amount, rate, _WHOLE + rate if includes_tax else _WHOLE)


def _part(amount: int, part: int, whole: int) -> int:
    return (2 * amount * part + whole) // (2 * whole)
