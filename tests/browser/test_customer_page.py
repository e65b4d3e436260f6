"""The customer's page in a browser: from the mail's link to a message and a request to cancel, in every look."""

import base64
import re
from typing import Any

import httpx2
import pytest
from playwright.async_api import FilePayload, expect

from contracts.sale import PaymentMethod
from deploy.local.system import CUSTOMER_PAGE
from tests.browser.conftest import Open, PageContext
from tests.browser.running_system import OwnShop, RunningSystem
from tests.browser.test_books import fill_in_mentions
from tests.browser.visitor import BOTH_LOOKS, FOUR_LOOKS, Look, Visitor
from tests.journeys.sales import notebooks
from tests.notifier.logos import LOGO

pytestmark = pytest.mark.rows("C16")


async def a_link(
    running: RunningSystem, shop: OwnShop, locale: str = "fr", **changes: Any
) -> tuple[str, str]:
    """Return the id of a new order, and the path of the link in the mail to its customer."""
    sale = shop.sale(notebooks(2), locale=locale, **changes)
    [order] = await shop.order(sale)
    letter = (await shop.mails_to(sale.recipient))[-1]
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = re.search(rf"{running.system.url(CUSTOMER_PAGE)}(/c/\w+)", text)
    assert found, text
    return order, found[1]


async def visit(
    running: RunningSystem, window: Open, path: str, look: Look, *, script: bool = True
) -> Visitor:
    visitor = await window(running.system.url(CUSTOMER_PAGE), look, script=script)
    await visitor.go(path)
    return visitor


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_page_is_accessible_and_fits_every_screen(
    running: RunningSystem, shop: OwnShop, window: Open, look: Look
) -> None:
    order, path = await a_link(running, shop, look.lang)
    code = (await shop.shown(order))["code"]
    visitor = await visit(running, window, path, look)
    await expect(visitor.page.locator("h1")).to_contain_text(code)
    await visitor.axe()
    await visitor.fits()
    await visitor.screenshot("customer-page")
    await visitor.go(f"{path}/cancel")
    await visitor.axe()
    await visitor.fits()
    await visitor.screenshot("customer-page-cancel")
    visitor.provokes(404)
    await visitor.go(f"/c/{'a' * 26}")
    await visitor.axe()
    await visitor.screenshot("customer-page-gone")
    visitor.provokes(404)
    await visitor.go(f"{path}/nowhere")
    await visitor.axe()
    await visitor.fits()
    await visitor.screenshot("customer-page-refused")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_from_the_mail_to_a_message_and_a_request_that_is_declined(
    running: RunningSystem, shop: OwnShop, window: Open, context: PageContext, script: bool
) -> None:
    order, path = await a_link(running, shop)
    code = (await shop.shown(order))["code"]
    visitor = await visit(running, window, path, Look("fr", "light", "phone"), script=script)
    page = visitor.page
    await page.get_by_role("link", name="English").click()
    await page.get_by_label("Your message to").fill("Is it <b>gift</b> wrapped?\nThank you!")
    await page.get_by_role("button", name="Send the message").click()
    await expect(page.get_by_text("Your message has been sent.")).to_be_visible()
    await expect(page.get_by_text("Is it <b>gift</b> wrapped?")).to_be_visible()
    await page.get_by_role("link", name="Ask to cancel the order").click()
    await expect(page.get_by_text("until it is packed")).to_be_visible()
    await page.get_by_label("Why?").fill("Ordered twice")
    await page.get_by_role("button", name="Ask to cancel").click()
    await expect(page.get_by_role("status")).to_contain_text("Your request has been sent.")
    await expect(page.get_by_role("link", name="Ask to cancel the order")).to_have_count(0)
    await shop.until_order(order, flags=["cancellation_requested"])
    await page.reload()
    await expect(page.get_by_text(re.compile("You asked to cancel this order on"))).to_be_visible()
    staff = await context("manager", f"/orders/{code}", lang="en")
    await staff.page.get_by_role("link", name="Answer the request").click()
    await expect(staff.page.get_by_text("Ordered twice")).to_be_visible()
    await staff.axe()
    await staff.screenshot(f"cancellation-request-{'with' if script else 'without'}-script")
    await staff.page.get_by_label("Reason for the customer").fill("Already engraved.")
    await staff.page.get_by_role("button", name="Decline the request").click()
    await expect(staff.page.get_by_text("Request declined.")).to_be_visible()
    await page.goto(f"{running.system.url(CUSTOMER_PAGE)}{path}?lang=en")
    await expect(page.get_by_text("Already engraved.")).to_be_visible()
    if script:
        await visitor.axe()
        await visitor.screenshot("customer-page-answered")


