"""The conversation: staff write from the order's page, the customer answers, the badge is updated live."""

import re
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PageContext
from tests.browser.customers import write_as_customer
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, FOUR_LOOKS, Look
from tests.journeys.mailbox import text_of
from tests.journeys.sales import notebooks

pytestmark = pytest.mark.rows("B17")
HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 120
BADGE = ".side .menu-count"


@dataclass(frozen=True)
class Bought:
    """An order, and its customer's mail address."""

    order_id: str
    code: str
    recipient: str


async def an_order(shop: OwnShop) -> Bought:
    """Place an order and return it once its customer has got the recap."""
    sale = shop.sale(notebooks(2))
    [order] = await shop.order(sale)
    await shop.mails_to(sale.recipient)
    return Bought(order, str((await shop.shown(order))["code"]), sale.recipient)


async def a_conversation(shop: OwnShop, text: str) -> str:
    """Return the code of an order whose customer has written."""
    order = await an_order(shop)
    await write_as_customer(shop, order.order_id, text)
    return order.code


async def write(page: Page, text: str) -> None:
    await page.locator("#message-text").fill(text)
    await page.locator("#message").get_by_role("button", name=re.compile("^(Send|Envoyer)$")).click()


async def test_staff_write_the_customer_answers_and_the_badge_changes_by_itself(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    visitor = await context("manager", f"/orders/{order.code}", lang="en")
    page = visitor.page
    await write(page, "Good morning, which size do you need?")
    await expect(page.locator("#conversation .message.ours")).to_contain_text("which size do you need?")
    await expect(page.locator("#message-text")).to_have_value("")
    letter = [one for one in await shop.mails_to(order.recipient, count=2) if "which size" in text_of(one)][
        -1
    ]
    assert "Malik" not in letter.as_string(), "no name of staff leaves"
    watcher = await context("owner", "/orders", lang="en")
    await expect(watcher.page.locator(BADGE)).to_have_text("")
    await write_as_customer(shop, order.order_id, "Size 42, please.")
    await expect(watcher.page.locator(BADGE)).to_contain_text("1")
    await expect(page.locator("#conversation .message.theirs")).to_contain_text("Size 42, please.")
    await watcher.page.locator(".side").get_by_role("link", name="Conversation").click()
    await watcher.page.get_by_role("link", name=order.code).click()
    await write(watcher.page, "Thank you, it leaves today.")
    await expect(watcher.page.locator(BADGE)).to_have_text("")
    await watcher.page.get_by_role("button", name="Close the conversation").click()
    await expect(watcher.page.get_by_text("Conversation closed.")).to_be_visible()


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_inbox_and_a_conversation_are_readable(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    code = await a_conversation(shop, f"Bonjour,\n\nOù est mon colis ?\n\n{HOSTILE}")
    visitor = await context("fulfilment", "/conversation", look=look)
    await expect(visitor.page.get_by_role("link", name=code)).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("conversation-inbox")
    await visitor.fits()
    await visitor.page.get_by_role("link", name=code).click()
    await expect(visitor.page.locator(".message.theirs")).to_contain_text("Où est mon colis ?")
    await write(visitor.page, "Il part demain.\n\nBonne journée")
    await expect(visitor.page.locator(".message.ours")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("conversation")
    await visitor.fits()


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_the_order_shows_its_conversation(context: PageContext, shop: OwnShop, look: Look) -> None:
    code = await a_conversation(shop, "Une question")
    visitor = await context("owner", f"/orders/{code}", look=look)
    await expect(visitor.page.locator("#conversation .message.theirs")).to_contain_text("Une question")
    await visitor.axe()
    await visitor.screenshot("order-conversation")
    await visitor.fits()


async def test_what_is_seen_is_read_and_what_is_typed_survives_a_reload(
    context: PageContext, shop: OwnShop
) -> None:
    code = await a_conversation(shop, "Avez-vous la 44 ?")
    visitor = await context("owner", f"/orders/{code}/conversation", lang="en")
    await expect(visitor.page.locator("[data-mark-read]")).to_have_count(0)
    await visitor.page.locator("#message-text").fill("Je regarde et je")
    await expect(visitor.page.get_by_text("Draft saved")).to_be_visible()
    await visitor.page.reload()
    await expect(visitor.page.locator("#message-text")).to_have_value("Je regarde et je")
    await visitor.page.locator("#message-text").fill("Je regarde et je reviens")
    await visitor.go("/orders")
    await visitor.go(f"/orders/{code}/conversation")
    await expect(visitor.page.locator("#message-text")).to_have_value("Je regarde et je reviens")
    await visitor.go("/conversation")
    await expect(visitor.page.locator(".thread-row", has_text=code)).to_be_visible()
    await expect(visitor.page.locator(".thread-row.unread", has_text=code)).to_have_count(0)


async def test_a_message_waits_for_an_unavailable_notifier_and_is_sent_once(
    context: PageContext, shop: OwnShop
) -> None:
    order = await an_order(shop)
    visitor = await context("owner", f"/orders/{order.code}/conversation", lang="en")
    await shop.system.supervisor.stop("notifier")
    try:
        await write(visitor.page, "Your parcel leaves today.")
        await expect(visitor.page.locator(".message.unsent")).to_contain_text("Your parcel leaves today.")
        await expect(visitor.page.locator(".owner-down")).to_be_visible()
    finally:
        await shop.system.start("notifier")
    await expect(visitor.page.locator(".message.ours:not(.unsent)")).to_contain_text(
        "Your parcel leaves today."
    )
    letters = await shop.mails_to(order.recipient, count=2)
    assert sum("Your parcel leaves today." in text_of(one) for one in letters) == 1


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_quick_replies_are_kept_in_settings_and_go_to_the_cursor(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    code = (await an_order(shop)).code
    visitor = await context("owner", "/settings/replies", look=look)
    page, name = visitor.page, f"Départ {look}"
    await page.locator("#field-name").fill(name)
    await page.locator("#field-text_fr").fill("Bonjour {{ customer_name }}, {{ code }} part demain.")
    await page.locator("#field-text_en").fill("Hello {{ customer_name }}, {{ code }} leaves tomorrow.")
    await visitor.axe()
    await page.locator("main form button.primary").click()
    await expect(page.get_by_role("rowheader", name=name)).to_be_visible()
    await visitor.screenshot("quick-replies")
    await visitor.fits()
    await visitor.go(f"/orders/{code}/conversation")
    await page.locator("#message-text").fill("Merci.")
    await page.locator("[popovertarget=quick-replies]").click()
    await visitor.screenshot("quick-replies-open", whole=False)
    await page.locator("#quick-replies").get_by_role("button", name=name).click()
    await expect(page.locator("#message-text")).to_have_value(
        re.compile(rf"^Merci\.\n\nBonjour .+, {code} part")
    )


async def test_nothing_can_be_typed_into_a_box_whose_message_is_being_sent(
    context: PageContext, shop: OwnShop
) -> None:
    """The page is replaced once the message is posted; text typed in between would be lost."""
    order = await an_order(shop)
    visitor = await context("manager", f"/orders/{order.code}/conversation", lang="en")
    page, box = visitor.page, visitor.page.locator("#message-text")
    await page.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    await write(page, "It leaves today.")
    await expect(box).not_to_be_editable()
    await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow'))")
    await expect(box).to_be_editable()
    await expect(box).to_have_value("It leaves today.")
