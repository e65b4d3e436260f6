"""An invoice issued at placement goes with the recap in one mail: never two of either, and neither is lost."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notifier.mails import ConfirmMail
from contracts.orders.lifecycle import Buyer, OrderDeleted, OrderPlaced
from contracts.payments.invoices import InvoicingChanged, IssueAt
from services.chassis.background.effect_settlement import effect_of
from services.chassis.background.effects import Done, Effect
from services.chassis.testing import Desk, envelope_for
from services.notifier.mails.holding.hold import WAIT, mails_at_placement, waits
from services.notifier.mails.holding.holds import TIMER
from services.notifier.mails.holding.releasing import run_out
from services.notifier.mails.recent import recent
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier.builders import PLACED_AT, SHOP, an_order
from tests.notifier.mail_server import MailServer, ServerBehaviour
from tests.notifier.replaying import replay
from tests.notifier.sending.test_attachments import PDF, Payments, issued
from tests.notifier.sending.test_sending import a_desk, send_until, settled

pytestmark = pytest.mark.rows("A06", "A30")


def invoicing(**changes: Any) -> InvoicingChanged:
    values: dict[str, Any] = {
        "shop": SHOP,
        "version": 1,
        "is_on": True,
        "issue_at": IssueAt.PLACEMENT,
        "mails_customer": True,
        "changed_by": "staff:maelle",
        "changed_at": PLACED_AT,
    }
    return InvoicingChanged(**{**values, **changes})


async def placed(desk: Desk, **changes: Any) -> OrderPlaced:
    """An order of a shop whose invoices are issued and mailed at placement."""
    await desk.deliver(invoicing())
    order = an_order(**changes)
    await desk.deliver(order)
    return order


async def to_customer(desk: Desk) -> list[tuple[str, str | None]]:
    """The mails to customers: template, and the number of the invoice that a recap carries."""
    rows = await desk.fetch(
        """SELECT template, context->'invoice'->>'number' FROM mail WHERE template <> 'new_order'
           ORDER BY template"""
    )
    return [tuple(row) for row in rows]


async def timers(desk: Desk) -> list[Any]:
    return await desk.fetch("SELECT key, payload, due_at FROM msg.timer WHERE kind = $1", TIMER)


async def run_timers(desk: Desk) -> None:
    for timer in await timers(desk):
        async with desk.unit() as unit:
            await run_out(unit, timer["key"], json.loads(timer["payload"]))


async def test_recap_and_invoice_are_one_mail(desks: Desks) -> None:
    desk = await desks("notifier")
    order = await placed(desk)
    assert await to_customer(desk) == []
    assert len(await timers(desk)) == 1
    invoice = issued(order)
    for _ in range(2):
        await desk.deliver(invoice)
    assert await to_customer(desk) == [("order_recap", "F2026-00042")]
    assert await timers(desk) == []
    await desk.deliver(issued(order, number="F2026-00043"))
    assert await to_customer(desk) == [("invoice", None), ("order_recap", "F2026-00042")]


async def test_an_invoice_before_its_order_goes_with_the_recap_too(desks: Desks) -> None:
    desk = await desks("notifier")
    await desk.deliver(invoicing())
    order = an_order()
    assert (await desk.deliver(issued(order))).result == "waiting"
    await desk.deliver(order)
    await desk.retry()
    assert await to_customer(desk) == [("order_recap", "F2026-00042")]


async def test_a_recap_waits_three_minutes_and_the_invoice_follows(desks: Desks) -> None:
    desk = await desks("notifier")
    order = await placed(desk)
    [timer] = await timers(desk)
    assert timer["due_at"] - await desk.fetchval("SELECT now()") <= timedelta(minutes=3) == WAIT
    await run_timers(desk)
    assert await to_customer(desk) == [("order_recap", None)]
    for _ in range(2):
        await desk.deliver(issued(order, number="F2026-00044"))
    invoices = [one for one in await to_customer(desk) if one[0] == "invoice"]
    assert len(invoices) == 2, "two documents"
    recap = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    assert await desk.fetchval("SELECT thread_mail_id FROM addressee") == recap


async def test_a_timer_that_comes_too_late_changes_nothing(desks: Desks) -> None:
    desk = await desks("notifier")
    order = await placed(desk)
    late = await timers(desk)
    await desk.deliver(issued(order))
    for timer in late:
        async with desk.unit() as unit:
            await run_out(unit, timer["key"], json.loads(timer["payload"]))
    assert await to_customer(desk) == [("order_recap", "F2026-00042")]


async def test_a_document_that_is_not_mailed_lets_the_recap_go_alone(desks: Desks) -> None:
    desk = await desks("notifier")
    order = await placed(desk)
    await desk.deliver(issued(order, mails_customer=False))
    assert await to_customer(desk) == [("order_recap", None)]


@pytest.mark.parametrize(
    "setting",
    [
        {"is_on": False},
        {"issue_at": IssueAt.PAYMENT},
        {"missing": ["siret"]},
        {"mails_customer": False},
        {"mails_customer": None},
        {"issues": False},
        {"issues": True, "since": PLACED_AT + timedelta(days=400)},
    ],
)
async def test_the_recap_of_another_shop_goes_at_once(desks: Desks, setting: dict[str, Any]) -> None:
    desk = await desks("notifier")
    await desk.deliver(invoicing(version=2, **setting))
    await desk.deliver(invoicing(version=1))
    order = an_order()
    await desk.deliver(order)
    assert await to_customer(desk) == [("order_recap", None)]
    await desk.deliver(issued(order))
    assert await to_customer(desk) == [("invoice", None), ("order_recap", None)]


async def test_of_two_events_about_one_version_the_later_one_counts(desks: Desks) -> None:
    desk = await desks("notifier")
    events = [
        (envelope_for("notifier", one), one)
        for one in (invoicing(issues=True, since=PLACED_AT), invoicing(issues=False, since=PLACED_AT))
    ]
    for envelope, message in reversed(events):
        await desk.deliver(message, envelope=envelope)
    await desk.deliver(an_order())
    assert await to_customer(desk) == [("order_recap", None)]
    await desk.deliver(invoicing(issues=True, since=PLACED_AT))
    await desk.deliver(an_order())
    assert len(await timers(desk)) == 1


async def test_an_event_that_an_older_notifier_ignored_counts_once_it_is_replayed(desks: Desks) -> None:
    """As the changelog's upgrade notes say of a payments that was upgraded first. The older notifier kept no time."""
    desk = await desks("notifier")
    ignored = invoicing(issues=True, since=PLACED_AT)
    envelope = envelope_for("notifier", ignored)
    await desk.deliver(ignored, envelope=envelope)
    async with desk.hub.acquire() as connection:
        await connection.execute(
            "UPDATE shop_invoicing SET mails_at_placement = false, since = NULL, stated_at = NULL"
        )
    await replay(desk, ignored, envelope)
    await desk.deliver(an_order())
    assert len(await timers(desk)) == 1
    assert await to_customer(desk) == []


