"""The page of one order: a cheque is recorded, parcels are packed and shipped, a status is mailed, all of it is
shown.
"""

import secrets
from dataclasses import replace

import pytest
from playwright.async_api import expect

from contracts.sale import Customer, LineKind, PaymentMethod, Tax, Totals
from deploy.samples.submissions import line
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, FOUR_LOOKS, Look, Visitor
from tests.journeys.mailbox import text_of
from tests.journeys.sales import inks, notebooks

CANADIAN = [
    Tax(label="GST", rate_ppm=50_000, tax_minor=193),
    Tax(label="QST", rate_ppm=99_750, tax_minor=384),
]
seen: dict[str, str] = {}


async def an_order_by_cheque(shop: OwnShop) -> str:
    """Return the code of a new order of notebooks and ink, to be paid by cheque."""
    [order] = await shop.order(shop.sale(notebooks(2), inks(1), method=PaymentMethod.CHEQUE))
    shown = await shop.until_order(order, payment_status="unpaid", stock="reserved")
    return str(shown["code"])


async def a_lived_order(shop: OwnShop) -> str:
    """Return the code of one order, shared by the read-only tests: paid, partly packed and shipped."""
    if shop.name not in seen:
        [order] = await shop.order(shop.sale(notebooks(2), inks(1), method=PaymentMethod.CHEQUE))
        await shop.until_order(order, stock="reserved")
        await shop.receive(order, PaymentMethod.CHEQUE, 3480, reference="CHQ 0042")
        await shop.ship(order, [await shop.pack(order, {1: 2})])
        await shop.pack(order, {2: 1})
        seen[shop.name] = str((await shop.until_order(order, units_to_ship=1))["code"])
    return seen[shop.name]


@pytest.mark.rows("A10", "A17", "B07", "B09", "B10", "B11")
@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_page_shows_all_data_of_the_order(context: PageContext, shop: OwnShop, look: Look) -> None:
    code = await a_lived_order(shop)
    visitor = await context("owner", f"/orders/{code}", look=look)
    await expect(visitor.page.get_by_role("heading", name=code)).to_be_visible()
    await expect(visitor.page.locator("#payment tbody tr")).to_have_count(2)
    if look.viewport == "phone":
        await closed_parts_open_on_a_click(visitor)
    await expect(visitor.page.locator("#activity .timeline li").first).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order")
    await visitor.fits()


