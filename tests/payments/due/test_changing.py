"""An edit changes what is due, once; a settled order that is raised owes again, and both ways are recomputed."""

from contracts.envelope import uuid7
from contracts.orders.changes import ChangeCause
from contracts.payments.accounts import BalanceChanged
from tests.builders.orders import edited
from tests.payments.builders import placed, record
from tests.payments.cashdesk import CashDesk


async def test_a_settled_order_that_is_raised_owes_again_and_lowered_is_owed_money(
    cashdesk: CashDesk,
) -> None:
    order = placed(5000)
    for message in (order, record(order)):
        await cashdesk.desk.deliver(message)
    raised = edited(order, 800)
    (changed,) = (await cashdesk.desk.deliver(raised)).messages_of(BalanceChanged)
    assert (changed.position.due_minor, changed.position.balance_minor) == (5800, 800)
    lowered = edited(order, -2000, previous_edit_id=raised.edit_id, reason="Un article de moins")
    (changed,) = (await cashdesk.desk.deliver(lowered)).messages_of(BalanceChanged)
    assert (changed.position.credited_minor, changed.position.balance_minor) == (2000, -1200)
    assert (await cashdesk.entries(order))[2:] == [("due_increased", 800), ("credit_granted", 2000)]


async def test_the_same_edit_again_and_one_that_changes_nothing_post_nothing(cashdesk: CashDesk) -> None:
    order = placed(5000)
    await cashdesk.desk.deliver(order)
    edit = edited(order, -300)
    await cashdesk.desk.deliver(edit)
    assert (await cashdesk.desk.deliver(edit)).emitted == []
    assert (await cashdesk.desk.deliver(edited(order, 0, previous_edit_id=edit.edit_id))).emitted == []
    assert (await cashdesk.account(order))["balance_minor"] == 4700


async def test_a_cancellation_credits_no_more_than_is_due_and_reinstating_takes_just_that_back(
    cashdesk: CashDesk,
) -> None:
    order = placed(5000)
    goodwill = edited(order, -1000)
    cancelled = edited(order, -5000, ChangeCause.CANCELLED, previous_edit_id=goodwill.edit_id)
    again = edited(order, 5000, ChangeCause.REINSTATED, previous_edit_id=cancelled.edit_id)
    for message in (order, goodwill, cancelled, again):
        await cashdesk.desk.deliver(message)
    assert (await cashdesk.entries(order))[1:] == [
        ("credit_granted", 1000),
        ("credit_granted", 4000),
        ("credit_reversed", 4000),
    ]
    assert (await cashdesk.account(order))["balance_minor"] == 4000


async def test_an_edit_waits_for_its_order_and_for_the_edit_before_it(cashdesk: CashDesk) -> None:
    order = placed(5000)
    first = edited(order, 700)
    second = edited(order, -5700, ChangeCause.CANCELLED, previous_edit_id=first.edit_id)
    assert (await cashdesk.desk.deliver(second)).result == "waiting"
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.retry()
    assert (await cashdesk.account(order))["balance_minor"] == 5000
    await cashdesk.desk.deliver(first)
    await cashdesk.desk.retry()
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_an_edit_in_another_currency_is_for_a_person(cashdesk: CashDesk) -> None:
    order = placed(5000)
    await cashdesk.desk.deliver(order)
    foreign = edited(order, 700, currency="USD", edit_id=uuid7())
    outcome = await cashdesk.desk.deliver(foreign)
    assert (outcome.result, "currency_differs" in outcome.detail) == ("parked", True)