async def test_a_customer_without_an_address_gets_neither(desks: Desks) -> None:
    desk = await desks("notifier")
    order = await placed(desk, customer=Buyer(name="Zoé Lefèvre"))
    await desk.deliver(issued(order))
    await run_timers(desk)
    assert await to_customer(desk) == []


async def test_a_repeat_and_a_replay_add_nothing(desks: Desks) -> None:
    desk = await desks("notifier")
    await desk.deliver(invoicing())
    order = an_order()
    first = await desk.deliver(order)
    await desk.deliver(issued(order))
    await desk.fetch("DELETE FROM msg.inbox")
    await desk.deliver(order, envelope=first.envelope)
    await run_timers(desk)
    await replay(desk, order, first.envelope)
    assert await to_customer(desk) == [("order_recap", "F2026-00042")]


async def test_the_recap_of_a_deleted_order_never_goes(desks: Desks) -> None:
    desk = await desks("notifier")
    order = await placed(desk)
    deleted = OrderDeleted(
        shop=SHOP, order_id=order.order_id, code=order.code, reason="Essai", actor="lea", deleted_at=PLACED_AT
    )
    await desk.deliver(deleted)
    await run_timers(desk)
    assert await to_customer(desk) == []
    assert await timers(desk) == []


async def test_the_mail_has_the_recap_and_the_pdf(desks: Desks, mail_server: MailServer) -> None:
    async with Payments(503) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = await placed(desk)
        await desk.deliver(issued(order))
        assert await send_until(desk, sender, settled) == {"done": 2}
    (letter,) = [one for one in mail_server.journal if "zoe" in one["To"]]
    (attached,) = letter.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("F2026-00042.pdf", PDF)
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Votre facture F2026-00042 est jointe" in body.get_content()
    assert "récapitulatif" in body.get_content()


