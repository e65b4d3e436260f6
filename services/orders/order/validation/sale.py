"""Validation of a submitted sale: all reasons against placing it. Pure.

Each fault is a reason with both values and the remedy; none hides another.

Invariant: a sale without reasons adds up to the minor unit and holds everything payments, fulfillment and
notifier need; an invalid one would give a balance that cannot be explained. The answer depends only on the
sale, and on the present time only for a sale dated in the future.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from contracts.message import Reason
from contracts.money import exponent, is_known
from contracts.sale import LineKind, PaymentMethod, SubmittedLine
from contracts.storefront import OrderSubmitted
from contracts.timestamps import RANGE, is_in_range
from services.orders.order.totals.amounts import written
from services.orders.order.validation.totals import faults_of_totals

CLOCK_TOLERANCE = timedelta(days=1)
"""Maximum lead of a storefront's clock before its sales are refused."""
MOST_UNITS = 1_000_000
"""Largest quantity of a line in any message."""
MOST_REASONS = 100
"""Maximum number of reasons; the last one counts the rest, because a refusal must fit into a message."""


def reasons_against(sale: OrderSubmitted, now: datetime) -> list[Reason]:
    """Return the reasons why this sale cannot be placed; empty when it can."""
    reasons = [
        *_faults_of_payment(sale),
        *_faults_of_customer(sale),
        *_faults_of_sale(sale, now),
        *_faults_of_lines(sale),
        *faults_of_totals(sale),
    ]
    if len(reasons) <= MOST_REASONS:
        return reasons
    rest = len(reasons) - MOST_REASONS + 1
    message = (
        f"{rest} more faults were found; correct those named and send it again with a new idempotency key."
    )
    return [*reasons[: MOST_REASONS - 1], Reason(code="more_reasons", message=message)]


def out_of_range(field: str, timestamp: datetime) -> Reason:
    """Return the fault of a time that no calendar, page or mail could show."""
    endless = ", or leave it out where it has no end" if field.endswith("ends_at") else ""
    return Reason(
        code="date_out_of_range",
        message=f"{field} is {timestamp.isoformat()}; send a time from {RANGE}{endless}.",
        field=field,
    )


def _faults_of_payment(sale: OrderSubmitted) -> Iterator[Reason]:
    total = sale.totals.total_minor
    if sale.payment is None:
        yield Reason(
            code="payment_method_missing",
            message="No payment method was chosen; send one of " + ", ".join(PaymentMethod) + ".",
            field="payment",
        )
    elif sale.payment.method is PaymentMethod.FREE and total > 0:
        yield Reason(
            code="free_above_zero",
            message=f"The payment method is free, but the total is {written(total, sale.currency)}; "
            "send a method that pays.",
            field="payment.method",
        )
    elif sale.payment.method is not PaymentMethod.FREE and total == 0:
        yield Reason(
            code="zero_total_needs_free",
            message=f"The total is 0 and the payment method {sale.payment.method}; send the method free.",
            field="payment.method",
        )


def _faults_of_customer(sale: OrderSubmitted) -> Iterator[Reason]:
    if not sale.customer.name.strip():
        yield Reason(
            code="customer_name_blank",
            message="customer.name must not be blank",
            field="customer.name",
        )
    if sale.shipping_address is None and any(line.kind is LineKind.SHIP for line in sale.lines):
        yield Reason(
            code="shipping_address_missing",
            message="The order holds goods to ship and no shipping_address; send the address.",
            field="shipping_address",
        )


def _faults_of_sale(sale: OrderSubmitted, now: datetime) -> Iterator[Reason]:
    if not is_known(sale.currency):
        yield Reason(
            code="currency_unknown",
            message=f"The currency is {sale.currency!r}, which ISO 4217 does not list; send three "
            "capital letters such as EUR.",
            field="currency",
        )
    if not is_in_range(sale.submitted_at):
        yield out_of_range("submitted_at", sale.submitted_at)
    elif sale.submitted_at > now + CLOCK_TOLERANCE:
        yield Reason(
            code="submitted_in_future",
            message=f"It was submitted at {sale.submitted_at.isoformat()}, but it is {now.isoformat()} now; "
            "correct the storefront's clock.",
            field="submitted_at",
        )


def _faults_of_lines(sale: OrderSubmitted) -> Iterator[Reason]:
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
    for name, timestamp in (("starts_at", line.starts_at), ("ends_at", line.ends_at)):
        if timestamp is not None and not is_in_range(timestamp):
            yield out_of_range(f"{path}.{name}", timestamp)
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
