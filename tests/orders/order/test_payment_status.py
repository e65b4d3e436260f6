"""Every order has exactly one payment status, and every status exactly one filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.orders.lifecycle import OrderState
from contracts.payments.accounts import AttemptState
from services.orders.order.payment_status import (
    FILTER_OF,
    IN_FLIGHT,
    Money,
    PaymentFilter,
    PaymentStatus,
    payment_status,
    statuses_of,
)

amounts = st.integers(0, 3)
moneys = st.builds(
    Money,
    due=amounts,
    credited=amounts,
    received=amounts,
    refunded=amounts,
    refunds_pending=amounts,
    marked=amounts,
    authorised=amounts,
    balance=st.integers(-3, 3),
    attempt=st.sampled_from(AttemptState),
)


def row_by_row(state: OrderState, money: Money) -> PaymentStatus:
    """The table of product.md, section 2, row by row: the first true one wins. What would be refunded is under way as
    long as the provider has not confirmed all of it."""
    still_due, net = money.due - money.credited, money.received - money.refunded - money.marked
    back, balance = money.refunded + money.marked, money.balance
    cancelled, under_way = state is OrderState.CANCELLED, money.refunds_pending > 0
    table = [
        (state is OrderState.DRAFT, PaymentStatus.VOID),
        (state is OrderState.IN_CHECKOUT, PaymentStatus.IN_PROGRESS),
        (state is OrderState.ABANDONED and money.received == 0, PaymentStatus.ABANDONED),
        (back > 0 and net <= 0 and balance <= 0 and under_way, PaymentStatus.REFUND_PENDING),
        (back > 0 and net <= 0 and balance <= 0, PaymentStatus.REFUNDED),
        (balance < 0, PaymentStatus.OVERPAID),
        (balance == 0 and still_due == 0 and net == 0 and cancelled, PaymentStatus.VOID),
        (balance == 0 and back > 0 and money.credited > 0 and under_way, PaymentStatus.REFUND_PENDING),
        (balance == 0 and back > 0 and money.credited > 0, PaymentStatus.PARTIALLY_REFUNDED),
        (balance == 0, PaymentStatus.PAID),
        (balance > 0 and net > 0, PaymentStatus.PARTIALLY_PAID),
        (balance > 0 and money.authorised > 0 and money.authorised >= balance, PaymentStatus.AUTHORIZED),
        (balance > 0 and money.attempt in IN_FLIGHT, PaymentStatus.PENDING),
        (True, PaymentStatus.UNPAID),
    ]
    return next(status for applies, status in table if applies)


@given(st.sampled_from(OrderState), moneys)
def test_the_status_is_the_first_row_that_fits(state: OrderState, money: Money) -> None:
    assert payment_status(state, money) is row_by_row(state, money)


def test_every_status_is_in_exactly_one_filter() -> None:
    assert set(FILTER_OF) == set(PaymentStatus)
    found = [status for choice in PaymentFilter for status in statuses_of(choice)]
    assert sorted(found) == sorted(PaymentStatus)


@pytest.mark.parametrize(
    ("money", "status"),
    [
        (Money(due=10, balance=10), "unpaid"),
        (Money(due=10, balance=10, attempt=AttemptState.DECLINED), "unpaid"),
        (Money(due=10, balance=10, attempt=AttemptState.REQUIRES_ACTION), "pending"),
        (Money(due=10, balance=10, authorised=10, attempt=AttemptState.AUTHORISED), "authorized"),
        (Money(due=10, received=4, balance=6), "partially_paid"),
        (Money(due=10, received=10), "paid"),
        (Money(), "paid"),
        (Money(due=10, received=12, balance=-2), "overpaid"),
        (Money(due=10, credited=4, received=10, refunded=4), "partially_refunded"),
        (Money(due=10, credited=10, received=10, refunded=10), "refunded"),
        (Money(due=10, credited=10, received=10, refunded=10, refunds_pending=10), "refund_pending"),
        (Money(due=10, credited=4, received=10, refunded=4, refunds_pending=4), "refund_pending"),
        (Money(due=10, credited=10, received=10, refunded=10, refunds_pending=3), "refund_pending"),
        (Money(due=10, credited=10, received=10, marked=10), "refunded"),
        (Money(due=10, received=10, marked=10, balance=10), "unpaid"),
        (Money(due=10, received=10, refunded=4, balance=4), "partially_paid"),
    ],
)
def test_what_merchants_meet(money: Money, status: str) -> None:
    assert payment_status(OrderState.READY, money) == status
