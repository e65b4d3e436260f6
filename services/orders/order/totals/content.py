"""Content of a placed order: lines, shipping, extra lines, customer, addresses and totals.

Pure. Invariant: the totals are the sums of the lines, the shipping, the extra lines and of their taxes, to
the minor unit, so that an edited order adds up exactly like a submitted one; and `worth` is one function of
the units still wanted, so that credits for parts of an order sum to the credit for the whole. A line's total
and tax are facts: neither is computed from the unit price or the rate unless an edit changes those.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import Field

from contracts.message import Count, Currency, Part, Tally, Text
from contracts.orders.lifecycle import Buyer, PlacedLine
from contracts.portions import portion
from contracts.sale import Address, Customer, ExtraLine, PaymentChoice, PaymentMethod, Shipping, Totals
from contracts.storefront import OrderSubmitted
from contracts.taxation import Charge, charges_of, taxes_of

Units = Mapping[int, int]
"""Quantities by line number."""
P = TypeVar("P", PlacedLine, Shipping, ExtraLine)


class ContentLine(PlacedLine):
    """Current state of a line; 0 units when an edit removed it. `reduced`: units removed by edits."""

    quantity: Count
    reduced: Tally = 0


class Content(Part):
    """Current content of a sale, without IP address and browser."""

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
        """Return the line with this number."""
        return next((line for line in self.lines if line.line == number), None)

    def present(self) -> list[ContentLine]:
        """Return the lines that were not removed."""
        return [line for line in self.lines if line.quantity > 0]

    def buyer(self) -> Buyer:
        """Return the customer in the form the other services use."""
        who = self.customer
        return Buyer(
            name=who.name,
            email=who.email,
            phone=who.phone,
            company=who.company,
            vat_number=who.vat_number,
            company_id=who.company_id,
        )

    def as_sale(self) -> OrderSubmitted:
        """Return the content as a submission, to check it by the rules for submissions."""
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


def totals_of(content: Content) -> Totals:
    """Return the totals of lines, shipping and extra lines; a tax that is not stated follows from its rate."""
    tax = sum(map(sum, taxes_of(charges(content), None, includes_tax=content.prices_include_tax)))
    return _totals(
        sum(line.total_minor for line in content.present()),
        content.shipping.amount_minor if content.shipping else 0,
        sum(extra.amount_minor for extra in content.extra_lines),
        tax,
        includes_tax=content.prices_include_tax,
    )


def counted(content: Content) -> Content:
    """Return the content with its totals counted and every tax stated, as an edit leaves it."""
    return with_taxes_stated(content.model_copy(update={"totals": totals_of(content)}))


def with_taxes_stated(content: Content) -> Content:
    """Return the content with the tax of every line, shipping and extra line stated; they sum to its totals' tax."""
    found = iter(
        taxes_of(charges(content), content.totals.tax_minor, includes_tax=content.prices_include_tax)
    )
    lines = [_stated(line, next(found)) if line.quantity else line for line in content.lines]
    shipping = _stated(content.shipping, next(found)) if content.shipping else None
    extras = [_stated(extra, next(found)) for extra in content.extra_lines]
    return content.model_copy(update={"lines": lines, "shipping": shipping, "extra_lines": extras})


def worth(content: Content, remaining: Units) -> int:
    """Return what the units still wanted cost with shipping and extra lines; nothing when none is wanted.

    A line's share, and that of its tax, is the portion of its units. So what several cancellations credit is, whatever
    their sizes, what one would have credited: shipping and extra lines go with the last unit.
    """
    present = content.present()
    units = {line.line: max(0, remaining.get(line.line, 0)) for line in present}
    if not any(units.values()):
        return 0
    kept = sum(portion(line.total_minor, units[line.line], line.quantity) for line in present)
    kept += content.shipping.amount_minor if content.shipping else 0
    kept += sum(extra.amount_minor for extra in content.extra_lines)
    if content.prices_include_tax:
        return max(0, kept)
    taxes = taxes_of(charges(content), content.totals.tax_minor, includes_tax=False)
    for line, tax in zip(present, taxes, strict=False):
        kept += sum(portion(one, units[line.line], line.quantity) for one in tax)
    return max(0, kept + sum(map(sum, taxes[len(present) :])))


def _totals(lines: int, shipping: int, extras: int, tax: int, *, includes_tax: bool) -> Totals:
    return Totals(
        lines_minor=lines,
        shipping_minor=shipping,
        extras_minor=extras,
        tax_minor=tax,
        total_minor=lines + shipping + extras + (0 if includes_tax else tax),
    )


def charges(content: Content) -> list[Charge]:
    """Return the amounts of the content with their taxes: lines that were not removed, shipping, extra lines."""
    return charges_of(content.present(), content.shipping, content.extra_lines)


def _stated(part: P, taxes: tuple[int, ...]) -> P:
    """Return a copy of a line, shipping or an extra line with these taxes as facts."""
    update: dict[str, Any] = {"tax_minor": sum(taxes)}
    if parts := getattr(part, "taxes", None):
        update["taxes"] = [
            tax.model_copy(update={"tax_minor": minor}) for tax, minor in zip(parts, taxes, strict=True)
        ]
    return part.model_copy(update=update)
