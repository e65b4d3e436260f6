"""Mails in the back office: found by state and text, shown as their recipients see them, resent by a person."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look
from tests.journeys.mailbox import set_replies
from tests.journeys.sales import notebooks

HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 120


seen: dict[str, tuple[str, str]] = {}


async def a_shared_order(shop: OwnShop) -> tuple[str, str]:
    """Return code and recipient of one order, shared by the read-only tests."""
    if shop.name not in seen:
        seen[shop.name] = await an_order_with_its_mails(shop)
    return seen[shop.name]


async def an_order_with_its_mails(shop: OwnShop) -> tuple[str, str]:
    """Return the code of a new order and its customer's address."""
    sale = shop.sale(notebooks(2))
    [order] = await shop.order(sale)
    recipient = sale.recipient
    await shop.mails_to(recipient)
    return (await shop.shown(order))["code"], recipient


@pytest.mark.rows("A05", "A06")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_the_list_shows_the_outcome_of_each_mail(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    code, recipient = await a_shared_order(shop)
    visitor = await context("owner", f"/mails?q={code}", look=look)
    await expect(visitor.page.get_by_role("link", name=recipient)).to_be_visible()
    await expect(visitor.page.locator("tbody tr")).to_have_count(2)
    await visitor.axe()
    await visitor.screenshot("mails")


@pytest.mark.rows("A06")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_mail_is_shown_as_its_recipient_saw_it(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    code, recipient = await a_shared_order(shop)
    visitor = await context("manager", f"/mails?q={code}", look=look)
    await visitor.page.get_by_role("link", name=recipient).click()
    await expect(visitor.page.frame_locator("iframe").locator("body")).to_contain_text(code)
    await visitor.axe()
    await visitor.screenshot("mail")


@pytest.mark.rows("A06")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_mail_is_sent_again_once_however_often_it_is_clicked(
    context: PageContext, shop: OwnShop, script: bool
) -> None:
    code, recipient = await an_order_with_its_mails(shop)
    visitor = await context("owner", f"/mails?q={code}", lang="en", script=script)
    await visitor.page.get_by_role("link", name=recipient).click()
    await visitor.page.get_by_role("button", name="Send again").dblclick()
    await expect(visitor.page.get_by_text("Mail sent again.")).to_be_visible()
    letters = await shop.mails_to(recipient, count=2)
    assert len({letter["Message-ID"] for letter in letters}) == 1
    assert len(shop.mails_now(recipient)) == 2


@pytest.mark.rows("A06")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_ticked_mails_that_failed_go_again_together(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    sales = [shop.sale(notebooks(2)) for _ in range(3)]
    set_replies(shop.mail_folder, {sale.recipient: "550 mailbox unavailable" for sale in sales})
    await shop.order(*sales)
    visitor = await context("owner", "/mails?state=bounced", look=look)
    boxes = visitor.page.locator("tbody [data-select]")

    async def all_failed() -> bool | None:
        await visitor.go("/mails?state=bounced")
        return await boxes.count() == 3 or None

    await shop.until("the failures", all_failed)
    set_replies(shop.mail_folder, {})
    for number in range(2):
        await boxes.nth(number).check()
    await expect(visitor.page.locator("[data-bulk-count]")).to_contain_text("2")
    await visitor.axe()
    await visitor.screenshot("mails-selected")
    await visitor.fits()
    await visitor.page.locator("#bulk button").first.click()
    await expect(visitor.page.locator("ul.contents li")).to_have_count(2)
    await visitor.axe()
    await visitor.screenshot("mails-many")
    await visitor.fits()
    await visitor.page.locator("main form button.primary").click()
    await expect(boxes).to_have_count(1)
    await boxes.first.check()
    await visitor.page.locator("#bulk button").first.click()
    await visitor.page.locator("main form button.primary").click()
    for sale in sales:
        await shop.mails_to(sale.recipient)


@pytest.mark.rows("A06")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_an_address_that_does_not_exist_is_shown_and_freed_again(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    sale = shop.sale(notebooks(2))
    set_replies(shop.mail_folder, {sale.recipient: "550 5.1.1 no such user"})
    [order] = await shop.order(sale)
    code = (await shop.shown(order))["code"]
    await shop.until_order(order, flags=["address_refused"])
    visitor = await context("owner", f"/orders/{code}", look=look)
    await expect(visitor.page.locator(".order-gaps")).to_contain_text(sale.recipient)
    await visitor.screenshot("order-address-refused")
    await visitor.go("/mails?state=bounced")
    await visitor.axe()
    await visitor.screenshot("mails-bounced")
    await visitor.page.get_by_role("link", name=sale.recipient).click()
    await expect(visitor.page.locator("aside")).to_contain_text("550 5.1.1 no such user")
    await visitor.axe()
    await visitor.screenshot("mail-bounced")

    await visitor.go("/mails/addresses/suppressed")
    address = visitor.page.locator("li.card").filter(has_text=sale.recipient)
    await expect(address).to_have_count(1)
    await address.locator("summary").click()
    await visitor.axe()
    await visitor.screenshot("suppressed-addresses")
    await visitor.fits()
    set_replies(shop.mail_folder, {})
    await address.locator("input[name=reason]").fill("The mailbox exists now.")
    await address.locator("button").click()
    await expect(visitor.page.locator("#flashes")).not_to_be_empty()
    await shop.until_order(order, flags=[])
    await visitor.go(f"/mails?q={code}")
    await visitor.page.get_by_role("link", name=sale.recipient).click()
    await visitor.page.locator("aside form button").last.click()
    await shop.mails_to(sale.recipient)


async def test_a_person_stops_the_mails_to_an_address(context: PageContext, shop: OwnShop) -> None:
    sale = shop.sale(notebooks(2))
    visitor = await context("owner", "/mails/addresses/suppressed", lang="en")
    await visitor.page.get_by_label("Mail address").fill(sale.recipient)
    await visitor.page.locator("#suppress-reason").fill("She asked for it.")
    await visitor.page.get_by_role("button", name="Stop mails").click()
    await expect(visitor.page.get_by_text("The address receives no more mail.")).to_be_visible()
    await expect(visitor.page.locator("li.card").filter(has_text=sale.recipient)).to_contain_text(
        "She asked for it."
    )
    [order] = await shop.order(sale)
    await shop.until_order(order, flags=["address_refused"])
    await visitor.go("/mails?state=suppressed")
    await expect(visitor.page.get_by_role("link", name=sale.recipient)).to_be_visible()
    assert shop.mails_now(sale.recipient) == []


async def test_only_this_shops_mails_and_only_with_the_right(context: PageContext, shop: OwnShop) -> None:
    code, recipient = await a_shared_order(shop)
    accountant = await context("accountant", f"/mails?q={code}", lang="en")
    await accountant.page.get_by_role("link", name=recipient).click()
    await expect(accountant.page.get_by_role("button", name="Send again")).to_have_count(0)
    fulfilment = await context("fulfilment", "/", lang="en")
    fulfilment.provokes(403)
    await fulfilment.go("/mails")
    await expect(fulfilment.page.get_by_role("link", name=recipient)).to_have_count(0)


async def test_a_search_that_finds_nothing_reports_it_and_shows_what_was_typed(context: PageContext) -> None:
    visitor = await context("owner", "/mails", lang="en")
    await visitor.page.locator("main input[name=q]").fill(HOSTILE)
    await visitor.page.locator("main input[name=q]").press("Enter")
    await expect(visitor.page.get_by_text("No matching mails")).to_be_visible()
    await expect(visitor.page.locator("main input[name=q]")).to_have_value(HOSTILE)


async def test_an_unavailable_notifier_is_shown(context: PageContext, shop: OwnShop) -> None:
    await shop.system.supervisor.stop("notifier")
    try:
        visitor = await context("owner", "/mails", lang="en")
        await expect(visitor.page.locator(".owner-down")).to_be_visible()
    finally:
        await shop.system.start("notifier")
