"""The switches of mails: mails and warnings are sent only while they are switched on."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look, Visitor
from tests.journeys.mailbox import text_of
from tests.journeys.sales import notebooks

HERE = "/settings/mails"


async def switch(visitor: Visitor, *, names: tuple[str, ...], on: bool) -> None:
    """Switch mails by their French names, and save."""
    await visitor.go(HERE)
    for name in names:
        await visitor.page.get_by_label(name, exact=True).set_checked(on)
    switches = visitor.page.get_by_role("region", name="Les courriels envoyés")
    await switches.get_by_role("button", name="Enregistrer").click()
    await expect(visitor.page.get_by_text("Les réglages sont enregistrés.")).to_be_visible()


def of_merchant(shop: OwnShop) -> str:
    return f"commandes@{shop.name}.example.org"


@pytest.mark.rows("A05", "C05")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_mail_that_is_switched_off_is_not_sent(
    context: PageContext, shop: OwnShop, script: bool
) -> None:
    visitor = await context("owner", HERE, lang="fr", script=script)
    await switch(visitor, names=("Nouvelle commande",), on=False)
    await expect(visitor.page.get_by_label("Nouvelle commande", exact=True)).not_to_be_checked()
    quiet = shop.sale()
    [silent] = await shop.order(quiet)
    await shop.mails_to(quiet.recipient, "Votre commande")
    await switch(visitor, names=("Nouvelle commande",), on=True)
    [order] = await shop.order(shop.sale())
    code, silent_code = [(await shop.shown(one))["code"] for one in (order, silent)]
    assert len(await shop.mails_to(of_merchant(shop), f"Nouvelle commande {code}")) == 1
    assert shop.mails_now(of_merchant(shop), str(silent_code)) == []


async def test_what_was_ticked_survives_somebody_elses_change(context: PageContext) -> None:
    mine = await context("owner", HERE, lang="fr")
    theirs = await context("manager", HERE, lang="fr")
    mine.provokes(422)
    await switch(theirs, names=("Litige : délai proche",), on=False)
    await mine.page.get_by_label("Stock bas", exact=True).set_checked(False)
    switches = mine.page.get_by_role("region", name="Les courriels envoyés")
    await switches.get_by_role("button", name="Enregistrer").click()
    await expect(switches.locator(".form-error, .notice, [role=alert]").first).to_be_visible()
    for name in ("Stock bas", "Litige : délai proche"):
        await expect(mine.page.get_by_label(name, exact=True)).not_to_be_checked()
    await switches.get_by_role("button", name="Enregistrer").click()
    await expect(mine.page.get_by_text("Les réglages sont enregistrés.")).to_be_visible()
    for name in ("Stock bas", "Litige : délai proche"):
        await expect(mine.page.get_by_label(name, exact=True)).not_to_be_checked()
    await switch(mine, names=("Stock bas", "Litige : délai proche"), on=True)


@pytest.mark.rows("A06", "A28")
async def test_a_completed_order_is_mailed_once_it_is_wanted(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", HERE, lang="fr")
    await switch(visitor, names=("Commande terminée",), on=True)
    sale = shop.sale(notebooks(1))
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready", stock="reserved")
    shipment = await shop.ship(order, [await shop.pack(order, {1: 1})])
    await shop.deliver(order, shipment)
    shown = await shop.until_order(order, state="completed")
    [mail] = await shop.mails_to(sale.recipient, "est terminée")
    assert mail["Subject"] == f"Votre commande {shown['code']} est terminée"


@pytest.mark.rows("C11")
async def test_the_merchant_is_warned_of_low_stock(context: PageContext, shop: OwnShop) -> None:
    await shop.count_stock({"RARE-1": 4})
    visitor = await context("fulfilment", "/stock/article?sku=RARE-1", lang="fr")
    page = visitor.page
    threshold = page.get_by_label("Prévenir à partir de (unités disponibles)")
    visitor.provokes(422)
    await threshold.fill("deux")
    await page.get_by_role("button", name="Enregistrer le seuil").click()
    await expect(page.locator("#field-threshold-error")).to_be_visible()
    await expect(threshold).to_have_value("deux")
    await threshold.fill("2")
    await page.get_by_role("button", name="Enregistrer le seuil").click()
    await expect(page.get_by_text("Le seuil est enregistré.")).to_be_visible()
    await expect(threshold).to_have_value("2")
    await shop.order(shop.sale(notebooks(2, "RARE-1")))
    [mail] = await shop.mails_to(of_merchant(shop), "RARE-1")
    assert mail["Subject"] == "Stock bas : RARE-1, 2 disponible(s)"
    assert "Votre seuil est de 2" in text_of(mail)
    owner = await context("owner", "/mails?q=commandes", lang="fr")
    await expect(owner.page.get_by_text("Stock bas, à la boutique").first).to_be_visible()
    await owner.axe()


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_the_switches_read_well(context: PageContext, shop: OwnShop, look: Look) -> None:
    visitor = await context("owner", HERE, look=look)
    await (
        visitor.page.get_by_text("Courriels sans réglage")
        .or_(visitor.page.get_by_text("Mails that can’t be switched off"))
        .click()
    )
    await visitor.axe()
    await visitor.screenshot("mail-switches")
    await visitor.fits()
    await shop.count_stock({"RARE-2": 4})
    await visitor.go("/stock/article?sku=RARE-2")
    await visitor.axe()
    await visitor.screenshot("stock-threshold")
    await visitor.fits()
