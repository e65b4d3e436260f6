"""Validation of a submitted sale: all reasons against placing it. Pure.

Invariant: a sale without reasons adds up to the minor unit and holds everything payments, fulfillment and
notifier need; an invalid one would give a balance that cannot be explained. The answer depends only on the
sale, and on the present time only for a sale dated in the future.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from contracts.message import Reason
from contracts.money import is_known
from contracts.sale import LineKind, PaymentMethod
from contracts.storefront import OrderSubmitted
from contracts.timestamps import is_in_range
from services.orders.order.totals.amounts import written
from services.orders.order.validation.lines import faults_of_lines, out_of_range
from services.orders.order.validation.totals import faults_of_totals

CLOCK_TOLERANCE = timedelta(days=1)
"""Maximum lead of a storefront's clock before its sales are refused."""
MOST_REASONS = 100
"""Maximum number of reasons; the last one counts the rest, because a refusal must fit into a message."""


def reasons_against(sale: OrderSubmitted, now: datetime) -> list[Reason]:
    """Return the reasons why this sale cannot be placed; empty when it can."""
    reasons = [
        *_faults_of_payment(sale),
        *_faults_of_customer(sale),
        *_faults_of_sale(sale, now),
        *faults_of_lines(sale),
        *faults_of_totals(sale),
    ]
    if len(reasons) <= MOST_REASONS:
        return reasons
    rest = len(reasons) - MOST_REASONS + 1
    message = (
        f"{rest} more faults were found; correct those named and send it again with a new idempotency key."
    )
    return [*reasons[: MOST_REASONS - 1], Reason(code="more_reasons", message=message)]


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
