"""What can be wrong with the lines of a submitted sale. Pure.

Each fault is a reason with both values and what to do; none hides another.
"""

from collections.abc import Iterator

from contracts.message import Reason
from contracts.storefront import LineKind, OrderSubmitted, SubmittedLine
from services.orders.amounts import written

MOST_UNITS = 1_000_000
"""The largest quantity of a line in any message."""


def faults_of_lines(sale: OrderSubmitted) -> Iterator[Reason]:
    """Every fault of the lines."""
    if not sale.lines:
        yield Reason(code="no_lines", message="The order has no lines; send at least one.", field="lines")
        return
    taken_back = all(line.quantity < 0 for line in sale.lines)
    if taken_back:
        yield Reason(
            code="cancellation_without_order",
            message="Every quantity is negative: this takes a sale back and is no order; "
            "cancel or refund the order it belongs to.",
            field="lines",
        )
    for index, line in enumerate(sale.lines):
        yield from _faults_of_units(line, f"lines[{index}]", taken_back=taken_back)
        yield from _faults_of_price(line, f"lines[{index}]", sale.currency)
        yield from _faults_of_kind(line, f"lines[{index}]")


def _faults_of_units(line: SubmittedLine, path: str, *, taken_back: bool) -> Iterator[Reason]:
    if line.quantity < 1 and not taken_back:
        yield Reason(
            code="quantity_not_positive",
            message=f"The quantity is {line.quantity}; send 1 or more, or leave the line out.",
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
            message="The description is blank; say what is sold.",
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
            message=f"The discount is {written(line.discount_minor, currency)}; send what is taken off "
            "as 0 or more.",
            field=f"{path}.discount_minor",
        )
    gross = line.quantity * line.unit_price_minor
    if line.discount_minor > max(gross, 0):
        yield Reason(
            code="discount_above_price",
            message=f"The discount is {written(line.discount_minor, currency)} on a line worth "
            f"{written(gross, currency)}; send at most that.",
            field=f"{path}.discount_minor",
        )
    if line.total_minor != gross - line.discount_minor:
        yield Reason(
            code="line_total_wrong",
            message=f"The line's total is {written(line.total_minor, currency)}, but quantity "
            f"{line.quantity} × {written(line.unit_price_minor, currency)} − "
            f"{written(line.discount_minor, currency)} is {written(gross - line.discount_minor, currency)}; send that.",
            field=f"{path}.total_minor",
        )


def _faults_of_kind(line: SubmittedLine, path: str) -> Iterator[Reason]:
    if line.kind is LineKind.SHIP and not (line.sku and line.sku.strip()):
        yield Reason(
            code="sku_missing",
            message="Goods to ship have no SKU; send the stock keeping unit.",
            field=f"{path}.sku",
        )
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
