"""The orders list in Chromium: queues, filters, tags, «Infos», the archive, search; rows that never move."""

from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect

from contracts.sale import Customer, PaymentMethod
from services.chassis.testing import wait_until
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import FOUR_LOOKS, SCREENS, Look, Visitor
from tests.journeys.sales import engraving, inks, notebooks

HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 60 + " \u202eשלום 🕯️"


@dataclass
class Orders:
    """The codes of the orders shared by the read-only tests."""

    cheque: str
    packed: str
    hostile: str
    free: str


seen: dict[str, Orders] = {}


async def some_orders(shop: OwnShop) -> Orders:
    """Return a few orders, made once for the read-only tests."""
    if shop.name not in seen:
        packed = shop.sale(notebooks(4), inks(1))
        hostile = shop.sale(
            notebooks(1),
            customer=Customer(name=HOSTILE, email="w@example.org"),
            method=PaymentMethod.TRANSFER,
        )
        sales = [
            shop.sale(engraving(), inks(2), method=PaymentMethod.CHEQUE),
            packed,
            hostile,
            shop.sale(notebooks(1), method=PaymentMethod.TRANSFER, module="events"),
        ]
        ids = await shop.order(*sales)
        await shop.report(packed)
        codes = [(await shop.shown(order))["code"] for order in ids]
        seen[shop.name] = Orders(*codes)
    return seen[shop.name]


@pytest.mark.rows("A07", "A09", "B01", "B02")
@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_list_in_every_look(context: PageContext, shop: OwnShop, look: Look) -> None:
    orders = await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", look=look)
    page = visitor.page
    for code in (orders.cheque, orders.packed, orders.hostile):
        await expect(page.get_by_role("link", name=code, exact=True).first).to_be_visible()
    await expect(page.locator("#order-tabs .count").nth(6)).not_to_be_empty()
    await visitor.fits()
    await visitor.axe()
    await visitor.screenshot("orders")
    await page.locator("#filters > summary").click()
    await visitor.axe()
    await visitor.screenshot("orders-filters")


@pytest.mark.rows("B08", "B09")
@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_infos_show_buyer_items_and_totals(context: PageContext, shop: OwnShop, look: Look) -> None:
    orders = await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", look=look)
    await visitor.page.locator(f"a[href='/orders/{orders.cheque}/infos']").click()
    drawer = visitor.page.locator("#drawer")
    await expect(drawer.get_by_text("Élodie Faure").first).to_be_visible()
    await expect(drawer.get_by_text("44000 Nantes")).to_be_visible()
    await expect(drawer.get_by_text("Encre sépia, 30 ml")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("orders-infos", whole=False)
    await drawer.locator(".timeline").scroll_into_view_if_needed()
    await visitor.screenshot("orders-infos-activity", whole=False)
    await drawer.locator(".order-more").click()
    await expect(drawer.locator("#order-actions a.danger").last).to_be_in_viewport(ratio=1)
    await visitor.axe()
    await visitor.screenshot("orders-infos-actions", whole=False)


@pytest.mark.rows("B11")
async def test_infos_lead_to_the_field_of_the_tracking_number(context: PageContext, shop: OwnShop) -> None:
    sold = shop.sale(notebooks(1))
    [order_id] = await shop.order(sold)
    await shop.report(sold)
    await shop.until_order(order_id, state="ready")
    await shop.ship(order_id, [await shop.pack(order_id, {1: 1})], tracking_number=None)
    code = (await shop.shown(order_id))["code"]
    visitor = await context("owner", "/orders?tab=all", lang="fr", viewport="phone")
    await visitor.page.locator(f"a[href='/orders/{code}/infos']").click()
    drawer = visitor.page.locator("#drawer")
    add = drawer.get_by_role("link", name="Ajouter un numéro de suivi")
    await add.scroll_into_view_if_needed()
    await visitor.screenshot("orders-infos-tracking", whole=False)
    await add.click()
    await expect(visitor.page.locator("#shipments input[name=tracking_number]")).to_be_visible()


@pytest.mark.rows("B06")
async def test_a_tag_is_put_on_by_hovering_the_code(context: PageContext, shop: OwnShop) -> None:
    orders = await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", lang="fr")
    page = visitor.page
    await page.get_by_role("link", name=orders.packed, exact=True).first.hover()
    editor = page.locator("#tag-pop")
    await expect(editor.get_by_label("Nouvelle étiquette")).to_be_visible()
    await editor.get_by_label("Nouvelle étiquette").fill("VIP")
    await editor.locator("input[value=purple]").check()
    await visitor.axe()
    await visitor.screenshot("orders-tags", whole=False)
    await editor.get_by_role("button", name="Ajouter", exact=True).click()
    row = page.locator("tbody tr").filter(has_text=orders.packed)
    await expect(row.locator(".tag.hue-purple")).to_have_text("VIP")
    await visitor.go("/orders?tab=all")
    await page.locator("#filters > summary").click()
    await page.locator(".filter-form").get_by_label("VIP").check()
    await page.get_by_role("button", name="Afficher ces commandes").click()
    await expect(page.locator(".chip").filter(has_text="VIP")).to_be_visible()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="Retirer le filtre VIP").click()
    await expect(page.locator("tbody tr")).not_to_have_count(1)


