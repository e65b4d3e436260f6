"""Customers in a browser: the list, a customer, and their erasure to its proof."""

import pytest
from playwright.async_api import expect

from contracts.sale import Customer, PaymentMethod
from services.chassis.testing import wait_until
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look
from tests.journeys.sales import notebooks

SECONDS = 30.0
ERASED_EVERYWHERE = {"fr": "Effacé", "en": "Erased"}


@pytest.mark.rows("C15", "C24")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_customer_is_looked_at_and_erased(context: PageContext, shop: OwnShop, look: Look) -> None:
    ada = Customer(name="Ada Moreau", email=f"ada.{look.lang}@clients.example", phone="+33 6 11 22 33 44")
    sales = [shop.sale(notebooks(2), method=PaymentMethod.CHEQUE, customer=ada) for _ in range(2)]
    order, _ = await shop.order(*sales)
    await shop.receive(order, PaymentMethod.CHEQUE, 2500)
    await shop.until_order(order, balance_minor=0)
    code = (await shop.shown(order))["code"]
    visitor = await context("owner", "/customers", look=look)
    page = visitor.page
    await expect(page.get_by_text(f"ada.{look.lang}@clients.example")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("customers")
    await page.goto(f"/customers/{code}")
    await visitor.axe()
    await visitor.screenshot("customer")
    await page.goto(f"/customers/{code}/erasure")
    await visitor.axe()
    await visitor.screenshot("customer-erasure")
    await page.locator("[name='running']").check()
    await page.locator("[name='reason']").fill("Article 17")
    await page.locator("form.stack [name='code']").fill(await page.locator("#erasure-code-help").inner_text())
    await page.locator("form.stack button.danger").click()
    await page.wait_for_url("**/customers/erasures/*")
    proof = page.url

    async def is_erased_everywhere() -> bool:
        await page.goto(proof)
        return await page.get_by_text(ERASED_EVERYWHERE[look.lang], exact=True).count() >= 4

    await wait_until(is_erased_everywhere, SECONDS)
    await visitor.axe()
    await visitor.screenshot("customer-proof")
    await page.goto("/customers/erasures")
    await visitor.axe()
    await page.goto(f"/customers/{code}")
    await expect(page.get_by_text("Ada Moreau")).to_have_count(0)
    await visitor.axe()
