"""Tasks of the guide about customers, conversations and mails, each done as its sentences say."""

import re

import pytest
from playwright.async_api import expect

from contracts.sale import Customer, PaymentMethod
from deploy.demo.mail.answering import answer_to
from tests.browser.conftest import Open, PageContext
from tests.browser.guide import Guide, open_order, read
from tests.browser.running_system import OwnShop, RunningSystem
from tests.browser.test_conversation import an_order
from tests.browser.test_customer_page import a_link, visit
from tests.browser.test_mails_received import a_mail, receive, receive_to_file
from tests.browser.visitor import Look
from tests.journeys.sales import notebooks

pytestmark = pytest.mark.rows("A31")
LANGUAGES = pytest.mark.parametrize("lang", ["fr", "en"])


async def test_an_answer_by_mail_is_read_and_answered_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    [letter] = await shop.mails_to(order.recipient)
    partner = f"paul.{order.code.lower()}@partner.example.org"
    await receive(shop, answer_to(letter, f"Paul Faure <{partner}>", "Je réponds pour Élodie."))
    visitor = await context("fulfilment", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "mail-answers")
    await _until_open(guide, order.code)
    message = page.locator(".message.theirs").first
    await expect(message).to_contain_text("Je réponds pour Élodie.")
    earlier = message.locator("details.folded", has_text=str(guide.named(2))).first

    async def is_unfolded() -> bool | None:
        """It is folded again when the page shows by itself that the message was read."""
        if await earlier.get_attribute("open") is None:
            await earlier.locator("summary").click()
        return await earlier.locator("div").is_visible() or None

    await shop.until("earlier text", is_unfolded)
    await expect(message).to_contain_text(str(guide.named(3, 1)))
    await guide.button(3, 2).click()
    await expect(guide.button(3, 2)).to_have_count(0)
    await page.locator("#message-text").fill("Merci, il part demain.")
    await guide.button(4).click()
    await expect(page.locator(".message.ours")).to_contain_text("il part demain")
    await guide.link(5).first.click()
    await expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("Je réponds pour")


async def _until_open(guide: Guide, code: str) -> None:
    """Choose a conversation in the inbox, once what the customer wrote is known there."""
    await guide.follow_link(1)
    await guide.page.locator("#inbox").get_by_role("link", name=code).click()


async def test_a_quick_reply_is_written_and_chosen_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    visitor = await context("manager", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "quick-replies")
    await guide.follow_link(1)
    await guide.field(2, 1).fill("Leaves tomorrow")
    await guide.field(2, 2).fill("Votre commande {{ code }} part demain.")
    await guide.field(2, 3).fill("Your order {{ code }} leaves tomorrow.")
    await guide.button(3).click()
    await expect(page.locator("tbody")).to_contain_text("Leaves tomorrow")
    await visitor.go(f"/orders/{order.code}/conversation")
    await guide.button(4).click()
    await page.locator("#quick-replies").get_by_role("button", name="Leaves tomorrow").click()
    await expect(page.locator("#message-text")).to_have_value(f"Votre commande {order.code} part demain.")


async def test_mails_are_filed_and_set_aside_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    mine, other = f"Colis abîmé {order.code}", f"Publicité {order.code}"
    await receive_to_file(
        shop,
        a_mail(shop, "voisine@partner.example.org", mine, "Le carton est arrivé ouvert."),
        a_mail(shop, "promo@partner.example.org", other, "Nos prix baissent."),
    )
    visitor = await context("fulfilment", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "to-be-filed")
    await guide.follow_link(1)
    await page.get_by_role("link", name=mine).click()
    await guide.field(2, 1).fill(order.code)
    await guide.button(2, 2).click()
    await expect(page.locator(".message.theirs")).to_contain_text("Le carton est arrivé ouvert.")
    await guide.follow_link(1)
    await page.get_by_role("link", name=other).click()
    await guide.field(3, 1).fill("Publicité")
    await guide.button(3, 2).click()
    await expect(page.locator(".received-mail", has_text=other)).to_have_count(0)
    await visitor.go("/conversation/mails?show=filed")
    await expect(page.locator(".received-mail", has_text=other)).to_contain_text("Publicité")


async def test_a_request_to_cancel_is_declined_as_the_guide_describes(
    running: RunningSystem, shop: OwnShop, window: Open, context: PageContext
) -> None:
    order, path = await a_link(running, shop)
    code = str((await shop.shown(order))["code"])
    customer = await visit(running, window, f"{path}?lang=en", Look("en"))
    await customer.page.get_by_role("link", name="Ask to cancel the order").click()
    await customer.page.get_by_label("Why?").fill("Ordered twice")
    await customer.page.get_by_role("button", name="Ask to cancel").click()
    await shop.until_order(order, flags=["cancellation_requested"])
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "cancellation-request")
    await guide.follow_link(1)
    row = page.locator("tbody tr").filter(has_text=code)
    await expect(row).to_contain_text(str(guide.named(1)))
    await open_order(page, code)
    await guide.link(2).click()
    await expect(page.get_by_role("link", name=guide.named(3, 1))).to_be_visible()
    await guide.field(3, 2).fill("Déjà gravée.")
    await guide.button(3, 3).click()
    await shop.until_order(order, flags=[])


