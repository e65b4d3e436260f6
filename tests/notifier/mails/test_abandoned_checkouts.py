"""An abandoned checkout is reminded of once, for shops that want it, and never once its order was placed."""

import json
from datetime import timedelta
from html import escape
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from contracts.envelope import uuid7
from contracts.notifier.mail_rules import ChangeMailRules
from contracts.notifier.mails import MailFailed, MailWithdrawn, ResendMail
from contracts.orders.lifecycle import AbandonedBy, Abandonment, CheckoutAbandoned, CheckoutResumed
from contracts.sale import Module
from services.chassis.messaging.recovery.restored import Restored
from services.chassis.testing import Desk, envelope_for
from services.notifier.mails.abandoned.reminder import TIMER, TOO_LATE, due_at, is_too_late
from services.notifier.mails.abandoned.reminding import remind
from services.notifier.mails.abandoned.store import delete_reminders
from services.notifier.mails.abandoned.withdrawing import PLACED
from services.notifier.mails.abandoned.withdrawing import TOO_LATE as WITHDRAWN_LATE
from services.notifier.mails.recent import recent
from tests.conftest import Desks
from tests.notifier.builders import PLACED_AT, SHOP, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_alerts import money
from tests.notifier.replaying import replay
from tests.notifier.sending.test_sending import a_desk, reports, send_until, settled
from tests.notifier.test_api import a_client

ZOE = AbandonedBy(name="Zoé Lefèvre", email="zoe@clients.example")


def abandoned(desk: Desk, order_id: UUID | None = None, **changes: Any) -> CheckoutAbandoned:
    """A checkout of 49.90 euros that was abandoned now."""
    now = envelope_for("notifier", an_order()).time
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": order_id or uuid7(),
        "code": "K7F3-QD9M",
        "module": Module.SHOP,
        "opened_at": now,
        "abandoned_at": now,
        "cause": Abandonment.TIMED_OUT,
        "locale": "en",
        "currency": "EUR",
        "total_minor": 4990,
        "customer": ZOE,
    }
    return CheckoutAbandoned(**{**values, **changes})


async def switch(desk: Desk, *, on: bool, based_on: int = 0, minutes: int = 60) -> None:
    await desk.deliver(
        ChangeMailRules(
            shop=SHOP,
            switches={"checkout_abandoned": on},
            abandoned_after_minutes=minutes,
            based_on_version=based_on,
            actor="staff:maelle",
        )
    )


async def timers(desk: Desk) -> list[Any]:
    return await desk.fetch("SELECT key, payload, due_at FROM msg.timer WHERE kind = $1", TIMER)


async def run_timers(desk: Desk, **changes: Any) -> None:
    for timer in await timers(desk):
        async with desk.unit() as unit:
            await remind(unit, timer["key"], {**json.loads(timer["payload"]), **changes})


async def reminders(desk: Desk) -> list[tuple[str, str]]:
    rows = await desk.fetch("SELECT recipient, locale FROM mail WHERE template = 'checkout_abandoned'")
    return [tuple(row) for row in rows]


async def test_nobody_is_reminded_until_the_shop_wants_it(desks: Desks) -> None:
    desk = await desks("notifier")
    await desk.deliver(abandoned(desk))
    assert await timers(desk) == []


