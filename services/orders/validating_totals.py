"""Whether the totals of a submitted sale add up to the minor unit. Pure; no tolerance but rounding of tax.

Tax may be rounded per line or per rate, in either direction: the total tax must lie between all components
rounded down and all rounded up, which is exactly what those ways of rounding can reach.
"""

from collections.abc import Iterator

from contracts.message import Reason
from contracts.storefront import OrderSubmitted
from services.orders.amounts import written

LARGEST_AMOUNT_MINOR = 10**13
"""A sale beyond this is a mistake of unit; sums of many ledger entries still fit the wire's numbers."""
_WHOLE = 10_000


def faults_of_totals(sale: OrderSubmitted) -> Iterator[Reason]:
    """Every fault of the totals, the tax and the size of the amounts."""
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
    """The least and the most total tax, in minor units, that rounding per line or per rate can give."""
    taxed = [(line.total_minor, line.vat_rate) for line in sale.lines if line.vat_rate]
    taxed += [(extra.amount_minor, extra.vat_rate) for extra in sale.extra_lines if extra.vat_rate]
    if sale.shipping is not None and sale.shipping.vat_rate:
        taxed.append((sale.shipping.amount_minor, sale.shipping.vat_rate))
    least = most = 0
    for amount, rate in taxed:
        whole = _WHOLE + rate if sale.prices_include_tax else _WHOLE
        least += amount * rate // whole
        most -= -amount * rate // whole
    return least, most


def _faults_of_tax(sale: OrderSubmitted) -> Iterator[Reason]:
    least, most = tax_bounds(sale)
    if not least <= sale.totals.tax_minor <= most:
        between = written(least, sale.currency)
        if most > least:
            between += f" to {written(most, sale.currency)}, depending on rounding"
        yield Reason(
            code="tax_inconsistent",
            message=f"totals.tax_minor is {written(sale.totals.tax_minor, sale.currency)}, but the VAT "
            f"rates sent give {between}; correct the tax or the rates.",
            field="totals.tax_minor",
        )


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
        if abs(amount) > LARGEST_AMOUNT_MINOR:
            yield Reason(
                code="amount_too_large",
                message=f"{written(amount, sale.currency)} is beyond {LARGEST_AMOUNT_MINOR} minor units; "
                "check the amount and its unit.",
                field=path,
            )


def _amounts(sale: OrderSubmitted) -> Iterator[tuple[str, int]]:
    yield "totals.total_minor", sale.totals.total_minor
    yield "totals.tax_minor", sale.totals.tax_minor
    for index, line in enumerate(sale.lines):
        if max(abs(line.total_minor), abs(line.unit_price_minor)) > LARGEST_AMOUNT_MINOR:
            yield f"lines[{index}].total_minor", line.total_minor
            yield f"lines[{index}].unit_price_minor", line.unit_price_minor
    for index, extra in enumerate(sale.extra_lines):
        yield f"extra_lines[{index}].amount_minor", extra.amount_minor
