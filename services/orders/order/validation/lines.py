"""Validation of the lines of a submitted sale. Pure.

Each fault is a reason with both values and the remedy; none hides another.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from contracts.message import Reason
from contracts.money import exponent, is_known
from contracts.sale import LineKind, SubmittedLine
from contracts.storefront import OrderSubmitted
from contracts.timestamps import RANGE, is_in_range
from services.orders.order.totals.amounts import written

MOST_UNITS = 1_000_000
"""Largest quantity of a line in any message."""


def faults_of_lines(sale: OrderSubmitted) -> Iterator[Reason]:
    """Return every fault of the lines."""
    if not sale.lines:
        yield Reason(code="no_lines", message="The order has no lines; send at least one.", field="lines")
        return
    taken_back = all(line.quantity < 0 for line in sale.lines)
    if taken_back:
        yield Reason(
            code="cancellation_without_order",
            message="Every quantity is negative: this takes a sale back and is not an order; "
            "cancel or refund the order it belongs to.",
            field="lines",
        )
    for index, line in enumerate(sale.lines):
        yield from _faults_of_units(line, f"lines[{index}]", taken_back=taken_back)
        yield from _faults_of_price(line, f"lines[{index}]", sale.currency)
        yield from _faults_of_kind(line, f"lines[{index}]")


def out_of_range(field: str, moment: datetime) -> Reason:
    """Return the fault of a time that no calendar, page or mail could show."""
    return Reason(
        code="date_out_of_range",
        message=f"{field} is {moment.isoformat()}; send a time from {RANGE}, or leave it out where it has no end.",
        field=field,
    )


def _faults_of_units(line: SubmittedLine, path: str, *, taken_back: bool) -> Iterator[Reason]:
    if line.quantity == 0:
        yield Reason(
            code="quantity_not_positive",
            message="The quantity is 0; send 1 or more, or leave the line out.",
            field=f"{path}.quantity",
        )
    elif line.quantity < 0 and not taken_back:
        yield Reason(
            code="quantity_not_positive",
            message=f"The quantity is {line.quantity}: returned goods are not part of a sale. Refund or credit "
            "them on the order they were bought with, and send the new goods as an order of their own.",
            field=f"{path}.quantity",
        )
    if line.quantity > MOST_UNITS:
        yield Reason(
            code="quantity_too_large",
            message=f"The quantity is {line.quantity}, {MOST_UNITS} is the most; split the line.",
            field=f"{path}.quantity",
        )
    if not line.description.strip():
        yield Reason(
            code="description_blank",
            message="The description is blank; describe what is sold.",
            field=f"{path}.description",
        )


def _faults_of_price(line: SubmittedLine, path: str, currency: str) -> Iterator[Reason]:
    if line.unit_price_minor < 0:
        yield Reason(
            code="price_negative",
            message=f"The unit price is {written(line.unit_price_minor, currency)}; send 0 or more, "
            "and a discount as discount_minor or as an extra line.",
            field=f"{path}.unit_price_minor",
        )
    if line.discount_minor < 0:
        yield Reason(
            code="discount_negative",
            message=f"The discount is {written(line.discount_minor, currency)}; send the amount that is taken off "
            "as 0 or more.",
            field=f"{path}.discount_minor",
        )
    gross = line.quantity * line.unit_price_minor
    rounding = max(abs(line.quantity) - 1, 0)
    if line.discount_minor > max(gross + rounding, 0) or (line.total_minor < 0 <= line.quantity):
        yield Reason(
            code="discount_above_price",
            message=f"The discount is {written(line.discount_minor, currency)} on a line worth "
            f"{written(gross, currency)}; send at most that.",
            field=f"{path}.discount_minor",
        )
    if abs(line.total_minor + line.discount_minor - gross) > rounding:
        yield Reason(
            code="line_total_wrong",
            message=f"The line's total is {written(line.total_minor, currency)}, but quantity "
            f"{line.quantity} × {written(line.unit_price_minor, currency)} − "
            f"{written(line.discount_minor, currency)} is {written(gross - line.discount_minor, currency)}"
            f"{_within(rounding, currency)}; send a total and a unit price that go together, and each discount "
            "as discount_minor or as an extra line.",
            field=f"{path}.total_minor",
        )
    if is_known(currency) and line.unit_price_exact is not None:
        yield from _faults_of_exact_price(line, line.unit_price_exact, path, currency)


def _within(rounding: int, currency: str) -> str:
    return f", give or take {written(rounding, currency)} for a rounded unit price" if rounding else ""


def _faults_of_exact_price(line: SubmittedLine, exact: str, path: str, currency: str) -> Iterator[Reason]:
    if abs(Decimal(exact).scaleb(exponent(currency)) - line.unit_price_minor) >= 1:
        yield Reason(
            code="unit_price_differs",
            message=f"unit_price_exact is {exact}, but unit_price_minor is "
            f"{written(line.unit_price_minor, currency)}; send the exact price rounded to the minor unit there.",
            field=f"{path}.unit_price_exact",
        )


def _faults_of_kind(line: SubmittedLine, path: str) -> Iterator[Reason]:
    for name, moment in (("starts_at", line.starts_at), ("ends_at", line.ends_at)):
        if moment is not None and not is_in_range(moment):
            yield out_of_range(f"{path}.{name}", moment)
    if line.kind is LineKind.BOOKING and line.starts_at is None:
        yield Reason(
            code="line_without_time",
            message="A booking has no starts_at; send when it begins.",
            field=f"{path}.starts_at",
        )
    if line.starts_at is not None and line.ends_at is not None and line.ends_at <= line.starts_at:
        yield Reason(
            code="line_times_reversed",
            message=f"It ends at {line.ends_at.isoformat()}, not after its start "
            f"{line.starts_at.isoformat()}; correct one of them.",
            field=f"{path}.ends_at",
        )