async def test_a_checkout_is_reminded_of_once_after_the_shops_time(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    checkout = abandoned(desk)
    await desk.deliver(checkout)
    later = abandoned(desk, checkout.order_id)
    await desk.deliver(later)
    [timer] = await timers(desk)
    assert timer["due_at"] == later.abandoned_at + timedelta(minutes=60)
    for _ in range(2):
        await run_timers(desk)
    assert await reminders(desk) == [("zoe@clients.example", "en")]


async def test_a_checkout_that_was_reminded_of_is_not_reminded_of_at_another_address(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    checkout = abandoned(desk)
    await desk.deliver(checkout)
    await run_timers(desk)
    await desk.deliver(abandoned(desk, checkout.order_id, customer=AbandonedBy(email="z@autre.example")))
    await run_timers(desk)
    assert await reminders(desk) == [("zoe@clients.example", "en")]


async def test_a_placed_order_is_never_reminded_of(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    order = an_order()
    await desk.deliver(abandoned(desk, order.order_id))
    await desk.deliver(order)
    await run_timers(desk)
    assert await reminders(desk) == []


async def test_a_customer_whose_money_arrived_is_not_reminded(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    paid, other = abandoned(desk), abandoned(desk)
    await desk.deliver(paid)
    await desk.deliver(other)
    await desk.deliver(money(order_id=paid.order_id))
    assert [timer["key"] for timer in await timers(desk)] == [f"{SHOP}/{other.order_id}"]


async def test_a_customer_who_is_back_in_the_checkout_is_not_reminded(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    checkout = abandoned(desk)
    await desk.deliver(checkout)
    resumed = CheckoutResumed(shop=SHOP, order_id=checkout.order_id, code=checkout.code)
    await replay(desk, resumed)
    assert len(await timers(desk)) == 1
    await desk.deliver(resumed)
    assert await timers(desk) == []


async def test_a_customer_who_is_back_before_a_restore_is_finished_is_not_reminded_after_it(
    desks: Desks,
) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    checkout = abandoned(desk)
    await desk.deliver(checkout)
    desk.hub.restored = Restored(7, is_unfinished=True)
    await desk.deliver(CheckoutResumed(shop=SHOP, order_id=checkout.order_id, code=checkout.code))
    assert await timers(desk) == []


@pytest.mark.parametrize("is_another_process", [False, True])
async def test_a_reminder_that_waits_is_withdrawn_when_the_order_is_placed(
    desks: Desks, mail_server: MailServer, is_another_process: bool
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await switch(desk, on=True)
    order = an_order()
    await desk.deliver(abandoned(desk, order.order_id))
    await desk.deliver(abandoned(desk))
    await run_timers(desk)
    await desk.deliver(order)
    if is_another_process:
        recent.clear()
    before = withdrawn_mails()
    assert await send_until(desk, sender, settled) == {"done": 3, "withdrawn": 1}
    [ended] = await desk.fetch(
        "SELECT template, detail, order_id, effect_state, id FROM mail_with_state WHERE state = 'withdrawn'"
    )
    assert tuple(ended)[:4] == ("checkout_abandoned", PLACED, order.order_id, "discarded")
    (event,) = reports(desk, MailWithdrawn)
    assert [(one.mail_id, one.kind, one.template) for one in event] == [
        (ended["id"], "placed", "checkout_abandoned")
    ]
    assert reports(desk, MailFailed) == []
    assert withdrawn_mails() == before + 1


async def test_a_reminder_that_waited_for_days_is_withdrawn_unless_a_person_sends_it_again(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await switch(desk, on=True)
    await desk.deliver(abandoned(desk))
    await run_timers(desk)
    await desk.hub.pool.execute("UPDATE mail SET created_at = created_at - interval '49 hours'")
    recent.clear()
    assert await send_until(desk, sender, settled) == {"withdrawn": 1}
    [mail] = await desk.fetch("SELECT id, detail FROM mail_with_state")
    assert mail["detail"] == WITHDRAWN_LATE
    async with a_client(desk) as client:
        for state, expected in (("withdrawn", [str(mail["id"])]), ("failed", []), ("discarded", [])):
            body = {"shop": SHOP, "state": state}
            listed = (await client.get("/internal/mails", params=body)).json()["mails"]
            assert [one["id"] for one in listed] == expected
    await desk.deliver(ResendMail(shop=SHOP, mail_id=mail["id"], actor="staff:maelle"))
    assert await send_until(desk, sender, settled) == {"done": 1}


async def test_a_withdrawn_reminder_that_a_person_sends_after_the_order_was_placed_ends_its_command(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await switch(desk, on=True)
    order = an_order()
    await desk.deliver(abandoned(desk, order.order_id))
    await run_timers(desk)
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    mail = await desk.fetchval("SELECT id FROM mail_with_state WHERE state = 'withdrawn'")
    command = ResendMail(shop=SHOP, order_id=order.order_id, mail_id=mail, actor="staff:maelle")
    outcome = await desk.deliver(command)
    desk._units.clear()
    assert await send_until(desk, sender, settled) == {"done": 2, "withdrawn": 1}
    (envelope,) = [envelope for envelope, message in desk.emitted() if isinstance(message, MailWithdrawn)]
    assert envelope.causation_id == outcome.envelope.id


def withdrawn_mails() -> float:
    labels = {"service": "notifier", "kind": "mail", "outcome": "withdrawn"}
    return REGISTRY.get_sample_value("comptoir_effects_total", labels) or 0.0


@pytest.mark.parametrize("customer", [None, AbandonedBy(name="Zoé Lefèvre")])
async def test_a_customer_without_an_address_is_not_reminded(
    desks: Desks, customer: AbandonedBy | None
) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    assert (await desk.deliver(abandoned(desk, customer=customer))).result == "handled"
    assert await timers(desk) == []


async def test_what_was_switched_off_meanwhile_is_not_sent(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    await desk.deliver(abandoned(desk))
    await switch(desk, on=False, based_on=1)
    await run_timers(desk)
    assert await reminders(desk) == []


async def test_a_replay_reminds_nobody(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    await replay(desk, abandoned(desk))
    assert await timers(desk) == []


async def test_a_reminder_that_is_days_late_is_not_sent(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    await desk.deliver(abandoned(desk))
    await run_timers(desk, due_at=(PLACED_AT - timedelta(days=900)).isoformat())
    assert await reminders(desk) == []


async def test_an_erased_customer_is_not_reminded(desks: Desks) -> None:
    desk = await desks("notifier")
    await switch(desk, on=True)
    checkout = abandoned(desk)
    await desk.deliver(checkout)
    key = (SHOP, checkout.order_id)
    async with desk.unit() as unit:
        assert await delete_reminders(unit.connection, [key, (SHOP, uuid7())]) == 1
    assert await timers(desk) == []


@pytest.mark.parametrize("resume_url", [None, "https://boutique.example/cart/88231?token=Xk3&lang=en"])
async def test_the_mail_leads_back_to_the_checkout_alone_and_is_reported_about_it(
    desks: Desks, mail_server: MailServer, resume_url: str | None
) -> None:
    desk, sender = await a_desk(desks, mail_server, page_url="https://commande.example")
    await switch(desk, on=True)
    checkout = abandoned(desk, resume_url=resume_url)
    await desk.deliver(checkout)
    await run_timers(desk)
    assert await send_until(desk, sender, settled) == {"done": 1}
    [letter] = mail_server.journal
    assert letter["Subject"] == "Your order at Atelier Lumière is not finished"
    assert "Zoé Lefèvre" in str(letter["To"])
    assert "commande.example" not in letter.as_string(), "there is no order whose page it could show"
    text, html = [str(part.get_content()) for part in letter.walk() if part.get_content_maintype() == "text"]
    assert ("Go on with your order" in text) == ("Go on with your order" in html) == bool(resume_url)
    if resume_url:
        assert resume_url in text
        assert f'href="{escape(resume_url)}"' in html
    assert await desk.fetchval("SELECT order_id FROM mail") == checkout.order_id


@given(st.integers(30, 20_160), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_reminder_is_too_late_only_long_after_it_was_due(minutes: int, passed: timedelta) -> None:
    due = due_at(PLACED_AT, minutes)
    assert due - PLACED_AT == timedelta(minutes=minutes)
    assert is_too_late(due, PLACED_AT + passed) is (PLACED_AT + passed > due + TOO_LATE)
