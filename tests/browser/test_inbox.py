"""The inbox of `make up`: a mail to a customer is read and answered as the customer, and staff see the answer."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from deploy.demo.mail.inbox.app import build_app
from deploy.demo.mail.inbox.kept_mails import KeptMails
from deploy.demo.standins.serving import Server
from deploy.local.ports import free_ports
from tests.browser.conftest import Open, PageContext
from tests.browser.running_system import OwnShop, RunningSystem
from tests.browser.visitor import FOUR_LOOKS, Look
from tests.journeys.sales import notebooks

pytestmark = pytest.mark.rows("B17")


@pytest_asyncio.fixture(loop_scope="session")
async def inbox(running: RunningSystem) -> AsyncIterator[str]:
    """Yield the address of the page with the mails of the running system."""
    system = running.system
    app = build_app(KeptMails(system.mail_journal, system.mail_folder), system.inbound_port, running.origin)
    async with Server(free_ports(1)[0], app) as server:
        yield server.url


async def test_an_answer_from_the_inbox_is_in_the_conversation(
    context: PageContext, window: Open, shop: OwnShop, inbox: str
) -> None:
    sale = shop.sale(notebooks(2))
    [order] = await shop.order(sale)
    await shop.mails_to(sale.recipient)
    visitor = await window(inbox, Look("en"))
    await visitor.go("/")
    page = visitor.page
    await page.get_by_label("Recipient or subject").fill(sale.recipient)
    await page.get_by_role("button", name="Search").click()
    await page.locator(".mails a").first.click()
    await expect(page.frame_locator("iframe").locator("h1")).to_be_visible()
    await page.get_by_label("Your text").fill("The blue one, please.")
    await page.get_by_role("button", name="Send the answer").click()
    await expect(page.get_by_role("status")).to_contain_text("The answer was delivered")
    office = await context("owner", f"/orders/{order}/conversation", lang="en")
    message = office.page.locator(".message.theirs")
    await expect(message).to_contain_text("The blue one, please.")


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_inbox_is_readable(window: Open, shop: OwnShop, inbox: str, look: Look) -> None:
    sale = shop.sale(notebooks(2))
    await shop.order(sale)
    await shop.mails_to(sale.recipient)
    visitor = await window(inbox, look)
    page = visitor.page
    await visitor.go("/")
    await visitor.axe()
    await visitor.screenshot("inbox")
    await visitor.fits()
    await visitor.go(f"/?text={sale.recipient}")
    await page.locator(".mails a").first.click()
    await expect(page.frame_locator("iframe").locator("h1")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("inbox-mail")
    await visitor.fits()
    for view in ("Text", "Headers"):
        await page.get_by_role("link", name=view, exact=True).click()
        await expect(page.locator(".content")).to_contain_text(sale.recipient if view == "Headers" else "€")
        await visitor.axe()
        await visitor.screenshot(f"inbox-{view.lower()}")
        await visitor.fits()
    await page.get_by_label("Your text").fill(" ")
    visitor.provokes(422)
    await page.get_by_role("button", name="Send the answer").click()
    await expect(page.get_by_role("alert")).to_have_text("The answer is empty; write it first.")
    await visitor.axe()
