"""Parcels in the back office: the queues, the pick list, packing slips on paper, a shipment from there."""

from dataclasses import dataclass

import pytest
from playwright.async_api import expect

from contracts.sale import Customer
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, SCREENS, Look, Visitor
from tests.journeys.sales import inks, notebooks

HOSTILE = "<b>Maison d’édition</b> " + "W" * 90


@dataclass(frozen=True)
class Bench:
    """The orders shared by the read-only tests: one to pack, one partly packed, one in transit, one delivered."""

    to_pack: str
    packed: str
    away: str
    arrived: str


seen: dict[str, Bench] = {}


async def the_bench(shop: OwnShop) -> Bench:
    """Return these orders, made once."""
    if shop.name not in seen:
        sales = [
            shop.sale(notebooks(2), inks(1), customer=Customer(name=HOSTILE, email="w@example.org")),
            *(shop.sale(notebooks(3)) for _ in range(3)),
        ]
        orders = await shop.order(*sales)
        for sale in sales:
            await shop.report(sale)
        codes = [
            str((await shop.until_order(order, payment_status="paid", stock="reserved"))["code"])
            for order in orders
        ]
        _, packed, unavailable, arrived = orders
        await shop.pack(packed, {1: 2})
        tracked = {"tracking_number": "8R 0042", "tracking_url": "https://suivi.example.org/8R0042"}
        await shop.ship(
            unavailable,
            [await shop.pack(unavailable, {1: 3})],
            **tracked,
            shipped_on="2026-11-18",
            expected_on="2026-11-20",
        )
        sent = await shop.ship(arrived, [await shop.pack(arrived, {1: 3})], **tracked)
        await shop.deliver(arrived, sent)
        await shop.until_order(arrived, fulfilment_status="delivered")
        await shop.until_order(unavailable, fulfilment_status="shipped")
        await shop.until_order(packed, units_to_ship=2)
        seen[shop.name] = Bench(*codes)
    return seen[shop.name]


async def on_paper(visitor: Visitor, name: str) -> None:
    """Write the print view: a screenshot at the width of A4, and a PDF."""
    await visitor.page.emulate_media(media="print")
    await visitor.page.set_viewport_size({"width": 703, "height": 1000})
    await visitor.screenshot(f"{name}-paper")
    await visitor.page.pdf(path=SCREENS / f"{name}-{visitor.look}.pdf", prefer_css_page_size=True)


@pytest.mark.rows("A13", "A14", "B11", "B19")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_every_queue_shows_its_own(context: PageContext, shop: OwnShop, look: Look) -> None:
    bench = await the_bench(shop)
    visitor = await context("fulfilment", "/parcels", look=look)
    rows = visitor.page.locator("tbody tr")
    for path, codes in (
        ("", [bench.to_pack, bench.packed]),
        ("/to-ship", [bench.packed]),
        ("/on-the-way", [bench.away]),
        ("/delivered", [bench.arrived]),
    ):
        await visitor.go(f"/parcels{path}")
        for code in codes:
            await expect(rows.get_by_role("link", name=code, exact=True)).to_be_visible()
        await visitor.axe()
        await visitor.screenshot(f"parcels{path.replace('/', '-')}")
        await visitor.fits()
    await visitor.go(f"/parcels/ship/{bench.packed}")
    await visitor.axe()
    await visitor.screenshot("parcels-shipping")
    await visitor.go("/parcels/pick-list")
    await expect(visitor.page.get_by_role("link", name=bench.to_pack).first).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("parcels-pick-list")
    await visitor.fits()
    await visitor.go("/parcels/packing-slips")
    await expect(visitor.page.locator(".slip")).to_have_count(1)
    await visitor.axe()
    await visitor.screenshot("parcels-slips")
    await visitor.fits()
    if look.viewport == "desk":
        await on_paper(visitor, "parcels-slips")
        await visitor.go("/parcels/pick-list")
        await visitor.screenshot("parcels-pick-list-paper")


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_refused_form_comes_back_with_its_alert_in_view(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    bench = await the_bench(shop)
    visitor = await context("fulfilment", f"/orders/{bench.packed}", look=look)
    page = visitor.page
    form = page.locator("form[action$='/shipments']")
    if not await form.is_visible():
        await page.locator("#shipments details:has(form[action$='/shipments']) > summary").click()
    await form.locator("[name=carrier]").fill("Colissimo")
    await form.locator("#ship-day").fill("2026-11-21")
    await form.locator("#ship-expected").fill("2026-11-20")
    visitor.provokes(422)
    await form.locator("button.primary").click()
    alert = page.locator("form[action$='/shipments'] [role=alert]")
    await expect(alert).to_be_focused()
    await expect(alert).to_be_in_viewport()
    await expect(page.locator("#ship-expected-error")).to_be_visible()
    await visitor.screenshot("parcels-refused", whole=False)
    await page.evaluate("scrollTo(0, 0)")  # scrolled, the page's menu may cover a part of a field
    await visitor.axe()
    await visitor.fits()


@pytest.mark.rows("A14", "A26", "A27", "A29")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_from_the_pick_list_to_the_delivery(context: PageContext, shop: OwnShop, script: bool) -> None:
    sale = shop.sale(inks(2))
    [order] = await shop.order(sale)
    await shop.report(sale)
    code = str((await shop.until_order(order, payment_status="paid", stock="reserved"))["code"])
    visitor = await context("manager", "/parcels", lang="fr", script=script)
    page = visitor.page
    await page.get_by_label(f"Sélectionner la commande {code}").check()
    await page.get_by_role("button", name="Liste de prélèvement").click()
    await expect(page.get_by_text("2 unités à prélever")).to_be_visible()
    await visitor.go("/parcels")
    to_ship = page.get_by_role("link", name="À expédier").locator(".count")
    before = int(await to_ship.inner_text())
    await shop.pack(order, {1: 2})
    await shop.until_order(order, units_to_ship=2)
    if script:  # the tabs count by themselves
        await expect(to_ship).to_have_text(str(before + 1))
    await visitor.go("/parcels/to-ship")
    await page.get_by_label(f"Expédier la commande {code}").click()
    await page.locator("#ship-carrier").fill("Colissimo")
    await page.locator("#ship-number").fill("8R 99")
    await page.get_by_role("button", name="Expédier", exact=True).dblclick()
    await expect(page.get_by_text(f"Les colis de la commande {code} sont expédiés.")).to_be_visible()
    await visitor.go(f"/parcels/on-the-way?q={code}")
    await page.get_by_label(f"Sélectionner l’expédition de la commande {code}").check()
    await visitor.screenshot("parcels-on-the-way-chosen")
    await page.get_by_role("button", name="Noter les livraisons").click()
    if script:
        await visitor.axe()
    await visitor.screenshot("parcels-deliveries")
    await page.get_by_label("Comment on le sait").select_option("customer_word")
    await page.get_by_role("button", name="Enregistrer les livraisons").dblclick()
    await expect(page.get_by_text("1 livraison est notée.")).to_be_visible()
    shown = await shop.until_order(order, fulfilment_status="delivered")
    assert (len(shown["shipments"]), len(shown["deliveries"])) == (1, 1)
