"""What payments says of an order's money, and what the order becomes by it."""

from typing import Any

from contracts.orders.lifecycle import OrderStateChanged
from contracts.payments.accounts import PaymentUnmatched
from services.chassis.testing import Desk, envelope_for
from tests.builders.submissions import NOW, SHOP, paid_by
from tests.conftest import Desks
from tests.orders.builders import a_life


async def the_order(desk: Desk, *columns: str) -> tuple[Any, ...]:
    """These columns of the only order."""
    (row,) = await desk.fetch("SELECT * FROM orders")
    return tuple(row[column] for column in columns)


async def test_a_card_payment_makes_it_ready(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    outcome = await desk.deliver(life.balance(2, received=life.total))
    (changed,) = outcome.messages_of(OrderStateChanged)
    assert (changed.previous, changed.state, changed.label) == (
        "awaiting_payment",
        "ready",
        "in_progress_order",
    )
    assert changed.cause == "payments.balance.changed.v1"
    shown = await the_order(desk, "state", "label", "payment_status", "balance_minor", "sequence")
    assert shown == ("ready", "in_progress_order", "paid", 0, 2)
    (row,) = await desk.fetch("SELECT * FROM state_change")
    assert (row["previous_state"], row["state"], row["sequence"]) == ("awaiting_payment", "ready", 2)
    assert row["cause_id"] == outcome.envelope.id


async def test_a_cheque_entered_by_hand_is_payments_received(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk, payment=paid_by("cheque"))
    await desk.deliver(life.balance(2, received=life.total, received_by_hand_minor=life.total))
    assert await the_order(desk, "state", "label") == ("ready", "payments_received")


async def test_it_goes_back_when_the_money_does(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=life.total))
    outcome = await desk.deliver(life.balance(3))
    assert [message.state for message in outcome.messages_of(OrderStateChanged)] == ["awaiting_payment"]
    assert await the_order(desk, "state", "payment_status") == ("awaiting_payment", "unpaid")


async def test_an_older_position_is_ignored(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.balance(3, received=life.total))
    outcome = await desk.deliver(life.balance(2, received=1))
    assert (outcome.result, outcome.emitted) == ("handled", [])
    assert await the_order(desk, "payment_version", "received_minor") == (3, life.total)


async def test_too_much_money_is_a_debt_to_the_customer(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=life.total + 100, flags=["over_refunded", "disputed"]))
    assert await the_order(desk, "balance_minor", "payment_status", "flags") == (
        -100,
        "overpaid",
        ["disputed", "over_refunded"],
    )


async def test_a_label_changes_without_the_state(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk, payment=paid_by("cash"))
    outcome = await desk.deliver(life.balance(2, received=life.total, received_by_hand_minor=life.total))
    (changed,) = outcome.messages_of(OrderStateChanged)
    assert (changed.previous, changed.state, changed.label) == ("ready", "ready", "payments_received")


async def test_the_ledger_is_copied_once_with_its_running_balance(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    for _ in range(2):
        for balance in (life.paid(), life.opened()):
            await desk.deliver(balance)
    rows = await desk.fetch("SELECT * FROM ledger_entry ORDER BY number")
    values = [(row["number"], row["kind"], row["amount_minor"], row["balance_minor"]) for row in rows]
    assert values == [(1, "order_total", life.total, life.total), (2, "payment_received", life.total, 0)]
    assert [(row["method"], row["provider_reference"]) for row in rows] == [(None, None), ("card", "pi_1")]
    assert rows[1]["entry_id"] == life.entry_id


async def test_a_receipt_is_noted_once(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    for _ in range(3):
        await desk.deliver(life.settled())
    (note,) = await desk.fetch("SELECT * FROM activity WHERE kind = 'payment_received'")
    assert (note["item"], note["actor"]) == (life.entry_id, "stripe")
    assert (
        note["data"]
        == f'{{"method": "card", "currency": "EUR", "reference": "pi_1", "amount_minor": {life.total}}}'
    )


async def test_money_no_order_claims_is_noted(desks: Desks) -> None:
    desk = await desks("orders")
    unmatched = PaymentUnmatched(
        shop=SHOP,
        provider="stripe",
        provider_reference="pi_9",
        amount_minor=500,
        currency="EUR",
        received_at=NOW,
        reason="order_unknown",
    )
    await desk.deliver(unmatched)
    await desk.deliver(unmatched)
    (row,) = await desk.fetch("SELECT provider_reference, amount_minor, reason FROM unmatched_payment")
    assert tuple(row) == ("pi_9", 500, "order_unknown")


async def test_two_facts_of_one_order_in_one_batch(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    facts = [life.balance(2, received=life.total), life.balance(1), life.settled(), life.balance(3)]
    await desk.deliver_all([(envelope_for("orders", fact), fact, None) for fact in facts])
    assert await the_order(desk, "state", "payment_version") == ("awaiting_payment", 3)
    states = await desk.fetch("SELECT state FROM state_change ORDER BY sequence")
    assert [row["state"] for row in states] == ["ready", "awaiting_payment"]
