"""A mail keeps the texts and the profile it was planned with, and a damaged text never stops it."""

import json

import pytest

from contracts.notifier.mail_texts import TextPart
from services.chassis.testing import Desk
from services.notifier.mails.recent import recent
from tests.conftest import Desks
from tests.notifier.builders import a_shipment, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_held_recaps import invoicing
from tests.notifier.sending.test_attachments import Payments, issued
from tests.notifier.sending.test_sending import a_desk, send_until, settled
from tests.notifier.texts.test_commands import profile, resetting, setting
from tests.notifier.texts.test_picture import a_png


def recaps(server: MailServer) -> list[tuple[str, str]]:
    """Subject and text of the recaps that arrived."""
    return [
        (str(mail["Subject"]), mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        for mail in server.journal
        if "zoe" in mail["To"]
    ]


@pytest.mark.rows("C05")
@pytest.mark.parametrize("is_another_process", [False, True])
async def test_a_text_saved_between_plan_and_sending_is_for_the_next_mail(
    desks: Desks, mail_server: MailServer, is_another_process: bool
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(setting("Premier texte pour {{ customer_name }}."))
    await desk.deliver(profile(support_phone="01 01"))
    await desk.deliver(an_order())
    await desk.deliver(setting("Second texte.", 1))
    await desk.deliver(profile(1, support_phone="02 02"))
    if is_another_process:
        recent.clear()
    await send_until(desk, sender, settled)
    await desk.deliver(an_order())
    await desk.deliver(resetting(2))
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    texts = [text for _, text in recaps(mail_server)]
    texts.sort(key=lambda text: ("Premier" in text, "Second" in text))
    assert [("Premier texte pour Zoé Lefèvre." in text, "Second texte." in text) for text in texts] == [
        (False, False),
        (False, True),
        (True, False),
    ]
    assert ["01 01" in text for text in texts] == [False, False, True]
    assert "Nous avons bien reçu" in texts[0]
    rows = await desk.fetch(
        "SELECT versions FROM mail WHERE template = 'order_recap' ORDER BY created_at, id"
    )
    assert [json.loads(row["versions"]) for row in rows] == [
        {"intro": 1, "profile": 1},
        {"intro": 2, "profile": 2},
        {"profile": 2},
    ]


async def damage(desk: Desk) -> None:
    await desk.deliver(setting("Bonjour !"))
    await desk.hub.pool.execute("UPDATE template_text SET text = '{{ gone }} {{ customer_name'")


@pytest.mark.rows("C05")
async def test_a_damaged_text_stops_no_mail_and_the_merchant_is_notified_once(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await damage(desk)
    first, second = an_order(code="AAAA-0001"), an_order(code="AAAA-0002")
    await desk.deliver(first)
    await desk.deliver(second)
    assert await send_until(desk, sender, lambda states: states == {"done": 5}) == {"done": 5}
    shown = recaps(mail_server)
    assert len(shown) == 2
    assert all("Nous avons bien reçu votre commande" in text for _, text in shown)
    values = [mail for mail in mail_server.journal if "inutilisable" in mail["Subject"]]
    assert [mail["To"] for mail in values] == ["Atelier Lumière <commandes@atelier.example>"]
    assert "« Récapitulatif » (introduction)" in values[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert len(set(mail_server.message_ids)) == len(mail_server.message_ids) == 5


@pytest.mark.rows("C05", "A01")
async def test_mails_about_other_mails_keep_the_versions_in_force_too(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(profile(support_phone="03 03"))
    await damage(desk)
    mail_server.will("RCPT", "550 5.7.1 blocked as spam")
    await desk.deliver(an_order(code="AAAA-0001"))
    await desk.deliver(an_order(code="AAAA-0002"))
    assert await send_until(desk, sender, lambda states: sum(states.values()) == 6 and settled(states)) == {
        "done": 5,
        "bounced": 1,
    }
    rows = await desk.fetch("SELECT versions FROM mail WHERE template IN ('text_damaged', 'sender_refused')")
    assert [json.loads(row["versions"]) for row in rows] == [{"profile": 1}] * 2


@pytest.mark.rows("A06", "A30")
async def test_an_invoice_that_follows_its_recap_has_the_shops_own_text(
    desks: Desks, mail_server: MailServer
) -> None:
    async with Payments(409) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        await desk.deliver(setting("Gardez bien ce document.", template="invoice"))
        await desk.deliver(profile(support_phone="04 04"))
        await desk.deliver(invoicing())
        order = an_order()
        await desk.deliver(order)
        await desk.deliver(issued(order))
        assert await send_until(desk, sender, settled) == {"done": 3}
    text = recaps(mail_server)[-1][1]
    assert "Gardez bien ce document." in text
    assert "04 04" in text


async def test_a_subject_is_fixed_too_when_it_is_damaged(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(setting("Merci {{ customer_name }}", part=TextPart.SUBJECT))
    await desk.hub.pool.execute("UPDATE template_text SET text = '{{ gone }}'")
    await desk.deliver(an_order())
    await send_until(desk, sender, lambda states: states == {"done": 3})
    assert [subject for subject, _ in recaps(mail_server)] == [
        "Votre commande K7F3-QD9M chez Atelier Lumière"
    ]


async def test_each_mail_and_language_has_texts_of_its_own(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(setting("Parti par {{ carrier }} !", template="shipment_dispatched"))
    await desk.deliver(setting("Only in English", template="shipment_dispatched", locale="en"))
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(a_shipment(order.order_id))
    await send_until(desk, sender, settled)
    dispatched = recaps(mail_server)[-1][1]
    assert "Parti par Colissimo !" in dispatched
    assert "6A12345678901" in dispatched


@pytest.mark.rows("A01")
async def test_mails_show_the_support_block_as_staff_changed_it(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(
        profile(support_email="neuf@atelier.example", opening_hours="", signature="À bientôt,\nGarance")
    )
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    ((_, text),) = recaps(mail_server)
    assert "neuf@atelier.example" in text
    assert "+33 1 99 00 12 34" in text, "a field that was not changed is as in COMPTOIR_SHOPS"
    assert "lun–ven" not in text
    assert "À bientôt,\nGarance" in text.replace("\r\n", "\n")


@pytest.mark.rows("A01")
async def test_the_logo_travels_with_the_mail(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(profile(logo=a_png(), brand_colour="#8a2b0e"))
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    (recap,) = [mail for mail in mail_server.journal if "zoe" in mail["To"]]
    html = recap.get_body(("html",))
    assert html is not None
    assert 'src="cid:logo@shop.invalid" alt="Atelier Lumière"' in html.get_content()
    assert "#8a2b0e" in html.get_content()
    (logo,) = [part for part in recap.walk() if part.get_content_type() == "image/png"]
    assert (logo["Content-ID"], logo.get_content()) == ("<logo@shop.invalid>", a_png())
