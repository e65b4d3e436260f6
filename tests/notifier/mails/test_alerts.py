"""Warnings to the merchant: one mail for each cause, however often and in any order its events arrive."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fulfillment.stock import StockRanLow
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentUnmatched
from contracts.payments.disputes import Dispute, DisputeOpened, DisputeState, DisputeUpdated
from contracts.payments.refunds import RefundMarkOverdue
from services.notifier.mails.causes.cause_ids import BY_HAND, deadline_cause, money_cause
from services.notifier.mails.compose.composing import write_pages
from services.notifier.mails.mail import Template
from services.notifier.profile.samples import sample
from tests.conftest import Desks
from tests.notifier.builders import SHOP, a_refund, a_shop, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.replaying import replay
from tests.notifier.sending.test_sending import a_desk, send_until, settled

AT = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
_MAILS = """SELECT template, recipient, locale, order_id, code FROM mail
            WHERE template NOT IN ('new_order', 'order_recap') ORDER BY template, id"""
MERCHANT = "commandes@atelier.example"


def low(**changes: Any) -> StockRanLow:
    return StockRanLow(
        **{"shop": SHOP, "sku": "BOUGIE-1", "available": 4, "threshold": 5, "at": AT, **changes}
    )


def money(**changes: Any) -> PaymentUnmatched:
    values: dict[str, Any] = {
        "shop": SHOP,
        "provider": "stripe",
        "provider_reference": "pi_1",
        "received_at": AT,
    }
    return PaymentUnmatched(
        **{**values, "amount_minor": 4990, "currency": "EUR", "reason": "order_unknown", **changes}
    )


def overdue(order: OrderPlaced, **changes: Any) -> RefundMarkOverdue:
    refund = a_refund(order, mode="recorded", state="marked", **changes)
    return RefundMarkOverdue(shop=SHOP, order_id=order.order_id, code=order.code, refund=refund)


def dispute(**changes: Any) -> Dispute:
    values: dict[str, Any] = {
        "provider": "stripe",
        "provider_reference": "du_1",
        "version": 4,
        "state": "needs_response",
        "amount_minor": 5390,
        "currency": "EUR",
        "payment_reference": "pi_1",
        "payment_entry_id": uuid4(),
        "due_at": AT,
        "is_due_soon": True,
        "opened_at": AT - timedelta(days=7),
        "updated_at": AT - timedelta(days=3),
    }
    return Dispute.model_validate({**values, **changes})


def disputed(order: OrderPlaced, **changes: Any) -> DisputeUpdated:
    return DisputeUpdated(shop=SHOP, order_id=order.order_id, code=order.code, dispute=dispute(**changes))


async def test_stock_that_runs_low_twice_is_mailed_twice_and_a_repeat_once(desks: Desks) -> None:
    desk = await desks("notifier")
    first = await desk.deliver(low())
    await desk.fetch("DELETE FROM msg.inbox")
    await desk.deliver(low(), envelope=first.envelope)
    assert [tuple(row) for row in await desk.fetch(_MAILS)] == [("stock_low", MERCHANT, "fr", None, "")]
    await desk.deliver(low(available=2))
    assert len(await desk.fetch(_MAILS)) == 2


async def test_money_reported_by_several_events_is_mailed_once(desks: Desks) -> None:
    desk = await desks("notifier")
    for reason in ("order_unknown", "order_deleted"):
        assert (await desk.deliver(money(reason=reason))).result == "handled"
    await desk.deliver(money(provider_reference="pi_2"))
    assert [row["template"] for row in await desk.fetch(_MAILS)] == ["payment_unmatched"] * 2


async def test_receipts_by_hand_with_the_same_reference_are_mailed_one_by_one(desks: Desks) -> None:
    desk = await desks("notifier")
    cheque = money(provider=BY_HAND, provider_reference="chèque")
    for event in (
        cheque,
        cheque,
        cheque.model_copy(update={"amount_minor": 1250}),
        cheque.model_copy(update={"received_at": AT + timedelta(seconds=1)}),
    ):
        await desk.deliver(event)
    assert len(await desk.fetch(_MAILS)) == 3


@given(
    st.text(max_size=9), st.integers(1, 999), st.timedeltas(timedelta(0), timedelta(days=9)), st.booleans()
)
def test_the_time_and_the_amount_distinguish_only_receipts_by_hand(
    reference: str, amount: int, later: timedelta, is_by_hand: bool
) -> None:
    first = money(provider=BY_HAND if is_by_hand else "paypal", provider_reference=f"r{reference}x")
    second = first.model_copy(update={"amount_minor": amount, "received_at": AT + later})
    is_same = (second.amount_minor, second.received_at) == (first.amount_minor, AT)
    assert (money_cause(first) == money_cause(second)) == (is_same or not is_by_hand)


async def test_a_replay_finds_the_mail_though_the_merchants_address_changed(desks: Desks) -> None:
    desk = await desks("notifier")
    outcome = await desk.deliver(money())
    await desk.fetch("UPDATE mail SET recipient = 'ancienne@atelier.example' RETURNING id")
    await replay(desk, money(), outcome.envelope)
    assert [row["recipient"] for row in await desk.fetch(_MAILS)] == ["ancienne@atelier.example"]


async def test_a_repeat_is_mailed_once_though_the_merchants_address_changed(desks: Desks) -> None:
    desk = await desks("notifier")
    await desk.deliver(money())
    await desk.hub.pool.execute(
        "UPDATE mail SET recipient = 'ancienne@atelier.example', id = gen_random_uuid()"
    )
    await desk.deliver(money(reason="order_deleted"))
    assert [row["recipient"] for row in await desk.fetch(_MAILS)] == ["ancienne@atelier.example"]


async def test_an_overdue_refund_waits_for_its_order_and_is_mailed_once(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    message = overdue(order)
    assert (await desk.deliver(message)).result == "waiting"
    await desk.deliver(order)
    await desk.retry()
    await desk.deliver(message)
    [mail] = await desk.fetch(_MAILS)
    assert tuple(mail) == ("refund_mark_overdue", MERCHANT, "fr", order.order_id, order.code)


async def test_a_dispute_is_mailed_once_per_deadline_while_it_waits_for_an_answer(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    for change in (
        {"is_due_soon": False},
        {"due_at": None, "is_due_soon": False},
        {},
        {"version": 5},
        {"state": "under_review"},
        {"due_at": AT + timedelta(days=9)},
    ):
        assert (await desk.deliver(disputed(order, **change))).result == "handled"
    opened = DisputeOpened(shop=SHOP, order_id=order.order_id, code=order.code, dispute=dispute())
    await desk.deliver(opened)
    assert [row["template"] for row in await desk.fetch(_MAILS)] == ["dispute_due_soon"] * 2


async def test_a_dispute_that_is_not_due_waits_for_no_order(desks: Desks) -> None:
    desk = await desks("notifier")
    assert (await desk.deliver(disputed(an_order(), is_due_soon=False))).result == "handled"


@given(
    st.sampled_from(DisputeState),
    st.booleans(),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.integers(1, 9),
)
def test_a_deadline_is_a_cause_only_while_it_is_near_and_an_answer_is_waited_for(
    state: DisputeState, is_due_soon: bool, due_at: datetime | None, version: int
) -> None:
    message = dispute(state=state, is_due_soon=is_due_soon, due_at=due_at, version=version)
    awaiting = state in (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE)
    assert (deadline_cause(message) is not None) == (is_due_soon and due_at is not None and awaiting)
    again = message.model_copy(update={"version": version + 1, "amount_minor": 1})
    assert deadline_cause(again) == deadline_cause(message)


async def test_a_warning_about_no_order_is_sent_listed_and_sent_again(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(low())
    await send_until(desk, sender, settled)
    [letter] = mail_server.journal
    assert letter["Subject"] == "Stock bas : BOUGIE-1, 4 disponible(s)"
    [mail] = await desk.fetch("SELECT id FROM mail")
    assert await desk.fetchval("SELECT state FROM mail_with_state WHERE id = $1", mail["id"]) == "done"


@pytest.mark.parametrize(
    ("wording", "path"),
    [
        ("stock_low", "/stock/article?sku=BOUGIE-1"),
        ("payment_unmatched", "/payments/unmatched"),
        ("refund_mark_overdue", "/orders/K7F3-QD9M"),
        ("dispute_due_soon", "/orders/K7F3-QD9M"),
    ],
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_warning_leads_to_where_it_is_dealt_with(wording: str, path: str, language: str) -> None:
    office = "https://office.example.com"
    mail, recipient = sample(wording, SHOP, language)
    assert mail.template is Template(wording)
    pages = write_pages(mail, recipient, a_shop(backoffice_url=office))
    assert f'href="{office}{path}"' in pages.html
    assert f"{office}{path}" in pages.text


async def test_an_unknown_shop_is_parked(desks: Desks) -> None:
    desk = await desks("notifier")
    assert (await desk.deliver(low(shop="unknown-shop"))).result == "parked"
    assert await desk.fetch(_MAILS) == []
