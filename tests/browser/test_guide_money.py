"""Tasks of the guide about money, each done as its sentences say."""

import re

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from tests.browser.conftest import PageContext
from tests.browser.guide import an_order, open_order, read
from tests.browser.running_system import OwnShop
from tests.browser.test_books import fill_in_mentions, until_listed
from tests.browser.test_payments import a_lost_payment

pytestmark = pytest.mark.rows("A31")


async def test_the_payments_of_an_order_are_read_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    _, code = await an_order(shop)
    visitor = await context("accountant", "/", lang="en")
    page, payment = visitor.page, visitor.page.locator("#payment")
    guide = await read(visitor, "payments-tab")
    await guide.follow_link(1)
    await open_order(page, code)
    await expect(payment.get_by_role("heading", name=guide.named(2), exact=True)).to_be_visible()
    for place in range(2, 6):
        head = payment.get_by_role("columnheader", name=guide.named(2, place), exact=True)
        await expect(head.first).to_be_visible()
    await guide.follow_link(4)
    await expect(page).to_have_url(re.compile("/payments$"))
    await expect(page.locator("main").get_by_role("link", name=code).first).to_be_visible()


async def test_money_is_identified_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop, PaymentMethod.TRANSFER)
    lost = await a_lost_payment(shop)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "unmatched")
    await until_listed(visitor, "/payments/unmatched", lost)
    await guide.follow_link(1)
    row = page.locator("tbody tr", has_text=lost)
    await row.get_by_role("link", name=guide.named(1)).click()
    await guide.field(2, 1).fill(code)
    await guide.button(2, 2).click()
    await expect(page.locator(".preview").get_by_text(str(guide.named(3, 1)), exact=True)).to_be_visible()
    await guide.button(3, 2).click()
    await shop.until_order(order, payment_status="paid", balance_minor=0)


async def test_an_invoice_is_viewed_and_issued_again_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    owner = await context("owner", "/settings/invoices", lang="en")
    await fill_in_mentions(owner)
    await owner.page.get_by_role("button", name="Save", exact=True).click()
    await expect(owner.page.locator("#flashes .toast.done")).to_be_visible()
    order, code = await an_order(shop, PaymentMethod.CHEQUE)
    await shop.receive(order, PaymentMethod.CHEQUE, 2500)
    await shop.until_order(order, balance_minor=0)
    visitor = await context("accountant", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "invoices")
    await until_listed(visitor, "/payments/invoices", code)
    await guide.follow_link(1)
    row = page.locator("tbody tr", has_text=code)
    view = row.get_by_role("link", name=re.compile(f"^{guide.named(1)} "))
    address = str(await view.get_attribute("href"))

    async def is_made() -> bool | None:
        """An invoice is listed a moment before its PDF is there."""
        pdf = await page.request.get(address)
        return (pdf.ok and pdf.headers["content-type"] == "application/pdf") or None

    await shop.until("the invoice as a PDF", is_made)
    await row.get_by_role("checkbox").check()
    await expect(guide.button(2)).to_be_enabled()
    await row.get_by_role("link", name=code).click()
    invoices = page.locator("#invoices")
    await expect(invoices.get_by_role("heading", name=guide.named(3, 1))).to_be_visible()
    await expect(invoices.get_by_role("link", name=guide.named(3, 2))).to_have_count(1)
    await invoices.locator("summary", has_text=str(guide.named(4))).click()
    await invoices.locator("#invoice-reason").fill("Raison sociale corrigée")
    await invoices.locator("form button").click()

    async def is_issued_again() -> bool | None:
        await visitor.go(f"/orders/{code}")
        return await invoices.get_by_role("link", name=guide.named(3, 2)).count() == 3 or None

    await shop.until("credit note and a new invoice", is_issued_again)