async def test_a_mail_is_read_and_sent_again_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    visitor = await context("manager", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "mails")
    await guide.follow_link(1)
    await page.locator("main input[name=q]").fill(order.code)
    await page.locator("main input[name=q]").press("Enter")
    await page.get_by_role("link", name=order.recipient).click()
    await expect(page.frame_locator("iframe").locator("body")).to_contain_text(order.code)
    await guide.button(3).click()
    assert len(await shop.mails_to(order.recipient, count=2)) == 2


async def test_an_address_is_stopped_and_allowed_again_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    visitor = await context("manager", "/", lang="fr")
    page, address = visitor.page, f"partie@{shop.name}.example.org"
    guide = await read(visitor, "suppressed")
    await guide.follow_link(1)
    stopping = page.get_by_role("region", name=guide.named(4, 1))
    await stopping.locator("[name=address]").fill(address)
    await stopping.locator("[name=reason]").fill("Elle l’a demandé")
    await guide.button(4, 2).click()
    listed = page.locator(".suppressed-list > li", has_text=address)
    await expect(listed).to_contain_text("Elle l’a demandé")
    await listed.locator("summary", has_text=str(guide.named(3, 1))).click()
    await listed.get_by_label(str(guide.named(3, 2))).fill("Elle a changé d’avis")
    await listed.locator("form button", has_text=str(guide.named(3, 1))).click()
    await expect(listed).to_have_count(0)


@LANGUAGES
async def test_mails_are_switched_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    minutes, low_stock, reminder = {
        "fr": (45, "Stock bas", "Panier abandonné"),
        "en": (50, "Low stock", "Abandoned checkout"),
    }[lang]
    visitor = await context("manager", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "mail-switches")
    await guide.follow_link(1)
    switches = page.get_by_role("region", name=guide.named(2))
    await switches.get_by_label(low_stock, exact=True).set_checked(lang == "en")
    await switches.get_by_label(reminder, exact=True).set_checked(lang == "fr")
    await guide.field(3).fill(str(minutes))
    await guide.button(4, within=".mail-switches").click()
    await expect(page.locator("#flashes .toast").first).to_be_visible()
    rules = (await shop.http.get("/v1/mail-rules")).json()
    switched = {one["mail"]: one["is_on"] for one in rules["switches"]}
    assert rules["abandoned_after_minutes"] == minutes
    assert (switched["stock_low"], switched["checkout_abandoned"]) == (lang == "en", lang == "fr")


@LANGUAGES
async def test_the_texts_of_a_mail_are_written_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    manager = await shop.person("manager")
    visitor = await context("manager", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "mail-texts")
    await guide.follow_link(1)
    await page.locator(f"a[href='/settings/mails/shipment_dispatched/{lang}']").click()
    await page.locator("#text-form [name=subject]").fill(f"Guide {lang} ")
    insert = page.get_by_role("group", name=guide.named(2))
    await page.locator("#text-form [name=subject]").press("End")
    await insert.locator("[data-insert='{{ order_code }}']").click()
    subject = page.locator("#text-form [name=subject]")
    await expect(subject).to_have_value(re.compile(rf"Guide {lang} \{{\{{ order_code \}}\}}"))
    await guide.button(3).click()
    frame = page.frame_locator("iframe[name=mail-preview-frame]")
    await expect(frame.get_by_text(f"Guide {lang}").first).to_be_visible()
    await guide.button(4).click()
    await shop.mails_to(manager.login, f"Guide {lang}")
    await guide.button(5).click()
    await expect(page.locator("#flashes .toast").first).to_be_visible()
    await visitor.go(f"/settings/mails/shipment_dispatched/{lang}")
    await expect(subject).to_have_value(re.compile(f"^Guide {lang}"))


async def test_all_orders_of_a_customer_are_seen_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    await shop.until_searchable(order.code)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "customers")
    await guide.follow_link(1)
    await page.locator("main input[name=q]").fill(order.recipient)
    await page.locator("main input[name=q]").press("Enter")
    await page.locator("tbody th a").first.click()
    for place in range(1, 5):
        heading = page.get_by_role("heading", name=guide.named(2, place), exact=True)
        await expect(heading).to_be_visible()
    await expect(page.get_by_role("link", name=order.code).first).to_be_visible()


@LANGUAGES
async def test_a_customer_is_erased_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    ada = Customer(name=f"Ada Guide {lang}", email=f"ada.guide.{lang}@{shop.name}.example.org")
    sale = shop.sale(notebooks(2), method=PaymentMethod.CHEQUE, customer=ada)
    [order] = await shop.order(sale)
    await shop.mails_to(sale.recipient)
    await shop.until_order(order, stock="reserved")
    await shop.change(order, "cancellation")
    code = str((await shop.until_order(order, state="cancelled"))["code"])
    visitor = await context("owner", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "erasure")
    await guide.follow_link(1)
    await page.get_by_role("link", name=f"Ada Guide {lang}").click()
    await guide.link(2).click()
    await guide.field(3, 1).fill("Demande du 12 mai, article 17")
    await guide.field(3, 2).fill(code)
    await guide.button(4).click()
    await page.wait_for_url("**/customers/erasures/*")
    await guide.follow_link(5)
    await expect(page.locator("tbody tr").first).to_contain_text("Demande du 12 mai, article 17")

    async def is_erased() -> bool | None:
        return "Ada Guide" not in str(await shop.shown(order)) or None

    await shop.until(f"erased order {order}", is_erased)
