"""Bulk actions in Chromium: orders packed, shipped by a carrier's file, relabelled, exported, printed, cancelled."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from contracts.sale import PaymentMethod
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look
from tests.journeys.sales import engraving, inks, notebooks


@dataclass
class Orders:
    """The codes of orders that no test changes, shared by the read-only tests."""

    ready: list[str]
    unpaid: str
    packed: str


seen: dict[str, Orders] = {}


async def ready_orders(shop: OwnShop, count: int) -> tuple[list[str], list[str]]:
    """Return ids and codes of new orders that may be prepared."""
    sales = [shop.sale(notebooks(2), inks(number + 1)) for number in range(count)]
    ids = await shop.order(*sales)
    for sale, order in zip(sales, ids, strict=True):
        await shop.report(sale)
        await shop.until_order(order, state="ready")
    return [str(one) for one in ids], [(await shop.shown(order))["code"] for order in ids]


async def some_orders(shop: OwnShop) -> Orders:
    """Return a few orders, made once."""
    if shop.name not in seen:
        ids, codes = await ready_orders(shop, 3)
        [cheque] = await shop.order(shop.sale(engraving(), notebooks(1), method=PaymentMethod.CHEQUE))
        await shop.pack(ids[2], {1: 2, 2: 3})
        seen[shop.name] = Orders(codes[:2], (await shop.shown(cheque))["code"], codes[2])
    return seen[shop.name]


async def tick(page: Page, codes: list[str]) -> None:
    """Tick the checkboxes of orders in the list."""
    for code in codes:
        await page.locator(f"tr:has(a[href='/orders/{code}']) input[name=order]").check()


@pytest.mark.rows("A13", "A26", "B13")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_bulk_pages_in_every_look(context: PageContext, shop: OwnShop, look: Look) -> None:
    orders = await some_orders(shop)
    everything = [*orders.ready, orders.unpaid, orders.packed]
    visitor = await context("owner", "/orders?tab=all", look=look)
    page, bulk = visitor.page, visitor.page.locator("#bulk")

    async def shows(name: str) -> None:
        await visitor.fits()
        await visitor.axe()
        await visitor.screenshot(name)

    async def choose(path: str) -> None:
        await visitor.go("/orders?tab=all")
        await tick(page, everything)
        if await bulk.locator(f"#bulk-more [formaction='{path}']").count():
            await bulk.locator("[popovertarget=bulk-more]").click()
        await bulk.locator(f"[formaction='{path}']").click()

    await tick(page, everything)
    await visitor.screenshot("bulk-bar", whole=False)
    await bulk.locator("[popovertarget=bulk-more]").click()
    await visitor.axe()
    await visitor.screenshot("bulk-more", whole=False)
    await page.keyboard.press("Escape")
    await page.locator(".row-actions .icon-button").first.click()
    await visitor.axe()
    await visitor.screenshot("orders-row-menu", whole=False)
    for path, name in (
        ("/orders/pack", "bulk-pack"),
        ("/orders/cancel", "bulk-cancel"),
        ("/orders/print", "bulk-print"),
        ("/orders/label", "bulk-label"),
    ):
        await choose(path)
        await expect(page.locator("#bulk")).to_have_count(0)
        await shows(name)
        if path == "/orders/print":
            await page.emulate_media(media="print")
            await visitor.screenshot("bulk-print-paper")
            await page.emulate_media(media="screen")
    await choose("/orders/ship")
    await page.locator("[name=lines]").fill(
        f"{orders.packed} Colissimo\n{orders.ready[0]};;6A1\nnobody;x;6A2"
    )
    await page.locator("[name=other_carrier]").fill("Colissimo")
    await shows("bulk-ship")
    await page.locator("form[action='/orders/ship'] button").click()
    await expect(page.locator(".run-faults li")).to_have_count(3)
    await shows("bulk-ship-told")
    await visitor.go("/orders?tab=to_ship")
    await shows("orders-to-ship")


@pytest.mark.rows("A13", "A14", "A20", "A26", "B11", "B18")
async def test_a_day_at_the_packing_table(context: PageContext, shop: OwnShop, tmp_path: Path) -> None:
    ids, codes = await ready_orders(shop, 3)
    visitor = await context("manager", "/orders?tab=to_pack", lang="fr")
    page = visitor.page
    await tick(page, codes)
    await page.locator("#bulk").get_by_role("button", name="Emballer").click()
    await expect(page.get_by_text("Rien n’est encore fait.")).to_be_visible()
    assert [(await shop.shown(order))["parcels"] for order in ids] == [[], [], []]
    await page.get_by_role("button", name="Emballer 3 commandes").click()
    await expect(page.get_by_text("Terminé. 3 sur 3")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("bulk-pack-ended")

    await visitor.go("/orders?tab=to_ship")
    await tick(page, codes)
    await page.locator("#bulk").get_by_role("button", name="Expédier").click()
    tracking = tmp_path / "suivi.csv"
    lines = ["N° de commande;Transporteur;N° de suivi", f'{codes[0]};DHL;="6A100"', f"{codes[1]}/1;;6A101"]
    tracking.write_bytes("\r\n".join([*lines, f"{codes[1]};;6A102", ""]).encode("cp1252"))
    await page.locator("input[type=file]").set_input_files(tracking)
    await page.locator("[name=other_carrier]").fill("Colissimo")
    await page.get_by_role("button", name="Voir ce qui va se passer").click()
    await expect(page.get_by_text("Une autre ligne la reprend déjà.")).to_be_visible()
    await page.get_by_role("button", name="Enregistrer 2 expéditions").click()
    await expect(page.get_by_text("Terminé. 2 sur 2")).to_be_visible()
    sent = [(await shop.shown(order))["shipments"] for order in ids]
    assert [[(one["carrier"], one["tracking_number"]) for one in shipments] for shipments in sent] == [
        [("DHL", "6A100")],
        [("Colissimo", "6A101")],
        [],
    ]

    await visitor.go("/orders?status=in_progress")
    await tick(page, codes[:2])
    await page.locator("#bulk").get_by_role("button", name="Changer le statut").click()
    await page.locator("[name=public_comment]").fill("Votre colis est en route.")
    await page.locator("[name=label]").select_option("processing")
    await page.get_by_role("button", name="Voir ce qui va se passer").click()
    await page.get_by_role("button", name="Changer le statut : 2 commandes").click()
    await expect(page.get_by_role("heading", name="Statut changé 2")).to_be_visible()

    await visitor.go("/orders/runs")
    await visitor.axe()
    await visitor.screenshot("bulk-runs")
    await visitor.go("/orders?status=in_progress")
    await page.get_by_role("button", name="Exporter").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV pour tableur français").click()
    file = tmp_path / "export.csv"
    got = await download.value
    assert got.suggested_filename.startswith("commandes-")
    await got.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text, delimiter=";"))
    assert {row["Commande"] for row in rows} == set(codes[:2])
    assert {row["Statut"] for row in rows} == {"En cours de traitement"}

    await visitor.go("/orders?tab=to_ship")
    await page.get_by_label(f"Autres actions pour la commande {codes[2]}").click()
    await page.locator(":popover-open").get_by_role("link", name="Annuler la commande").click()
    await expect(page).to_have_url(f"{visitor.origin}/orders/{codes[2]}/cancellation")


@pytest.mark.rows("B13")
async def test_orders_are_cancelled_together_without_scripts(context: PageContext, shop: OwnShop) -> None:
    ids, codes = await ready_orders(shop, 2)
    visitor = await context("owner", "/orders?tab=to_process", lang="fr", script=False)
    page = visitor.page
    await tick(page, codes)
    await page.locator("#bulk [popovertarget=bulk-more]").click()
    await page.locator("[name=reason]").fill("Fermeture de l’atelier")
    await page.get_by_role("button", name="Annuler les commandes").click()
    await expect(page.get_by_text("Dû aux clients ensuite")).to_be_visible()
    await page.get_by_role("button", name="Annuler 2 commandes").click()
    await visitor.screenshot("bulk-under-way")
    for order in ids:
        await shop.until_order(order, state="cancelled")
    await page.reload()
    await expect(page.get_by_text("Terminé. 2 sur 2")).to_be_visible()
    await visitor.go("/orders/runs")
    await expect(page.get_by_role("row").filter(has_text="Annuler des commandes")).to_contain_text("2 sur 2")