async def closed_parts_open_on_a_click(visitor: Visitor) -> None:
    """What nothing waits in is closed at first, with the number of what it holds; the links to the parts open it."""
    page = visitor.page
    closed = await page.locator(".card:has(> .foldable:not([open]))").evaluate_all(
        "all => all.map(one => one.id)"
    )
    assert closed == ["payment", "customer", "status", "tags", "conversation", "activity"]
    await expect(page.locator("#payment > details > summary")).to_contain_text("2")
    await expect(page.locator("#activity .timeline")).to_be_hidden()
    await expect(page.locator("#parcels .things")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order-folded")
    await visitor.fits()
    await page.locator(".order-parts a[href='#activity']").click()
    await page.locator("#payment > details > summary").click()
    await expect(page.locator("#payment tbody tr").first).to_be_visible()


@pytest.mark.parametrize("viewport", ["phone", "desk"])
async def test_a_name_without_a_space_breaks(context: PageContext, shop: OwnShop, viewport: str) -> None:
    customer = Customer(name="W" * 200, email=f"w.{secrets.token_hex(4)}@example.org")
    [order] = await shop.order(shop.sale(notebooks(1), method=PaymentMethod.CHEQUE, customer=customer))
    code = (await shop.until_order(order, stock="reserved"))["code"]
    visitor = await context("owner", f"/orders/{code}", viewport=viewport)
    await expect(visitor.page.locator("#conversation textarea")).to_have_count(1)
    await visitor.fits()
    for path in (f"/customers/{code}", "/orders?tab=all"):
        await visitor.go(path)
        await visitor.fits()


async def test_a_fragment_that_does_not_decode_names_no_part(context: PageContext, shop: OwnShop) -> None:
    """An error of the script would fail this test, and leave the parts as they are without scripts."""
    path = f"/orders/{await a_lived_order(shop)}"
    visitor = await context("owner", path, viewport="phone")
    page = visitor.page
    await visitor.go(f"{path}#%E0%A4%A")
    await page.reload()
    await expect(page.locator("#activity .timeline")).to_be_hidden()
    link = page.locator(".order-parts a[href='#activity']")
    await link.evaluate("link => { link.href = '#%E0%A4%A'; }")
    await page.locator(".order-parts a").last.click()
    await page.evaluate("location.hash = '#payment'")
    await expect(page.locator("#payment tbody tr").first).to_be_visible()


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_fine_prices_and_several_taxes_fit_the_page(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    labels = line(
        LineKind.SERVICE, "Étiquettes", 1000, 4, unit_price_exact="0.03848", taxes=CANADIAN
    ).model_copy(update={"total_minor": 3848})
    totals = Totals(lines_minor=3848, tax_minor=577, total_minor=4425)
    made = shop.sale(labels, method=PaymentMethod.CHEQUE, currency="CAD", prices_include_tax=False)
    sale = replace(made, submission=made.submission.model_copy(update={"totals": totals}))
    [order] = await shop.order(sale)
    visitor = await context("owner", f"/orders/{order}", look=look)
    await expect(visitor.page.locator("#items")).to_contain_text(
        "QST 9,975" if look.lang == "fr" else "QST 9.975"
    )
    await visitor.axe()
    await visitor.screenshot("order-taxes")


@pytest.mark.rows("A13", "A14", "A16", "A18", "A24", "A26", "A29")
async def test_from_the_cheque_to_the_delivery(context: PageContext, shop: OwnShop) -> None:
    code = await an_order_by_cheque(shop)
    visitor = await context("manager", f"/orders/{code}", lang="fr")
    page = visitor.page
    await page.get_by_role("link", name="Recevoir le chèque").click()
    await page.get_by_label("Numéro du chèque").fill("CHQ 12")
    await page.get_by_role("button", name="Enregistrer le règlement").dblclick()
    await expect(page.get_by_text("Le règlement est enregistré.")).to_be_visible()
    await expect(page.locator("#payment")).to_contain_text("CHQ 12")
    await shop.until_order(str((await shop.shown(code))["order_id"]), balance_minor=0)
    await visitor.go(f"/orders/{code}")
    await expect(page.locator("#order-summary")).to_contain_text("Paiements reçus")
    await page.get_by_role("button", name="Emballer", exact=True).click()
    await expect(page.get_by_text("C’est emballé.")).to_be_visible()
    await page.locator("#ship-carrier").fill("Colissimo")
    await page.get_by_label("Numéro de suivi").fill("8R 123")
    await page.get_by_label("Adresse de suivi").fill("https://suivi.example.org/8R123")
    await page.get_by_role("button", name="Expédier", exact=True).click()
    await expect(page.get_by_text("L’expédition est enregistrée.")).to_be_visible()
    await expect(page.get_by_role("link", name="Suivre le colis 8R 123")).to_be_visible()
    await page.locator("summary", has_text="Noter la livraison").click()
    await page.get_by_label("Comment on le sait").select_option("signature")
    await page.get_by_role("button", name="Enregistrer la livraison").click()
    await expect(page.get_by_text("La livraison est enregistrée.")).to_be_visible()
    assert (await shop.shown(code))["fulfilment_status"] == "delivered"


@pytest.mark.rows("A20", "A21", "A22", "A23", "A28")
async def test_a_status_is_mailed_only_when_ticked(context: PageContext, shop: OwnShop) -> None:
    sale = shop.sale(notebooks(1))
    [order] = await shop.order(sale)
    await shop.report(sale)
    code = (await shop.until_order(order, payment_status="paid", stock="reserved"))["code"]
    visitor = await context("fulfilment", f"/orders/{code}", lang="en", script=False)
    await visitor.page.get_by_label("New status").select_option("processing")
    await visitor.page.get_by_label("Notify the customer").first.check()
    await visitor.page.get_by_label("Comment for the customer").fill("Nous préparons votre colis.")
    await visitor.page.locator("#status-admin").fill("Client pressé")
    await visitor.page.get_by_role("button", name="Update the status").click()
    await expect(visitor.page.get_by_text("Status updated.")).to_be_visible()
    await expect(visitor.page.locator("#activity")).to_contain_text("Client pressé")
    letters = await shop.mails_to(sale.recipient, count=2)
    values = [letter.get_body(("plain",)) for letter in letters]
    texts = [body.get_content() for body in values if body is not None]
    assert any("Nous préparons votre colis." in text for text in texts)
    assert not any("Client pressé" in text for text in texts)


async def test_cancelling_shows_what_it_does_and_does_it(context: PageContext, shop: OwnShop) -> None:
    code = await an_order_by_cheque(shop)
    visitor = await context("owner", f"/orders/{code}", lang="fr")
    await visitor.page.get_by_role("button", name="Autres actions").click()
    await visitor.page.get_by_role("link", name="Annuler la commande").click()
    await expect(visitor.page.get_by_text("2 × Carnet cousu A5")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order-cancellation")
    await visitor.page.get_by_role("button", name="Annuler la commande").click()
    await expect(visitor.page.get_by_text("Ce qui n’était pas parti est annulé.")).to_be_visible()
    await shop.until_order(str((await shop.shown(code))["order_id"]), state="cancelled", balance_minor=0)


@pytest.mark.rows("A15", "A25")
async def test_a_card_payment_settles_automatically_and_every_unit_gets_a_parcel(
    context: PageContext, shop: OwnShop
) -> None:
    sale = shop.sale(notebooks(3))
    [order] = await shop.order(sale)
    code = (await shop.until_order(order, stock="reserved"))["code"]
    visitor = await context("fulfilment", f"/orders/{code}", lang="fr")
    page = visitor.page
    await shop.report(sale)
    await expect(page.locator("#order-summary")).to_contain_text("Commande en cours")
    await visitor.go(f"/orders/{code}")
    await page.get_by_label("Un colis par unité").check()
    await page.locator("#parcels").get_by_role("button", name="Emballer", exact=True).click()
    await expect(page.locator("#parcels .things > li")).to_have_count(3)


@pytest.mark.rows("A13", "A24")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_typed_quantities_are_what_is_packed(context: PageContext, shop: OwnShop, script: bool) -> None:
    sale = shop.sale(notebooks(3), inks(2))
    [order] = await shop.order(sale)
    await shop.report(sale)
    code = (await shop.until_order(order, stock="reserved", state="ready"))["code"]
    visitor = await context("fulfilment", f"/orders/{code}", lang="fr", script=script)
    page = visitor.page
    form = page.locator("#parcels form", has=page.locator("[name=way]"))
    await form.get_by_label("Carnet").fill("1")
    await form.get_by_label("Encre").fill("0")
    if script:
        await expect(form.get_by_label("Choisir les quantités")).to_be_checked()
        await form.get_by_label("Un seul colis").check()
        await expect(form.get_by_label("Carnet")).to_have_value("3")
        await form.get_by_label("Carnet").fill("1")
        await form.get_by_label("Encre").fill("0")
    else:
        visitor.provokes(422)
        await form.get_by_role("button", name="Emballer", exact=True).click()
        await expect(form.get_by_text("des quantités ont été modifiées")).to_be_visible()
        await expect(form.get_by_label("Choisir les quantités")).to_be_checked()
    await visitor.screenshot("order-quantities")
    await form.get_by_role("button", name="Emballer", exact=True).click()
    await shop.until_order(order, units_to_pack=4)
    await visitor.go(f"/orders/{code}")
    await expect(page.locator("#parcels .things > li")).to_have_count(1)
    await expect(page.locator("#parcels .things .contents li")).to_have_count(1)


@pytest.mark.rows("A14", "A28", "B10", "B11")
async def test_a_shipment_is_corrected_cancelled_and_a_parcel_lost(
    context: PageContext, shop: OwnShop
) -> None:
    sale = shop.sale(notebooks(2))
    customer = str(sale.submission.customer.email)
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, stock="reserved", state="ready")
    parcel = await shop.pack(order, {1: 2})
    await shop.ship(order, [parcel], carrier="Colissimo")
    code = (await shop.until_order(order, state="processing"))["code"]
    visitor = await context("fulfilment", f"/orders/{code}", lang="fr")
    page = visitor.page
    shipments = page.locator("#shipments")
    await shipments.get_by_text("Ajouter un numéro de suivi").click()
    await shipments.get_by_label("Numéro de suivi").fill("8R 99")
    await shipments.get_by_label("Notifier le client").first.check()
    await visitor.axe()
    await visitor.screenshot("order-correction")
    await shipments.get_by_role("button", name="Enregistrer le suivi").click()
    await expect(page.get_by_text("Le suivi est corrigé.")).to_be_visible()
    await expect(shipments.get_by_role("link", name="Suivre le colis 8R 99")).to_be_visible()
    await expect(page.locator("#activity")).to_contain_text("Suivi corrigé : Colissimo 8R 99")
    [letter] = await shop.mails_to(customer, "nouveau suivi")
    assert "8R 99" in text_of(letter)
    await shipments.locator("summary", has_text="Corriger l’expédition").click()
    await shipments.locator("summary", has_text="Elle n’est pas partie").click()
    await shipments.get_by_label("Motif").first.fill("Transporteur absent")
    await shipments.get_by_role("button", name="Annuler cette expédition").click()
    await expect(page.get_by_text("L’expédition est annulée.")).to_be_visible()
    await expect(shipments).to_contain_text("Transporteur absent")
    shown = await shop.until_order(order, units_to_ship=2)
    assert shown["state"] == "ready"
    await shop.ship(order, [parcel])
    await visitor.go(f"/orders/{code}?correct=none")
    last = shipments.locator(".things > li").last
    await last.locator("summary", has_text="Ajouter un numéro de suivi").click()
    await last.locator("summary", has_text="Un colis est perdu").click()
    await visitor.screenshot("order-loss")
    await last.get_by_role("button", name="Signaler la perte").click()
    await expect(page.get_by_text("Le colis est signalé perdu.")).to_be_visible()
    await expect(page.locator("#parcels")).to_contain_text("2 unités restent à emballer")
    await expect(shipments).not_to_contain_text("Noter la livraison")
    await visitor.axe()
    await visitor.screenshot("order-corrected")
    letters = shop.mails_now(customer)
    assert [
        one["Subject"] for one in letters if "perdu" in one["Subject"] or "annulé" in one["Subject"]
    ] == []
