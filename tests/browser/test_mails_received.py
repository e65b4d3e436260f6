"""Mails that arrive at the receiver: an answer in the open conversation, one from another sender, mails to be filed."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from playwright.async_api import expect

from deploy.demo.mail.answering import answer_to, deliver
from deploy.local.mailserver import read_journal
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.test_conversation import BADGE, Bought, an_order, write
from tests.browser.visitor import BOTH_LOOKS, FOUR_LOOKS, Look
from tests.journeys.mailbox import text_of
from tests.notifier.sending.bounces.letters import a_report

pytestmark = pytest.mark.rows("B17", "C23")
FILING = "/conversation/mails"
REFRESH_MILLISECONDS = 5000
"""How often a page looks whether it has to ask again, as in `refreshing.js`."""


def a_mail(shop: OwnShop, sender: str, subject: str, text: str, picture: bytes = b"") -> EmailMessage:
    """Return a mail to the shop's own address, which belongs to no conversation."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = (
        sender,
        shop.merchant.replace("commandes", "boutique"),
        subject,
    )
    mail.set_content(text)
    if picture:
        mail.add_attachment(picture, maintype="image", subtype="png", filename="colis abîmé.png")
    return mail


async def receive(shop: OwnShop, mail: EmailMessage) -> None:
    """Deliver a mail to the receiver, as the shop's own mail server does."""
    await deliver(shop.system.inbound_port, str(mail["From"].addresses[0].addr_spec), mail)


async def receive_to_file(shop: OwnShop, *mails: EmailMessage) -> None:
    """Deliver mails without a conversation, and wait until they are listed to be filed."""
    for mail in mails:
        await receive(shop, mail)
    subjects = {str(mail["Subject"]) for mail in mails}

    async def are_listed() -> bool | None:
        async with shop.client("notifier") as http:
            answer = await http.get("/internal/inbound", params={"shop": shop.name, "outcome": "to_file"})
        return subjects <= {one["subject"] for one in answer.json()["mails"]} or None

    await shop.until("mails to be filed", are_listed)


