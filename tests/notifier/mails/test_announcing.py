"""Which mails events ask for, on a real PostgreSQL: one per cause, in any order of the events."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.envelope import Envelope
from contracts.message import LineUnits, Message
from contracts.notifier.page import CancellationDeclined
from contracts.orders.changes import ChangeCause
from contracts.orders.lifecycle import Buyer, OrderPlaced
from contracts.payments.refunds import RefundFailed, RefundMarked, RefundSent
from services.chassis.testing import envelope_for
from services.notifier.mails import recipient_store, settings, store
from services.notifier.mails.compose.composing import write_pages
from services.notifier.mails.mail import Template, mail_id
from tests.conftest import Desks
from tests.notifier.builders import (
    a_cancelled_shipment,
    a_correction,
    a_lost_parcel,
    a_refund,
    a_shipment,
    a_status,
    an_edit,
    an_order,
)
from tests.notifier.tables import EQUAL_COLUMNS

_MAILS = "SELECT template, recipient, locale FROM mail ORDER BY template"


async def test_placed_order_notifies_merchant_and_customer(desks: Desks) -> None:
    desk = await desks("notifier")
    outcome = await desk.deliver(an_order(locale="en-GB"))
    assert outcome.result == "handled"
    assert [tuple(row) for row in await desk.fetch(_MAILS)] == [
        ("new_order", "commandes@atelier.example", "fr"),
        ("order_recap", "zoe@clients.example", "en-GB"),
    ]
    effects = await desk.fetch("SELECT key, kind, state FROM msg.effect ORDER BY key")
    mails = await desk.fetch("SELECT id::text AS id FROM mail ORDER BY id::text")
    assert [tuple(row) for row in effects] == [(mail["id"], "mail", "planned") for mail in mails]


async def test_mail_id_and_message_id_come_from_the_cause(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    outcome = await desk.deliver(order)
    expected = mail_id(order.shop, outcome.envelope.id, "zoe@clients.example", Template.ORDER_RECAP)
    row = (await desk.fetch("SELECT id, message_id FROM mail WHERE template = 'order_recap'"))[0]
    assert tuple(row) == (expected, f"<{expected}@atelier.example>")


async def test_repeat_writes_nothing(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    first = await desk.deliver(order)
    again = await desk.deliver(order, envelope=first.envelope)
    assert (first.result, again.result) == ("handled", "duplicate")
    assert await desk.fetchval("SELECT count(*) FROM mail") == 2


async def test_repeat_that_the_inbox_has_dropped_writes_nothing(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    first = await desk.deliver(order)
    await desk.fetch("DELETE FROM msg.inbox")
    again = await desk.deliver(order, envelope=first.envelope)
    assert again.result == "handled"
    assert await desk.fetchval("SELECT count(*) FROM mail") == 2
    assert await desk.fetchval("SELECT count(*) FROM msg.effect") == 2


async def test_shipment_is_announced_only_on_request(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(a_shipment(order.order_id, notify_customer=False))
    assert await desk.fetchval("SELECT count(*) FROM mail WHERE template = 'shipment_dispatched'") == 0
    await desk.deliver(a_shipment(order.order_id))
    assert (
        await desk.fetchval("SELECT recipient FROM mail WHERE template = 'shipment_dispatched'")
        == order.customer.email
    )


async def test_a_customer_without_an_address_gets_no_mail_and_the_merchant_does(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order(customer=Buyer(name="Zoé Lefèvre"))
    for message in (order, a_shipment(order.order_id), a_status(order.order_id, customer=None)):
        assert (await desk.deliver(message)).result == "handled"
    assert [row["template"] for row in await desk.fetch("SELECT template FROM mail")] == ["new_order"]
    await desk.deliver(an_edit(order, customer=Buyer(name="Zoé Lefèvre", email="zoe@nouvelle.example")))
    await desk.deliver(a_shipment(order.order_id))
    recipients = await desk.fetch("SELECT recipient FROM mail WHERE template = 'shipment_dispatched'")
    assert [row["recipient"] for row in recipients] == ["zoe@nouvelle.example"]


@pytest.mark.parametrize(
    ("made", "template"),
    [
        (a_correction, "shipment_updated"),
        (a_cancelled_shipment, "shipment_cancelled"),
        (a_lost_parcel, "parcel_lost"),
    ],
)
async def test_what_became_of_a_shipment_is_announced_only_when_ticked(
    desks: Desks, made: Callable[..., Message], template: str
) -> None:
    desk = await desks("notifier")
    order = an_order()
    assert (await desk.deliver(made(order.order_id))).result == "waiting"
    await desk.deliver(order)
    await desk.retry()
    assert (await desk.deliver(made(order.order_id, notify_customer=False))).result == "handled"
    mails = await desk.fetch(
        "SELECT recipient, template FROM mail WHERE recipient = $1", order.customer.email
    )
    assert sorted(row["template"] for row in mails) == sorted(["order_recap", template])


async def test_a_status_is_mailed_only_when_ticked_once_at_the_address_the_order_has_now(
    desks: Desks,
) -> None:
    desk = await desks("notifier")
    order = an_order()
    early = await desk.deliver(a_status(order.order_id, customer=None, locale=None))
    assert early.result == "waiting"
    assert (await desk.deliver(a_status(order.order_id, notify_customer=False))).result == "handled"
    await desk.deliver(order)
    await desk.retry()
    corrected = Buyer(name="Zoé Lefèvre", email="zoe@nouvelle.example")
    outcome = await desk.deliver(a_status(order.order_id, customer=corrected, locale="en"))
    await desk.fetch("DELETE FROM msg.inbox")
    await desk.deliver(a_status(order.order_id, customer=corrected), envelope=outcome.envelope)
    mails = await desk.fetch(
        "SELECT recipient, locale FROM mail WHERE template = 'status_updated' ORDER BY recipient"
    )
    assert [tuple(row) for row in mails] == [("zoe@clients.example", "fr"), ("zoe@nouvelle.example", "en")]


async def test_after_an_edit_mails_go_to_whom_the_order_names_now(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    edits = [an_edit(order, revision=3), an_edit(order, revision=2, customer=order.customer)]
    assert [(await desk.deliver(edit)).result for edit in edits] == ["waiting", "waiting"]
    await desk.deliver(order)
    await desk.retry()
    await desk.deliver(edits[1])
    await desk.deliver(a_shipment(order.order_id))
    mails = await desk.fetch("SELECT recipient FROM mail WHERE template = 'shipment_dispatched'")
    assert [mail["recipient"] for mail in mails] == ["zoe@nouvelle.example"]
    (row,) = await desk.fetch("SELECT name, revision, placed, edited FROM addressee")
    assert (row["name"], row["revision"]) == ("Zoé Lefèvre", 3)
    assert json.loads(row["placed"])["customer"]["email"] == "zoe@clients.example"
    assert json.loads(row["edited"])["customer"]["email"] == "zoe@nouvelle.example"


async def test_an_edit_and_a_shipment_in_the_batch_of_their_order(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    batch = [order, an_edit(order), a_shipment(order.order_id)]
    outcomes = await desk.deliver_all([(envelope_for("notifier", one), one, None) for one in batch])
    assert [outcome.result for outcome in outcomes] == ["handled"] * 3
    mails = await desk.fetch("SELECT recipient FROM mail WHERE template = 'shipment_dispatched'")
    assert [mail["recipient"] for mail in mails] == ["zoe@nouvelle.example"]
    assert await desk.fetchval("SELECT revision FROM addressee") == 3


async def test_shipment_before_its_order_waits_for_it(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    early = await desk.deliver(a_shipment(order.order_id))
    assert early.result == "waiting"
    assert await desk.fetchval("SELECT wait_key FROM msg.parked") == f"order:{order.order_id}"
    await desk.deliver(order)
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM mail WHERE template = 'shipment_dispatched'") == 1


async def test_order_and_its_shipment_in_one_batch(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    placed, shipped = _envelopes(order)
    outcomes = await desk.deliver_all([(placed, order, None), (shipped, a_shipment(order.order_id), None)])
    assert [outcome.result for outcome in outcomes] == ["handled", "handled"]
    assert await desk.fetchval("SELECT count(*) FROM mail") == 3


@pytest.mark.parametrize("kind", ["order", "shipment"])
async def test_unknown_shop_is_parked_with_what_to_do(desks: Desks, kind: str) -> None:
    desk = await desks("notifier")
    order = an_order(shop="elsewhere")
    message = order if kind == "order" else a_shipment(order.order_id, shop="elsewhere")
    outcome = await desk.deliver(message)
    assert outcome.result == "parked"
    row = (await desk.fetch("SELECT state, detail FROM msg.parked"))[0]
    assert row["state"] == "dead"
    assert "add it with its addresses" in row["detail"]


async def test_any_sequence_and_repetition_ends_in_the_same_rows(desks: Desks) -> None:
    order = an_order()
    first, second = (
        a_shipment(order.order_id),
        a_shipment(order.order_id, tracking_number=None, tracking_url=None),
    )
    placed, shipped = _envelopes(order)
    again = shipped.resent(id=second.shipment_id)
    status = a_status(order.order_id)
    batch = [
        (placed, order),
        (shipped, first),
        (again, second),
        (envelope_for("notifier", status), status),
    ]
    ends = []
    for sequence in itertools.permutations(batch):
        desk = await desks("notifier")
        for envelope, message in [*sequence, *reversed(sequence), *sequence]:
            await desk.deliver(message, envelope=envelope)
        await desk.retry()
        ends.append([await _rows(desk, table, columns) for table, columns in EQUAL_COLUMNS.items()])
    assert all(end == ends[0] for end in ends)
    assert len(ends[0][1]) == 5


def _envelopes(order: OrderPlaced) -> tuple[Envelope, Envelope]:
    return envelope_for("notifier", order), envelope_for("notifier", a_shipment(order.order_id))


async def _rows(desk: Any, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in await desk.fetch(f"SELECT {', '.join(columns)} FROM {table}"))  # noqa: S608


@pytest.mark.parametrize("is_ticked", [True, False])
async def test_a_cancellation_is_mailed_only_if_that_was_ticked(desks: Desks, is_ticked: bool) -> None:
    desk, order = await desks("notifier"), an_order(locale="en-GB")
    cancelled = an_edit(
        order, cause=ChangeCause.CANCELLED, notify_customer=is_ticked, public_comment="Out of stock."
    )
    await desk.deliver(order)
    await desk.deliver(cancelled)
    await desk.deliver(an_edit(order, revision=4, notify_customer=True), sender="orders")
    mails = await desk.fetch("SELECT recipient, locale, context FROM mail WHERE template = 'order_cancelled'")
    values = [(row["recipient"], row["locale"], json.loads(row["context"])) for row in mails]
    assert (
        values == [("zoe@nouvelle.example", "en-GB", {"public_comment": "Out of stock."})][: int(is_ticked)]
    )


@pytest.mark.parametrize("locale", ["fr", "en"])
async def test_a_customer_is_notified_by_mail_that_a_request_to_cancel_is_declined(
    desks: Desks, locale: str
) -> None:
    desk, order = await desks("notifier"), an_order(locale=locale)
    declined = CancellationDeclined(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        public_comment="Déjà gravée\nà vos initiales.",
        actor="lea@atelier.example",
    )
    early = await desk.deliver(declined)
    assert early.result == "waiting"
    await desk.deliver(order)
    await desk.retry()
    await desk.deliver(declined, envelope=early.envelope)
    (row,) = await desk.fetch("SELECT id FROM mail WHERE template = 'cancellation_declined'")
    async with desk.hub.acquire() as connection:
        (mail,) = await store.read_mails(connection, [row["id"]])
        (recipient,) = await recipient_store.read_recipients(connection, [(order.shop, order.order_id)])
    assert (mail.recipient, mail.locale) == (order.customer.email, locale)
    pages = write_pages(mail, recipient, settings.of(desk.hub).profile(order.shop))
    assert order.code in pages.subject
    for shown in (pages.text, pages.html):
        assert "Déjà gravée" in shown
        assert "à vos initiales." in shown


@pytest.mark.parametrize("expected", [RefundMarked, RefundSent])
async def test_a_refund_is_mailed_once_however_often_it_is_published(
    desks: Desks, expected: type[RefundMarked] | type[RefundSent]
) -> None:
    desk, order = await desks("notifier"), an_order()
    await desk.deliver(order)
    refund = a_refund(order, notify_customer=True, public_comment="Avec nos excuses.")
    about = {"shop": order.shop, "order_id": order.order_id, "code": order.code}
    for version in (3, 4):
        fields = refund.model_copy(update={"version": version})
        assert (await desk.deliver(expected(**about, refund=fields))).result == "handled"
    await desk.deliver(expected(**about, refund=a_refund(order)))
    (mail,) = await desk.fetch("SELECT recipient, context FROM mail WHERE template = 'refund_made'")
    assert mail["recipient"] == order.customer.email
    assert json.loads(mail["context"]) == {
        "mode": "sent",
        "state": "sent",
        "amount_minor": 1250,
        "currency": "EUR",
        "lines": [{"line": 1, "quantity": 1, "restock": False}],
        "public_comment": "Avec nos excuses.",
    }
    assert await desk.fetchval("SELECT count(*) FROM msg.effect") == 3


@pytest.mark.parametrize(
    ("is_ticked", "reference", "mails"), [(True, "re_1", 1), (False, "re_1", 0), (True, None, 0)]
)
async def test_who_was_notified_of_a_refund_is_notified_once_that_it_failed(
    desks: Desks, is_ticked: bool, reference: str | None, mails: int
) -> None:
    """One that its provider never took was announced to nobody."""
    desk, order = await desks("notifier"), an_order()
    refund = a_refund(order, notify_customer=is_ticked, provider_reference=reference, detail="Account closed")
    failed = RefundFailed(shop=order.shop, order_id=order.order_id, code=order.code, refund=refund)
    assert (await desk.deliver(failed)).result == ("waiting" if mails else "handled")
    await desk.deliver(order)
    await desk.retry()
    assert (await desk.deliver(failed)).result == "handled"
    found = await desk.fetch("SELECT recipient, context FROM mail WHERE template = 'refund_failed'")
    shown = {"amount_minor": 1250, "currency": "EUR"}
    assert [(row["recipient"], json.loads(row["context"])) for row in found] == [
        (order.customer.email, shown)
    ] * mails


@pytest.mark.parametrize(
    ("locale", "subject", "expected"),
    [
        ("fr", "Votre commande {} : des articles sont annulés", "Articles annulés"),
        ("en", "Your order {}: some items are cancelled", "Items cancelled"),
    ],
)
async def test_of_an_order_that_left_in_part_the_mail_names_what_is_cancelled(
    desks: Desks, locale: str, subject: str, expected: str
) -> None:
    desk, order = await desks("notifier"), an_order(locale=locale)
    cancelled = an_edit(
        order,
        cause=ChangeCause.CANCELLED,
        notify_customer=True,
        cancelled_lines=[LineUnits(line=order.lines[0].line, quantity=1)],
    )
    await desk.deliver(order)
    await desk.deliver(cancelled)
    key = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_cancelled'")
    async with desk.hub.acquire() as connection:
        (mail,) = await store.read_mails(connection, [key])
        (recipient,) = await recipient_store.read_recipients(connection, [(order.shop, order.order_id)])
    pages = write_pages(mail, recipient, settings.of(desk.hub).profile(order.shop))
    assert pages.subject.replace("\xa0", " ").replace("\u202f", " ") == subject.format(order.code)
    for shown in (pages.text, pages.html):
        assert expected in shown
        assert "1 × " in shown
        assert order.lines[0].description in shown
        assert f"{order.code} is cancelled" not in shown
        assert "est annulée. Si" not in shown