@pytest.mark.rows("B06")
@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
async def test_the_tags_of_an_order_have_a_page_of_their_own(
    context: PageContext, shop: OwnShop, script: bool
) -> None:
    orders = await some_orders(shop)
    visitor = await context(
        "owner", f"/orders/{orders.packed}/tags", lang="fr", viewport="phone", script=script
    )
    page = visitor.page
    await page.get_by_label("Nouvelle étiquette").fill("Cadeau")
    await page.get_by_role("button", name="Ajouter", exact=True).click()
    await expect(page.get_by_role("button", name="Retirer l’étiquette Cadeau")).to_be_visible()
    if script:
        await visitor.axe()
    await visitor.fits()
    await visitor.screenshot(f"order-tags-page-{'with' if script else 'without'}-script")
    await page.get_by_role("button", name="Retirer l’étiquette Cadeau").click()
    await page.get_by_role("button", name="Ajouter l’étiquette Cadeau").click()
    await expect(page.get_by_role("button", name="Retirer l’étiquette Cadeau")).to_be_visible()


@pytest.mark.rows("A08", "B03", "B04", "B05")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_filters_have_the_guides_words_and_make_an_address(
    context: PageContext, shop: OwnShop, script: bool
) -> None:
    await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", lang="fr", script=script)
    page = visitor.page
    await page.locator("#filters > summary").click()
    form = page.locator(".filter-form")
    for word in ("Nouveau", "Terminé", "Annulé", "Non payées", "Payées", "Remboursées", "Panier abandonné"):
        await expect(form.get_by_label(word, exact=True).first).to_be_visible()
    await form.get_by_label("Non payées", exact=True).check()
    await form.get_by_label("Au moins").fill("12,60")
    await form.get_by_role("button", name="Afficher ces commandes").click()
    await expect(page).to_have_url(
        f"{visitor.origin}/orders?tab=all&payment=unpaid&amount_min=1260&currency=EUR"
    )
    await expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.rows("B12")
