"""A refund that no single payment covers: its parts sum to it, and each takes no more than its payment has."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.refunds import RefundCause, RefundMode, RefundSent
from contracts.sale import PaymentMethod
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import Kind
from services.payments.refunds.payments_left import shares_of
from tests.payments.builders import of_kind, placed, refund_order, succeeded
from tests.payments.refunds.test_refund_rules import NOW, entry
from tests.payments.refunds.test_refunding import position
from tests.payments.refunds.test_sending_refunds import Till, provider, send, till

__all__ = ["provider", "till"]
PROVIDERS = st.sampled_from(("stripe", "paypal", "manual"))


@given(st.lists(st.tuples(PROVIDERS, st.integers(1, 9_999)), min_size=1, max_size=5), st.integers(1, 60_000))
def test_parts_sum_to_the_refund_and_none_exceeds_its_payment(
    payments: list[tuple[str, int]], amount: int
) -> None:
    order = placed(100_000)
    account = Account(order.shop, order.order_id, "K7F3-QD9M", "EUR", PaymentMethod.CARD, NOW)
    for number, (name, received) in enumerate(payments):
        account.post(entry(Kind.PAYMENT_RECEIVED, received, name, f"pay_{number}"))
    command = refund_order(order, amount, mode=RefundMode.SENT, cause=RefundCause.OVERPAID)
    shares = shares_of(command, account)
    sendable = sum(received for name, received in payments if name != "manual")
    assert sum(share.amount_minor for share in shares) == (amount if amount <= sendable else 0)
    assert all(share.payment and 0 < share.amount_minor <= share.payment.left_minor for share in shares)
    if any(received >= amount for name, received in payments if name != "manual"):
        assert len(shares) == 1
    names = [share.payment.object_id for share in shares if share.payment]
    assert names == sorted(set(names))


async def test_two_card_payments_of_one_order_are_refunded_together(till: Till) -> None:
    order, cashdesk = till.order, till.cashdesk
    further = succeeded("pi_further", 3000, metadata={"comptoir_order_id": str(order.order_id)})
    await cashdesk.pay(further)
    command = refund_order(order, 8000, mode=RefundMode.SENT, cause=RefundCause.OVERPAID)
    await cashdesk.desk.deliver(command)
    emitted = await send(cashdesk)
    assert len(of_kind(emitted, RefundSent)) == 2
    made = {(one["payment_intent"], one["amount"]) for one in till.api.refunds.values()}
    assert made == {(till.intent, 5000), ("pi_further", 3000)}
    assert (await position(cashdesk, order))[1] == 8000
