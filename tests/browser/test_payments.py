"""Payments in the back office: the ledger of the shop, and money that a person assigns to an order."""

import secrets
from dataclasses import dataclass
from random import Random

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from deploy.demo.standins.provider import payment_succeeded
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look
from tests.journeys.sales import notebooks

HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 120


@dataclass(frozen=True)
class AccountTables:
    """The data shared by the read-only tests: a paid order with a hostile note, an unpaid one, an unmatched payment."""

    paid: str
    owing: str
    lost: str


seen: dict[str, AccountTables] = {}


async def a_lost_payment(shop: OwnShop) -> str:
    """Return the reference of a card payment of 25.00 EUR that no order claims."""
    sale = shop.sale(notebooks(2))
    assert await shop.post_webhook(payment_succeeded(sale, Random(secrets.randbits(64)))) == 200
    return sale.provider_reference


async def the_ledgers(shop: OwnShop) -> AccountTables:
    """Return these data, made once."""
    if shop.name not in seen:
        cheque = {"method": PaymentMethod.CHEQUE}
        paid, owing = await shop.order(
            shop.sale(notebooks(2), **cheque), shop.sale(notebooks(2), method=PaymentMethod.TRANSFER)
        )
        await shop.receive(paid, PaymentMethod.CHEQUE, 2000, reference="CHQ 0042", note=HOSTILE)
        await shop.until_order(paid, balance_minor=500)
        paid_code, owing_code = [(await shop.shown(order))["code"] for order in (paid, owing)]
        seen[shop.name] = AccountTables(paid_code, owing_code, await a_lost_payment(shop))
    return seen[shop.name]


@pytest.mark.rows("A17")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_the_ledger_of_the_shop(context: PageContext, shop: OwnShop, look: Look) -> None:
    books = await the_ledgers(shop)
    visitor = await context("owner", "/payments", look=look)
    await expect(visitor.page.get_by_text("CHQ 0042")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("payments")
    await visitor.page.locator("input[name=order]").fill(books.paid)
    await visitor.page.locator("input[name=order]").press("Enter")
    await expect(visitor.page.locator("tbody tr")).to_have_count(2)


@pytest.mark.rows("C01", "C02")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_money_without_an_order_is_shown_with_hints_and_a_suggestion(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    books = await the_ledgers(shop)
    visitor = await context("manager", "/payments/unmatched", look=look)
    row = visitor.page.locator("tbody tr", has_text=books.lost)
    await expect(row.locator("th")).to_contain_text("25")
    await visitor.axe()
    await visitor.screenshot("payments-unmatched")
    await row.get_by_role("link").click()
    await expect(visitor.page.get_by_role("link", name=books.owing)).to_be_visible()
    await visitor.page.get_by_role("link", name=books.owing).click()
    await expect(visitor.page.locator(".preview .settled")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("payments-assign")


@pytest.mark.rows("C02")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_it_is_given_to_its_order_once_however_often_it_is_clicked(
    context: PageContext, shop: OwnShop, script: bool
) -> None:
    [order] = await shop.order(shop.sale(notebooks(2), method=PaymentMethod.TRANSFER))
    code, lost = (await shop.shown(order))["code"], await a_lost_payment(shop)
    visitor = await context("owner", "/payments/unmatched", lang="en", script=script)
    await visitor.page.locator("tbody tr", has_text=lost).get_by_role("link").click()
    await visitor.page.locator("input[name=order]").fill(code)
    await visitor.page.get_by_role("button", name="See the order").click()
    await visitor.page.get_by_role("button", name=f"Assign it to order {code}").dblclick()
    await expect(visitor.page.get_by_text(f"Payment assigned to order {code}.")).to_be_visible()
    await expect(visitor.page.locator("tbody tr", has_text=lost)).to_have_count(0)
    shown = await shop.until_order(order, payment_status="paid", balance_minor=0)
    assert [one["provider_reference"] for one in shown["ledger"] if one["kind"] == "payment_received"] == [
        lost
    ]


async def test_unavailable_payments_are_shown_and_the_ledger_stays(
    context: PageContext, shop: OwnShop
) -> None:
    books = await the_ledgers(shop)
    await shop.system.supervisor.stop("payments")
    try:
        visitor = await context("owner", "/payments/unmatched", lang="en")
        await expect(visitor.page.locator(".owner-down")).to_be_visible()
        await visitor.go(f"/payments?order={books.paid}")
        await expect(visitor.page.get_by_text("CHQ 0042")).to_be_visible()
    finally:
        await shop.system.start("payments")


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_webhooks_are_shown_and_one_is_set_aside(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    """An unknown event waits for staff; the next one is shown with its money."""
    await the_ledgers(shop)
    kind = f"charge.something_{secrets.token_hex(4)}"
    body = payment_succeeded(shop.sale(notebooks(2)), Random(secrets.randbits(64)))
    assert await shop.post_webhook(body.replace(b"payment_intent.succeeded", kind.encode())) == 200
    visitor = await context("manager", "/payments/webhooks?state=all", look=look)
    row = visitor.page.locator("tbody tr", has_text=kind)
    while not await row.count():
        await visitor.page.reload()
    await visitor.axe()
    await visitor.screenshot("payments-webhooks")
    await row.locator("a.button").click()
    await expect(visitor.page.locator("input[name=reason]")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("payments-webhook")
    await visitor.page.locator("input[name=reason]").fill("Essai du prestataire")
    await visitor.page.locator("form[action$=set_aside] button").click()
    await expect(visitor.page.locator("tbody tr", has_text=kind)).to_have_count(0)