async def test_a_pdf_that_can_not_be_made_holds_back_no_recap(desks: Desks, mail_server: MailServer) -> None:
    async with Payments(409, 409) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = await placed(desk)
        await desk.deliver(issued(order))
        assert await send_until(desk, sender, settled) == {"done": 2, "failed": 1}
    assert await to_customer(desk) == [("invoice", None), ("order_recap", "F2026-00042")]
    (letter,) = [one for one in mail_server.journal if "zoe" in one["To"]]
    assert "F2026-00042" not in letter.as_string()


async def test_a_pdf_that_is_late_follows_in_a_mail_of_its_own(desks: Desks, mail_server: MailServer) -> None:
    async with Payments(503) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = await placed(desk)
        await desk.deliver(issued(order))
        await desk.fetch("UPDATE mail SET created_at = created_at - interval '4 minutes' RETURNING id")
        recent.clear()
        assert await send_until(desk, sender, settled) == {"done": 3}
    recap, invoice = (one for one in mail_server.journal if "zoe" in one["To"])
    assert list(recap.iter_attachments()) == []
    assert [one.get_content() for one in invoice.iter_attachments()] == [PDF]


@pytest.mark.parametrize("has_died", [False, True])
async def test_an_invoice_is_not_lost_with_a_recap_that_is_taken_as_arrived(
    desks: Desks, mail_server: MailServer, has_died: bool
) -> None:
    async with Payments(409) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = await placed(desk)
        await send_until(desk, sender, settled)
        await desk.deliver(issued(order))
        if has_died:
            effect = await in_flight(desk)
            assert isinstance(await sender.perform(effect), Done)
            sender = Sender(desk.hub)
        else:
            mail_server.will("DATA", ServerBehaviour.KEEP_AND_DROP)
        assert await send_until(desk, sender, settled) == {"done": 1, "uncertain": 1}
        recap = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
        for _ in range(2):
            await desk.deliver(ConfirmMail(shop=SHOP, mail_id=recap, actor="lea"))
        assert await send_until(desk, sender, settled) == {"done": 3}
    recap_mail, invoice = (one for one in mail_server.journal if "zoe" in one["To"])
    assert list(recap_mail.iter_attachments()) == []
    assert [one.get_content() for one in invoice.iter_attachments()] == [PDF]


async def test_a_recap_with_its_invoice_that_is_taken_as_arrived_is_all(
    desks: Desks, mail_server: MailServer
) -> None:
    async with Payments() as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = await placed(desk)
        await send_until(desk, sender, settled)
        await desk.deliver(issued(order))
        mail_server.will("DATA", ServerBehaviour.KEEP_AND_DROP)
        assert await send_until(desk, sender, settled) == {"done": 1, "uncertain": 1}
    recap = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    await desk.deliver(ConfirmMail(shop=SHOP, mail_id=recap, actor="lea"))
    assert await to_customer(desk) == [("order_recap", "F2026-00042")]


async def in_flight(desk: Desk) -> Effect:
    """The planned effect, taken by a process that is gone."""
    (row,) = await desk.fetch(
        """UPDATE msg.effect SET state = 'in_flight', attempts = 1, lease_until = now() - interval '1 s'
           WHERE state = 'planned' RETURNING *"""
    )
    return effect_of(row)


@given(
    st.booleans(),
    st.sampled_from(IssueAt),
    st.lists(st.just("siret"), max_size=1),
    st.none() | st.booleans(),
    st.none() | st.booleans(),
    st.none() | st.integers(-2, 2),
)
def test_a_recap_waits_only_for_an_invoice_that_will_come(
    is_on: bool,
    issue_at: IssueAt,
    missing: list[str],
    mails: bool | None,
    issues: bool | None,
    seconds_after_since: int | None,
) -> None:
    changed = invoicing(is_on=is_on, issue_at=issue_at, missing=missing, mails_customer=mails, issues=issues)
    comes = is_on and issue_at is IssueAt.PLACEMENT and not missing and mails is True and issues is not False
    assert mails_at_placement(changed) is comes
    order = an_order()
    after = seconds_after_since
    since = None if after is None else order.placed_at - timedelta(seconds=after)
    invoiced = {SHOP: since} if comes else {}
    assert waits(order, invoiced) is (comes and (after is None or after >= 0))
    assert not waits(an_order(customer=Buyer(name="Zoé")), invoiced)
