"""Corrections by people: a bounced cheque, a credit, a payment given to another order."""

from uuid import uuid4

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import (
    PaymentReassigned,
    PaymentReversed,
    PaymentSettled,
    ReassignPayment,
    ReversePayment,
)
from contracts.payments.refunds import CreditGranted, GrantCredit
from contracts.service import CommandDone
from tests.payments.builders import event, intent_id, of_kind, placed, record, refund, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.refunds.test_refunding import paid, reasons


def reverse(order: OrderPlaced, entry_id: object) -> ReversePayment:
    return ReversePayment(
        shop=order.shop, order_id=order.order_id, entry_id=entry_id, reason="Sans provision", actor="marie"
    )


def reassign(order: OrderPlaced, **payment: object) -> ReassignPayment:
    return ReassignPayment.model_validate(
        {"shop": order.shop, "order_id": order.order_id, "actor": "marie", **payment}
    )


async def test_a_bounced_cheque_is_reversed_once(cashdesk: CashDesk) -> None:
    order = placed(5000)
    await cashdesk.desk.deliver(order)
    (settled,) = (await cashdesk.desk.deliver(record(order))).messages_of(PaymentSettled)
    outcome = await cashdesk.desk.deliver(reverse(order, settled.entry_id))
    (reversed_,) = outcome.messages_of(PaymentReversed)
    assert (reversed_.amount_minor, reversed_.method, reversed_.balance_minor) == (5000, "cheque", 5000)
    assert (await cashdesk.desk.deliver(reverse(order, settled.entry_id))).messages_of(CommandDone)
    assert await cashdesk.entries(order) == [
        ("order_total", 5000),
        ("payment_received", 5000),
        ("payment_reversed", 5000),
    ]
    assert (await cashdesk.account(order))["received_by_hand_minor"] == 0


async def test_what_a_provider_received_is_not_reversed(cashdesk: CashDesk) -> None:
    order, _ = await paid(cashdesk)
    entry = await cashdesk.desk.fetchval("SELECT id FROM ledger_entry WHERE kind = 'payment_received'")
    assert reasons(await cashdesk.desk.deliver(reverse(order, entry))) == ["automatic_method"]
    assert reasons(await cashdesk.desk.deliver(reverse(order, uuid4()))) == ["payment_unknown"]


async def test_a_credit_lowers_what_is_due_and_no_more(cashdesk: CashDesk) -> None:
    order = placed(5000)
    await cashdesk.desk.deliver(order)
    about = {"shop": order.shop, "order_id": order.order_id, "actor": "marie", "reason": "Geste"}
    outcome = await cashdesk.desk.deliver(GrantCredit(**about, amount_minor=4000, currency="EUR"))
    (granted,) = outcome.messages_of(CreditGranted)
    assert granted.balance_minor == 1000
    outcome = await cashdesk.desk.deliver(GrantCredit(**about, amount_minor=1001, currency="EUR"))
    assert reasons(outcome) == ["credit_exceeds_due"]
    outcome = await cashdesk.desk.deliver(GrantCredit(**about, amount_minor=0, currency="USD"))
    assert reasons(outcome) == ["currency_differs", "amount_not_positive"]


async def test_a_payment_no_order_claims_is_given_to_one(cashdesk: CashDesk) -> None:
    order, intent = placed(5000), intent_id()
    await cashdesk.desk.deliver(order)
    came = succeeded(intent)
    await cashdesk.pay(came)
    assert await cashdesk.end_of(came) == ("waiting", "order_unknown")
    give = reassign(order, provider="stripe", provider_reference=intent)
    (given,) = (await cashdesk.desk.deliver(give)).messages_of(PaymentReassigned)
    assert (given.direction, given.provider_reference, given.amount_minor) == ("in", intent, None)
    (settled,) = of_kind(await cashdesk.apply(), PaymentSettled)
    assert (settled.order_id, settled.amount_minor) == (order.order_id, 5000)
    assert (await cashdesk.desk.deliver(give)).messages_of(CommandDone)
    assert await cashdesk.end_of(came) == ("applied", None)


async def test_money_in_another_currency_is_given_to_the_order_it_fits(cashdesk: CashDesk) -> None:
    intent = intent_id()
    wrong, right = placed(5000, reference=intent), placed(5000, currency="USD")
    for order in (wrong, right):
        await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded(intent, currency="usd"))
    give = reassign(right, provider="stripe", provider_reference=intent)
    assert (await cashdesk.desk.deliver(give)).messages_of(PaymentReassigned)
    await cashdesk.apply()
    assert (await cashdesk.account(right))["balance_minor"] == 0
    assert (await cashdesk.account(wrong))["balance_minor"] == 5000


async def test_a_payment_moves_between_orders_and_its_refunds_follow(cashdesk: CashDesk) -> None:
    first, intent = await paid(cashdesk)
    second = placed(5000)
    await cashdesk.desk.deliver(second)
    give = reassign(second, provider="stripe", provider_reference=intent, note="Deux paniers")
    outcome = await cashdesk.desk.deliver(give)
    moves = outcome.messages_of(PaymentReassigned)
    assert sorted((m.direction, m.order_id, m.amount_minor) for m in moves) == [
        ("in", second.order_id, 5000),
        ("out", first.order_id, 5000),
    ]
    assert (await cashdesk.account(first))["balance_minor"] == 5000
    assert (await cashdesk.account(second))["balance_minor"] == 0
    assert (await cashdesk.desk.deliver(give)).messages_of(CommandDone)
    await cashdesk.pay(succeeded(intent), event("refund.created", refund("re_1", intent, 2000)))
    assert (await cashdesk.account(first))["received_minor"] == 0
    assert (await cashdesk.account(second))["refunded_minor"] == 2000


async def test_a_cheque_moves_by_its_entry(cashdesk: CashDesk) -> None:
    first, second = placed(5000), placed(5000)
    for order in (first, second):
        await cashdesk.desk.deliver(order)
    (settled,) = (await cashdesk.desk.deliver(record(first))).messages_of(PaymentSettled)
    await cashdesk.desk.deliver(reassign(second, entry_id=settled.entry_id))
    assert reasons(await cashdesk.desk.deliver(reverse(first, settled.entry_id))) == ["payment_moved"]
    moved = await cashdesk.desk.fetchval("SELECT id FROM ledger_entry WHERE kind = 'transfer_in'")
    (reversed_,) = (await cashdesk.desk.deliver(reverse(second, moved))).messages_of(PaymentReversed)
    assert reversed_.balance_minor == 5000


async def test_what_nobody_knows_or_does_not_fit_is_refused(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    dollars = placed(5000, currency="USD")
    await cashdesk.desk.deliver(dollars)
    unknown = reassign(order, provider="stripe", provider_reference="pi_nobody")
    assert reasons(await cashdesk.desk.deliver(unknown)) == ["payment_unknown"]
    other = reassign(dollars, provider="stripe", provider_reference=intent)
    assert reasons(await cashdesk.desk.deliver(other)) == ["currency_differs"]
    nothing = reassign(dollars, entry_id=uuid4())
    assert reasons(await cashdesk.desk.deliver(nothing)) == ["payment_unknown"]
