"""Validation of a submitted sale's totals, to the minor unit. Pure; no tolerance except rounding of tax.

A tax stated by the sender is a fact. Where it sent only a rate, the tax may have been rounded per piece, per
line or per rate, in either direction: the order's tax must lie between the sum of all rounded down and that
of all rounded up.
"""

from collections.abc import Iterator
from typing import Protocol

from contracts.message import Reason
from contracts.money import LARGEST_AMOUNT_MINOR
from contracts.sale import ExtraLine, Shipping, SubmittedLine, Tax
from contracts.storefront import OrderSubmitted
from services.orders.order.totals.amounts import faults_of_size, written

_WHOLE = 10_000
_LARGEST_CASH_ROUNDING = 10
"""Largest rounding of a cash total, in minor units: a difference up to this size gets a hint about cash
rounding.
"""


def faults_of_totals(sale: OrderSubmitted) -> Iterator[Reason]:
    """Return every fault of the totals, the tax and the size of the amounts."""
    yield from _faults_of_sums(sale)
    yield from _faults_of_tax(sale)
    yield from _faults_of_signs(sale)
    yield from _faults_of_size(sale)


def _faults_of_sums(sale: OrderSubmitted) -> Iterator[Reason]:
    totals = sale.totals
    lines = sum(line.total_minor for line in sale.lines)
    shipping = sale.shipping.amount_minor if sale.shipping else 0
    extras = sum(extra.amount_minor for extra in sale.extra_lines)
    total = totals.lines_minor + totals.shipping_minor + totals.extras_minor
    if not sale.prices_include_tax:
        total += totals.tax_minor
    for name, sent, counted, what in (
        ("lines_minor", totals.lines_minor, lines, "the lines' totals"),
        ("shipping_minor", totals.shipping_minor, shipping, "shipping"),
        ("extras_minor", totals.extras_minor, extras, "the extra lines"),
        ("total_minor", totals.total_minor, total, "lines, shipping, extras and tax added to prices"),
    ):
        if sent != counted:
            yield Reason(
                code="totals_do_not_add_up",
                message=f"totals.{name} is {written(sent, sale.currency)}, but {what} come to "
                f"{written(counted, sale.currency)}; send the sum.",
                field=f"totals.{name}",
            )


def tax_bounds(sale: OrderSubmitted) -> tuple[int, int]:
    """Return the least and the greatest total tax, in minor units, that rounding per piece, per line or per
    rate can give.
    """
    least = most = stated = 0
    for part, amount, quantity, discount in _parts(sale):
        if (taxes := _stated(part)) is not None:
            least, most, stated = least + sum(taxes), most + sum(taxes), stated + len(taxes)
            continue
        low, high = _tax_bounds(amount, quantity, discount, part.vat_rate, sale.prices_include_tax)
        least, most = least + low, most + high
    return least - stated // 2, most + stated // 2


def _parts(sale: OrderSubmitted) -> Iterator[tuple[SubmittedLine | Shipping | ExtraLine, int, int, int]]:
    """Return each taxable part: the part, its amount, its pieces and the discount in the amount."""
    for line in sale.lines:
        yield line, line.total_minor, abs(line.quantity), line.discount_minor
    if sale.shipping is not None:
        yield sale.shipping, sale.shipping.amount_minor, 1, 0
    for extra in sale.extra_lines:
        yield extra, extra.amount_minor, 1, 0


def _stated(part: SubmittedLine | Shipping | ExtraLine) -> list[int] | None:
    """Return the taxes that the sender stated for a part, without those of 0."""
    if part.taxes:
        return [tax.tax_minor for tax in part.taxes if tax.tax_minor]
    if part.tax_minor is None:
        return None
    return [part.tax_minor] if part.tax_minor else []