async def test_an_answer_by_mail_shows_in_the_open_conversation_and_the_staffs_goes_out(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    visitor = await context("manager", f"/orders/{order.code}/conversation", lang="en")
    page = visitor.page
    await write(page, "Good morning,\n\nwhich size do you need for the notebook?")
    await expect(page.locator(".message.ours")).to_contain_text("which size do you need")
    [letter] = [one for one in await shop.mails_to(order.recipient, count=2) if "which size" in text_of(one)]
    await page.locator("#message-text").fill("While I type, ")
    await receive(shop, answer_to(letter, order.recipient, "Size 42, please."))
    theirs = page.locator(".message.theirs")
    await expect(theirs.locator(".message-text")).to_have_text("Size 42, please.")
    await expect(theirs.locator("details.folded").first).to_contain_text("which size do you need")
    await expect(theirs.locator("blockquote")).to_have_count(0)
    await expect(page.locator("#message-text")).to_have_value("While I type, ")
    await write(page, "Thank you, it leaves today.")
    await expect(page.locator(".message.ours").last).to_contain_text("it leaves today")
    letters = await shop.mails_to(order.recipient, count=3)
    [last] = [one for one in letters if "it leaves today" in text_of(one)]
    assert "Malik" not in last.as_string(), "no name of staff leaves"
    assert str(letter["Message-ID"]) in str(last["References"])
    assert last["Reply-To"] == letter["Reply-To"]
    assert await shop.mails_to(shop.merchant, order.code, count=2), "of the order and of the answer"


def nested(mail: EmailMessage, levels: int = 15) -> EmailMessage:
    """Return the mail within more multipart messages than are opened."""
    for _ in range(levels):
        outer = EmailMessage(policy=SMTP)
        for name in ("From", "To", "Subject", "In-Reply-To", "References"):
            if name in mail:
                outer[name] = mail[name]
                del mail[name]
        outer.set_content("Une partie du message")
        outer.make_mixed()
        outer.attach(mail)
        mail = outer
    return mail


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_mails_without_text_and_those_not_read_to_the_end_show_it_in_the_conversation(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    order = await an_order(shop)
    [letter] = await shop.mails_to(order.recipient)
    empty = answer_to(letter, order.recipient, "", is_quoting=False)
    empty.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="ticket.pdf")
    await receive(shop, empty)
    await receive(shop, nested(answer_to(letter, order.recipient, "Le fond", is_quoting=False)))
    visitor = await context("owner", f"/orders/{order.code}/conversation", look=look)
    page = visitor.page
    await expect(page.locator(".message.theirs")).to_have_count(2)
    shown = page.locator(".messages")
    for text in (
        "no text|sans texte",
        "ticket.pdf",
        "Part of this mail could not be read|Une partie de ce courriel n’a pas pu être lue",
    ):
        await expect(shown).to_contain_text(re.compile(text))
    await visitor.axe()
    await visitor.fits()
    await visitor.screenshot("conversation-unread-mails")


REPORTED = "could not be delivered"
UNREAD = re.compile("could not be read automatically|n’a pas pu être lu automatiquement")


async def receive_a_report_about_somebody_else(shop: OwnShop, order: Bought) -> None:
    """Have the customer's mail server report about an address to which the order's mail did not go: nobody can tell by
    itself what that means, so the report waits in the order's conversation.
    """
    [sent] = [one for one in read_journal(shop.system.mail_journal) if order.recipient in one.recipients]
    report = message_from_bytes(a_report("paul@clients.example.org"), policy=SMTP)
    report["To"] = sent.sender
    await deliver(shop.system.inbound_port, "", report)


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_mail_that_waits_to_be_filed_shows_in_its_open_conversation_until_it_is(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    order = await an_order(shop)
    visitor = await context("owner", f"/orders/{order.code}/conversation", look=look)
    page = visitor.page
    await page.locator("#message-text").fill("While I type, ")
    await receive_a_report_about_somebody_else(shop, order)
    waiting = page.locator(".messages .waiting-mail")
    await expect(waiting).to_contain_text(UNREAD)
    await expect(waiting).to_contain_text(re.compile("Unknown sender|Expéditeur inconnu"))
    await expect(page.locator(".message.theirs, .message.ours")).to_have_count(1)
    await expect(page.locator("#message-text")).to_have_value("While I type, ")
    await visitor.axe()
    await visitor.screenshot("conversation-waiting-mail")
    await visitor.fits()

    other = await context("manager", f"/orders/{order.code}", look=look)
    await other.go(f"/orders/{order.code}#conversation")
    await other.page.locator("#conversation .waiting-mail a").click()
    await expect(other.page.frame_locator(".mail-frame").locator("body")).to_contain_text(REPORTED)
    file_it = re.compile(f"(File under|Classer).*{order.code}")
    await other.page.get_by_role("button", name=file_it).first.click()
    await expect(other.page.locator(".message.theirs")).to_contain_text(REPORTED)
    await expect(other.page.locator(".waiting-mail")).to_have_count(0)
    await expect(page.locator(".message.theirs")).to_contain_text(REPORTED)
    await expect(waiting).to_have_count(0)
    await expect(page.locator("#message-text")).to_have_value("While I type, ")


async def test_a_waiting_mail_that_is_set_aside_leaves_its_open_conversation(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    visitor = await context("owner", f"/orders/{order.code}/conversation", lang="en")
    page = visitor.page
    await receive_a_report_about_somebody_else(shop, order)
    waiting = page.locator(".messages .waiting-mail")
    path = await waiting.get_by_role("link", name="Show the original mail").get_attribute("href")
    other = await context("owner", str(path), lang="en")
    await other.page.locator("#field-reason").fill("About somebody else")
    await other.page.get_by_role("button", name="Set it aside").click()
    await expect(page.get_by_text("No messages yet.")).to_be_visible()
    await expect(waiting).to_have_count(0)


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_another_sender_is_recognised_as_the_customer_and_taken_back_with_one_click(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    order = await an_order(shop)
    [letter] = await shop.mails_to(order.recipient)
    partner = f"paul.{order.code.lower()}@partner.example.org"
    await receive(shop, answer_to(letter, f"Paul Faure <{partner}>", "Je réponds pour Élodie."))
    visitor = await context("owner", f"/orders/{order.code}/conversation", look=look)
    page = visitor.page
    await expect(page.locator(".message.theirs")).to_contain_text(partner)
    await visitor.axe()
    await visitor.screenshot("conversation-other-sender")
    await visitor.fits()
    await page.get_by_role("button", name=re.compile("This is the customer|C’est le client")).click()
    recognised = re.compile("The customer’s other address|Autre adresse du client")
    await expect(page.locator(".message.theirs")).to_contain_text(recognised)
    await receive(shop, answer_to(letter, partner, "Et merci encore."))
    await expect(page.locator(".message.theirs").last).to_contain_text("Élodie Faure")
    await visitor.axe()
    await visitor.screenshot("conversation-recognised")
    await visitor.fits()
    await page.get_by_role(
        "button", name=re.compile("This is not the customer|Ce n’est pas le client")
    ).click()
    first = page.locator(".message.theirs").first
    await expect(first).to_contain_text(re.compile("Not the customer’s address|Pas l’adresse du client"))
    await receive(shop, answer_to(letter, partner, "Et bonne journée."))
    last = page.locator(".message.theirs").last
    await expect(last).to_contain_text("Et bonne journée.")
    await expect(last).to_contain_text(re.compile("Not the customer’s address|Pas l’adresse du client"))
    await expect(page.locator(".message.theirs").nth(1)).to_contain_text("Élodie Faure")
    await visitor.axe()
    await visitor.screenshot("conversation-taken-back")
    await visitor.fits()


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_mails_to_be_filed_are_readable_and_filed_with_one_click(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    order, subject = await an_order(shop), f"Colis abîmé {look}"
    await shop.until_searchable(order.code)
    text = (
        "Bonjour,\n\nle carton est arrivé ouvert et la bougie est cassée. Voici une photo.\n\n> Votre colis"
    )
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452")
    await receive(shop, a_mail(shop, f"Élodie Faure <{order.recipient}>", subject, text, png))
    await receive(
        shop, a_mail(shop, "promo@partner.example.org", f"Encres en gros {look}", "Nos prix. " * 60)
    )
    visitor = await context("fulfilment", FILING, look=look)
    page = visitor.page
    row = page.locator(".received-mail", has_text=subject)
    await expect(row).to_contain_text("la bougie est cassée")
    await expect(row).not_to_contain_text("> Votre colis")
    await visitor.axe()
    await visitor.screenshot("mails-to-file")
    await visitor.fits()
    await row.get_by_role("link", name=subject).click()
    await expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("la bougie est cassée")
    await visitor.axe()
    await visitor.screenshot("mail-to-file")
    await visitor.fits()
    await page.get_by_role("button", name=re.compile(f"(File under|Classer).*{order.code}")).click()
    await expect(page.locator(".message.theirs")).to_contain_text("la bougie est cassée")
    await expect(page.locator(".message.theirs .attachments")).to_contain_text("colis abîmé.png")
    await visitor.go(f"{FILING}?show=filed")
    await expect(page.locator(".received-mail", has_text=subject)).to_contain_text(order.code)
    await visitor.axe()
    await visitor.screenshot("mails-filed")
    await visitor.fits()


async def test_the_list_shows_a_new_mail_by_itself_and_keeps_what_is_typed(
    context: PageContext, shop: OwnShop
) -> None:
    sender = "anne@partner.example.org"
    await receive_to_file(shop, a_mail(shop, sender, "The first mail", "Which size is it?"))
    visitor = await context("manager", FILING, lang="en")
    page = visitor.page
    await page.clock.install()
    await visitor.go(FILING)
    requests = list[str]()
    page.on("request", lambda request: requests.append(request.url) if "/now" in request.url else None)
    before = await page.locator(BADGE).text_content() or ""
    tab = page.locator(".tabs").get_by_role("link", name="Mails to be filed")
    listed = int(re.sub(r"\D", "", await tab.inner_text()))
    field = page.locator(".received-mail", has_text="The first mail").get_by_label("Order code")
    await field.fill("K7")
    await receive_to_file(shop, a_mail(shop, sender, "The second mail", "And which colour?"))
    await expect(page.locator(BADGE)).not_to_have_text(before)
    await page.clock.fast_forward(REFRESH_MILLISECONDS)
    await expect(field).to_be_focused()
    assert requests == [], "nothing is replaced while somebody types"
    await field.blur()
    await page.clock.fast_forward(REFRESH_MILLISECONDS)
    await expect(page.locator(".received-mail").first).to_contain_text("The second mail")
    await expect(tab).to_contain_text(str(listed + 1))
    await expect(field).to_have_value("K7")
    assert len(requests) == 1


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_mail_is_set_aside_with_a_reason(context: PageContext, shop: OwnShop, look: Look) -> None:
    subject = f"Publicité {look}"
    await receive_to_file(shop, a_mail(shop, "promo@partner.example.org", subject, "Nos prix baissent."))
    visitor = await context("owner", FILING, look=look)
    page = visitor.page
    await page.locator(".received-mail", has_text=subject).get_by_role("link", name=subject).click()
    aside = page.get_by_role("button", name=re.compile("^(Set it aside|Le mettre de côté)$"))
    visitor.provokes(422)
    await page.locator("#field-reason").evaluate("field => field.removeAttribute('required')")
    await aside.click()
    await expect(page.locator("[aria-invalid=true]")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("mail-set-aside-refused")
    await page.locator("#field-reason").fill("Publicité")
    await aside.click()
    await expect(page.locator(".received-mail", has_text=subject)).to_have_count(0)
    await visitor.go(f"{FILING}?show=filed")
    await expect(page.locator(".received-mail", has_text=subject)).to_contain_text("Publicité")