async def test_finished_orders_are_archived_together_and_come_back(
    context: PageContext, shop: OwnShop
) -> None:
    done, open_one = shop.sale(notebooks(1)), shop.sale(notebooks(1), method=PaymentMethod.CHEQUE)
    ids = await shop.order(done, open_one)
    await shop.report(done)
    await shop.until_order(ids[0], state="ready")
    await shop.deliver(ids[0], await shop.ship(ids[0], [await shop.pack(ids[0], {1: 1})]))
    await shop.until_order(ids[0], state="completed")
    codes = [(await shop.shown(order))["code"] for order in ids]
    visitor = await context("owner", "/orders?tab=all", lang="fr")
    page = visitor.page
    for code in codes:
        await page.get_by_label(f"Sélectionner la commande {code}").check()
    await expect(page.get_by_text("2 commandes sélectionnées")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("orders-bulk", whole=False)
    await page.locator("#bulk").get_by_role("button", name="Autres actions").click()
    await page.locator("#bulk-more").get_by_role("button", name="Archiver").click()
    await expect(page.get_by_text("Resteront inchangées")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("orders-bulk-told")
    await page.get_by_role("button", name="Archiver : 1 commande").click()
    await expect(page.get_by_role("heading", name="Archivée 1")).to_be_visible()
    await visitor.go("/orders?tab=archived")
    await expect(page.get_by_role("link", name=codes[0], exact=True).first).to_be_visible()
    await page.get_by_label(f"Autres actions pour la commande {codes[0]}").click()
    await visitor.axe()
    await page.locator(":popover-open").get_by_role("button", name="Sortir des archives").click()
    await expect(page.get_by_text("Aucune commande ne se trouve dans cette file")).to_be_visible()


@pytest.mark.rows("A07", "B19")
async def test_new_orders_are_announced_and_rows_change_in_place(context: PageContext, shop: OwnShop) -> None:
    await some_orders(shop)
    sale = shop.sale(notebooks(3))
    [order] = await shop.order(sale)
    visitor = await context("owner", "/orders?tab=all", lang="fr")
    page = visitor.page
    row = page.locator(f"#order-{order}")
    await expect(row).to_contain_text("Non payée")
    first = await page.locator("tbody tr").first.get_attribute("id")
    await expect(page.locator("#live")).to_have_attribute("data-state", "on")
    await shop.report(sale)
    await expect(row.locator(".badge", has_text="Payée")).to_be_visible()
    await shop.order(shop.sale(notebooks(1)))
    await expect(page.locator("#order-news a")).to_have_text("1 nouvelle commande")
    assert await page.locator("tbody tr").first.get_attribute("id") == first
    await page.locator("#order-news a").click()
    await expect(page.locator("tbody tr").nth(1)).to_have_attribute("id", first or "")
    await page.keyboard.press("/")
    code = (await shop.shown(order))["code"]
    await page.locator("input[name=q]").fill(code.lower().replace("-", ""))
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{visitor.origin}/orders/{code}")
    await visitor.go(f"/orders?tab=everything&q={code}")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(row).to_contain_text(code)
    await page.keyboard.press("j")
    await page.keyboard.press(" ")
    await expect(page.locator("#drawer")).to_contain_text("Carnet cousu A5")


@pytest.mark.rows("A07")
@pytest.mark.parametrize("lang", ["fr", "en"])
async def test_no_column_of_the_table_is_hidden_from_1024_pixels_on(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", lang=lang)
    page = visitor.page
    for width in (1024, 1280, 1440, 1920):
        await page.set_viewport_size({"width": width, "height": 900})
        await wait_until(lambda: shows_every_column(page), why=f"at {width} px columns are hidden")
        await visitor.picture(SCREENS / f"orders-{width}-{lang}.png", whole=False)


@pytest.mark.rows("B06")
async def test_what_opens_at_a_row_stays_on_the_screen(context: PageContext, shop: OwnShop) -> None:
    orders = await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", lang="fr")
    page = visitor.page
    for height in (900, 480):
        await page.set_viewport_size({"width": 1280, "height": height})
        await visitor.go("/orders?tab=all")
        for code in (orders.cheque, orders.packed):
            row = page.locator("tbody tr").filter(has_text=code)
            await row.hover()
            await row.locator(".tag-open").click()
            add = page.locator("#tag-pop").get_by_role("button", name="Ajouter", exact=True)
            await expect(add).to_be_attached()
            await fits_the_window(visitor, "#tag-pop")
            await add.scroll_into_view_if_needed()
            await expect(add).to_be_in_viewport()
            await page.keyboard.press("Escape")
            await row.get_by_role("button", name="Autres actions").click()
            await fits_the_window(visitor, ".row-menu:popover-open")
            await expect(row.get_by_role("link", name="Modifier la commande")).to_be_in_viewport()
            await expect(row.get_by_role("link", name="Supprimer la commande")).to_have_count(1)
            await page.keyboard.press("Escape")


async def shows_every_column(page: Page) -> bool:
    """Return whether the table fits into its frame with every cell, after the page has got its new width."""
    frame, table, hidden = await page.evaluate(COLUMNS_HIDDEN)
    return bool(table <= frame and not hidden)


COLUMNS_HIDDEN = """() => {
  const frame = document.querySelector("#orders").closest(".table-frame");
  const actions = document.querySelector("#orders tbody .row-actions").getBoundingClientRect();
  const cells = [...document.querySelectorAll("#orders tr > :not(:last-child)")];
  const hidden = cells.filter((cell) => {
    const inside = document.createRange();
    inside.selectNodeContents(cell);
    const clipped = [...cell.querySelectorAll("*")].some(
      (part) => !part.closest(".clip, .icon-button, .hidden, svg") && part.scrollWidth > part.clientWidth + 1
        && getComputedStyle(part).overflowX === "hidden");
    return clipped || cell.getBoundingClientRect().right > actions.left + 1;
  });
  return [frame.clientWidth, frame.scrollWidth, hidden.map((cell) => cell.textContent.trim())];
}"""
"""Width of the table's frame, width of the table, texts of cells that are cut off or lie under the row's actions."""


async def fits_the_window(visitor: Visitor, selector: str) -> None:
    """Raise AssertionError unless the element lies within the window."""
    box = await visitor.page.locator(selector).bounding_box()
    size = visitor.page.viewport_size
    assert box is not None
    assert size is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert box["y"] + box["height"] <= size["height"], f"{selector} in {size}: {box}"


@pytest.mark.rows("A08")
@pytest.mark.parametrize("viewport", ["desk", "phone"])
async def test_the_filters_can_be_applied_wherever_one_is_in_them(
    context: PageContext, shop: OwnShop, viewport: str
) -> None:
    await some_orders(shop)
    visitor = await context("owner", "/orders?tab=all", lang="fr", viewport=viewport)
    page = visitor.page
    await page.locator("#filters > summary").click()
    await expect(page.get_by_role("button", name="Afficher ces commandes")).to_be_in_viewport(ratio=1)
    await visitor.screenshot("orders-filters-open", whole=False)