async def test_a_shipped_order_shows_its_tracking_its_payment_and_its_invoice(
    running: RunningSystem, shop: OwnShop, window: Open, context: PageContext
) -> None:
    owner = await context("owner", "/settings/invoices")
    await fill_in_mentions(owner)
    await owner.page.get_by_role("button", name="Enregistrer", exact=True).click()
    await expect(owner.page.locator(".field.has-error")).to_have_count(0)
    order, path = await a_link(running, shop, method=PaymentMethod.CHEQUE)
    await shop.receive(order, PaymentMethod.CHEQUE, 2500)
    await shop.until_order(order, balance_minor=0)
    tracked = {"tracking_number": "6A123", "tracking_url": "https://suivi.example/6A123"}
    await shop.ship(order, [await shop.pack(order, {1: 2})], **tracked)
    await shop.until_order(order, state="processing")
    visitor = await visit(running, window, path, Look("fr", "light", "phone"))
    tracking = visitor.page.get_by_role("link", name="Suivre ce colis")
    await expect(tracking).to_have_attribute("href", tracked["tracking_url"])
    await expect(visitor.page.get_by_text("ne peut plus être annulée ici")).to_be_visible()
    link = visitor.page.get_by_role("link", name=re.compile("Facture "))

    async def issued() -> bool | None:
        await visitor.go(path)
        return await link.count() > 0 or None

    await shop.until("the invoice", issued)
    await visitor.axe()
    await visitor.fits()
    await visitor.screenshot("customer-page-shipped")
    address = await link.get_attribute("href") or ""

    async def made() -> bytes | None:
        answer = await visitor.page.request.get(address)
        return await answer.body() if answer.status == 200 else None

    assert (await shop.until("the PDF of the invoice", made))[:5] == b"%PDF-"


async def test_the_public_listener_serves_nothing_of_the_operators(running: RunningSystem) -> None:
    headers = {"Authorization": f"Bearer {running.system.secrets.internal_token}"}
    page = running.system.url(CUSTOMER_PAGE)
    async with httpx2.AsyncClient(base_url=page, headers=headers, trust_env=False) as http:
        for hidden in ("/metrics", "/internal/mails", "/internal/parked", "/internal/threads"):
            assert (await http.get(hidden)).status_code == 404, hidden
        assert (await http.get("/readyz")).status_code == 200


@pytest.mark.parametrize("colour", ["#ffe08a", "#101018"])
async def test_the_page_has_the_shops_logo_and_colour_and_can_be_read(
    running: RunningSystem, shop: OwnShop, window: Open, context: PageContext, colour: str
) -> None:
    owner = await context("owner", "/settings/profile", lang="en")
    await owner.page.get_by_label("Colour of links and buttons").fill(colour)
    logo: FilePayload = {"name": "logo.png", "mimeType": "image/png", "buffer": base64.b64decode(LOGO)}
    await owner.page.locator("#field-logo").set_input_files(logo)
    await owner.page.get_by_role("button", name="Save", exact=True).click()
    await expect(owner.page.get_by_text("Settings saved.")).to_be_visible()
    order, path = await a_link(running, shop)
    code = (await shop.shown(order))["code"]
    for look in BOTH_LOOKS:
        visitor = await visit(running, window, f"{path}?lang={look.lang}", look)
        await expect(visitor.page.locator("h1")).to_contain_text(code)
        picture = visitor.page.locator("img.logo")
        assert await picture.evaluate("one => one.complete && one.naturalWidth") == 600
        await visitor.axe()
        await visitor.fits()
        await visitor.screenshot(f"customer-page-brand-{colour[1:]}")