def _tax_bounds(amount: int, quantity: int, discount: int, rate: int, includes_tax: bool) -> tuple[int, int]:
    """Return the least and the greatest tax of one part: as a line, per piece, and per piece before a
    discount.
    """
    whole = _WHOLE + rate if includes_tax else _WHOLE
    least, most = amount * rate // whole, -(-amount * rate // whole)
    if quantity > 1 and rate:
        pieces = quantity * whole
        gross = amount + discount
        low, high = quantity * (gross * rate // pieces), -quantity * (-gross * rate // pieces)
        off_low, off_high = discount * rate // whole, -(-discount * rate // whole)
        least = min(least, quantity * (amount * rate // pieces), low - off_high)
        most = max(most, -quantity * (-amount * rate // pieces), high - off_low)
    return least, most


def _faults_of_tax(sale: OrderSubmitted) -> Iterator[Reason]:
    least, most = tax_bounds(sale)
    tax, currency = sale.totals.tax_minor, sale.currency
    if not least <= tax <= most:
        between = written(least, currency)
        if most > least:
            between += f" to {written(most, currency)}, depending on rounding"
        yield Reason(
            code="tax_inconsistent",
            message=f"totals.tax_minor is {written(tax, currency)}, but the VAT rates and taxes of lines, shipping and "
            f"extra lines give {between}; correct the tax or the rates, or send the tax of each as its tax_minor."
            f"{_way_out(sale, tax - (most if tax > most else least))}",
            field="totals.tax_minor",
        )
    for path, part, amount in _named_parts(sale):
        yield from faults_of_stated_tax(path, part, amount, currency)


def _way_out(sale: OrderSubmitted, beyond: int) -> str:
    """Return the usual cause of a tax outside its bounds, and how to send it correctly."""
    words = ""
    rates = {line.vat_rate for line in sale.lines}
    if len(rates) > 1 and any(extra.amount_minor < 0 for extra in sale.extra_lines):
        words += " A discount over lines of several rates is one extra line per rate, each with its share."
    if abs(beyond) <= _LARGEST_CASH_ROUNDING:
        words += (
            f" If the total was rounded for cash, send {written(beyond, sale.currency)} as an extra line without "
            "VAT and the tax as it is."
        )
    return words


def _named_parts(sale: OrderSubmitted) -> Iterator[tuple[str, SubmittedLine | Shipping | ExtraLine, int]]:
    for index, line in enumerate(sale.lines):
        yield f"lines[{index}]", line, line.total_minor
    if sale.shipping is not None:
        yield "shipping", sale.shipping, sale.shipping.amount_minor
    for index, extra in enumerate(sale.extra_lines):
        yield f"extra_lines[{index}]", extra, extra.amount_minor


class Taxed(Protocol):
    """Part of a sale that may state its tax."""

    @property
    def tax_minor(self) -> int | None: ...
    @property
    def taxes(self) -> list[Tax] | None: ...


def faults_of_stated_tax(path: str, part: Taxed, amount: int, currency: str) -> Iterator[Reason]:
    """Return the faults of the tax stated for an amount."""
    if part.tax_minor is None and not part.taxes:
        return
    summed = sum(tax.tax_minor for tax in part.taxes or ())
    tax = summed if part.tax_minor is None else part.tax_minor
    if part.taxes and tax != summed:
        yield Reason(
            code="taxes_do_not_add_up",
            message=f"The tax is {written(tax, currency)}, but its taxes come to {written(summed, currency)}; "
            "send their sum, or leave tax_minor out.",
            field=f"{path}.tax_minor",
        )
    for one in [tax, *(each.tax_minor for each in part.taxes or ())]:
        if abs(one) > abs(amount) or one * amount < 0:
            yield Reason(
                code="tax_above_amount",
                message=f"The tax is {written(one, currency)} on an amount of {written(amount, currency)}; send the "
                "tax in it or on top of it, with the same sign and not more than the amount.",
                field=f"{path}.tax_minor",
            )
            return


def _faults_of_signs(sale: OrderSubmitted) -> Iterator[Reason]:
    if sale.totals.total_minor < 0:
        yield Reason(
            code="total_negative",
            message=f"The total is {written(sale.totals.total_minor, sale.currency)}; an order "
            "cannot owe the customer from the start, send 0 or more.",
            field="totals.total_minor",
        )
    if sale.shipping is not None and sale.shipping.amount_minor < 0:
        yield Reason(
            code="shipping_negative",
            message=f"Shipping is {written(sale.shipping.amount_minor, sale.currency)}; send 0 or more, "
            "and a discount as an extra line.",
            field="shipping.amount_minor",
        )


def _faults_of_size(sale: OrderSubmitted) -> Iterator[Reason]:
    for path, amount in _amounts(sale):
        yield from faults_of_size(amount, sale.currency, path)


def _amounts(sale: OrderSubmitted) -> Iterator[tuple[str, int]]:
    yield "totals.total_minor", sale.totals.total_minor
    yield "totals.tax_minor", sale.totals.tax_minor
    for index, line in enumerate(sale.lines):
        if max(abs(line.total_minor), abs(line.unit_price_minor)) > LARGEST_AMOUNT_MINOR:
            yield f"lines[{index}].total_minor", line.total_minor
            yield f"lines[{index}].unit_price_minor", line.unit_price_minor
    for index, extra in enumerate(sale.extra_lines):
        yield f"extra_lines[{index}].amount_minor", extra.amount_minor
