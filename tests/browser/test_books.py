"""Accounting pages in a browser: legal details and invoices, disputes, closings and reconciliation."""

import secrets
from random import Random

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from deploy.demo.standins.provider import payment_succeeded
from deploy.demo.standins.stripe_api import event_body
from deploy.demo.standins.stripe_disputes import closed, opened
from deploy.samples.merchants import GARANCE
from services.chassis.testing import wait_until
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look, Visitor
from tests.journeys.sales import notebooks

SECONDS = 30.0
WRONG = {"country": "ZZ", "email": "nobody", "siret": "123", "vat_number": "FRXX", "iban": "FR00"}
"""Mentions that can't be right."""


async def until_listed(visitor: Visitor, path: str, text: str) -> None:
    """Reload a list until it shows a text: its rows are made from events."""

    async def is_listed() -> bool:
        await visitor.page.goto(path)
        return await visitor.page.get_by_text(text).count() > 0

    await wait_until(is_listed, SECONDS, f"{text} is not on {path}")


async def fill_in_mentions(visitor: Visitor) -> None:
    """Fill in the form of the legal details, without saving it."""
    for name, value in GARANCE.mentions.items():
        field = visitor.page.locator(f"[name='{name}']").first
        if await field.evaluate("node => node.tagName") == "SELECT":
            await field.select_option(value)
        elif await field.get_attribute("type") == "radio":
            await visitor.page.locator(f"[name='{name}'][value='{value}']").check()
        else:
            await field.fill(value)
    await visitor.page.locator("[name='is_on']").check()


@pytest.mark.rows("A30", "A32", "C14")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_an_owner_fills_in_the_mentions_and_finds_the_invoice(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    visitor = await context("owner", "/settings/invoices", look=look)
    await visitor.axe()
    await visitor.screenshot("mentions")
    await fill_in_mentions(visitor)
    save = {"fr": "Enregistrer", "en": "Save"}[look.lang]
    visitor.provokes(422)
    for name, value in WRONG.items():
        await visitor.page.locator(f"[name='{name}']").fill(value)
    await visitor.page.get_by_role("button", name=save, exact=True).click()
    await expect(visitor.page.locator(".field.has-error")).to_have_count(len(WRONG))
    await visitor.axe()
    await visitor.screenshot("mentions-wrong")
    for name in WRONG:
        await visitor.page.locator(f"[name='{name}']").fill(GARANCE.mentions[name])
    await visitor.page.get_by_role("button", name=save, exact=True).click()
    await expect(visitor.page.locator(".field.has-error")).to_have_count(0)
    await visitor.axe()
    await visitor.screenshot("mentions-complete")
    (order,) = await shop.order(shop.sale(notebooks(2), method=PaymentMethod.CHEQUE))
    await shop.receive(order, PaymentMethod.CHEQUE, 2500)
    await shop.until_order(order, balance_minor=0)
    code = (await shop.shown(order))["code"]
    await until_listed(visitor, "/payments/invoices", code)
    await visitor.axe()
    await visitor.screenshot("invoices")
    await visitor.page.goto(f"/orders/{code}")
    await visitor.axe()
    await visitor.screenshot("order-invoiced")


EMPTY_CELLS = """() => innerWidth < 600 ? [...document.querySelectorAll('.cards td')].filter(
    cell => cell.offsetHeight && !cell.textContent.trim()).length : 0"""
"""On a phone a cell is a line of its own: one without content is a gap."""


@pytest.mark.rows("C14")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_lost_dispute_waits_for_a_decision(context: PageContext, shop: OwnShop, look: Look) -> None:
    sale = shop.sale(notebooks(2))
    (order,) = await shop.order(sale)
    chance = Random(secrets.randbits(64))
    dispute = opened(sale)
    posts = [payment_succeeded(sale, chance), event_body("charge.dispute.created", dispute)]
    assert [await shop.post_webhook(body) for body in posts] == [200, 200]
    code = (await shop.shown(order))["code"]
    visitor = await context("owner", "/payments/disputes", look=look)
    await until_listed(visitor, "/payments/disputes", code)
    await visitor.axe()
    await visitor.screenshot("disputes")
    assert await visitor.page.evaluate(EMPTY_CELLS) == 0
    await visitor.go(f"/orders/{code}")
    await visitor.screenshot("order-disputed")
    await visitor.fits()
    lost = event_body("charge.dispute.closed", closed(dispute, is_won=False))
    assert await shop.post_webhook(lost) == 200
    await until_listed(visitor, "/payments/disputes?state=to_resolve", code)
    await visitor.axe()
    await visitor.screenshot("disputes-to-resolve")


@pytest.mark.rows("C04", "C14")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
@pytest.mark.parametrize("name", ["closings", "reconciliation", "invoices"])
async def test_the_accountant_reads_the_books(context: PageContext, name: str, look: Look) -> None:
    visitor = await context("accountant", f"/payments/{name}", look=look)
    await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    await visitor.axe()
    await visitor.screenshot(f"books-{name}")
