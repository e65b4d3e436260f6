"""Further actions on an order: refunded, edited, reinstated, deleted, printed, and announced."""

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from deploy.demo.standins.stripe_api import StripeApi
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import SCREENS, VIEWPORTS, Look
from tests.journeys.sales import inks, notebooks

PHONE, DESK = Look("fr", "light", "phone"), Look("en", "dark", "desk")


async def a_paid_order(shop: OwnShop) -> str:
    """Return the code of a new order of two notebooks and ink, paid by card, with its stock reserved."""
    sale = shop.sale(notebooks(2), inks(1))
    [order] = await shop.order(sale)
    await shop.report(sale)
    return str((await shop.until_order(order, payment_status="paid", stock="reserved"))["code"])


async def id_of(shop: OwnShop, code: str) -> str:
    """Return the order's id."""
    return str((await shop.shown(code))["order_id"])


@pytest.mark.rows("B14", "B15", "B16", "C12", "A19")
async def test_a_refund_is_sent_and_a_refused_one_is_shown_as_failed(
    context: PageContext, shop: OwnShop
) -> None:
    code, system = await a_paid_order(shop), shop.system
    visitor = await context("owner", f"/orders/{code}", look=PHONE)
    page = visitor.page
    await page.get_by_role("button", name="Autres actions").click()
    await expect(page.locator("#order-actions")).to_be_visible()
    await visitor.screenshot("order-actions", whole=False)
    await page.locator("#order-actions").get_by_role("link", name="Rembourser").click()
    await expect(page.locator("#refund-amount")).to_have_value("")
    await page.get_by_role("button", name="Tous les articles").click()
    await expect(page.locator("#refund-amount")).to_have_value("34,80")
    await page.locator("#refund-quantity-2").fill("0")
    await expect(page.locator("#refund-amount")).to_have_value("25,00")
    await page.get_by_text("L’envoyer vraiment par Stripe").click()
    await page.locator("#refund-reason").fill("Carnets abîmés")
    await page.get_by_label("Notifier le client").check()
    await visitor.axe()
    await visitor.screenshot("order-refund")
    await page.set_viewport_size(VIEWPORTS["desk"])
    await page.emulate_media(color_scheme="dark")
    await visitor.screenshot("order-refund-desk-dark")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(VIEWPORTS["phone"])
    await page.get_by_role("button", name="Vérifier avant de rembourser").click()
    await expect(page.get_by_text("Annulés, ils ne partiront pas")).to_be_visible()
    await expect(page.locator(".mail-shown")).to_contain_text("Nous vous remboursons 25,00")
    await visitor.axe()
    await visitor.screenshot("order-refund-preview")
    await page.set_viewport_size(VIEWPORTS["desk"])
    await visitor.screenshot("order-refund-preview-desk")
    visitor.provokes(422)
    async with StripeApi(system.accounts.stripe_port, system.accounts.stripe_key, shop.post_webhook) as api:
        intent = (await shop.shown(code))["ledger"][1]["provider_reference"]
        api.paid[intent] = 0
        await page.get_by_role("button", name="Rembourser 25,00").click()
        await expect(page.get_by_role("alert")).to_contain_text("Stripe a refusé le remboursement")
        del api.paid[intent]
        await page.get_by_role("button", name="Vérifier avant de rembourser").click()
        await page.get_by_role("button", name="Rembourser 25,00").dblclick()
        await expect(page.get_by_text("Le remboursement est envoyé.")).to_be_visible()
        order = await id_of(shop, code)
        await shop.until_order(order, balance_minor=0, units_to_pack=1)
        assert len(api.refunds) == 1
    await visitor.go(f"/orders/{code}#payment")
    await expect(page.locator("#payment .refunds li").first).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order-refunded")
    assert await shop.violations() == []


async def test_an_uncertain_refund_is_settled_with_the_providers_reference(
    context: PageContext, shop: OwnShop
) -> None:
    """Stripe cannot be reached at first and then rejects the lookup, so the outcome of the refund is unknown."""
    code, system = await a_paid_order(shop), shop.system
    order = await id_of(shop, code)
    visitor = await context("owner", f"/orders/{code}/refund", look=PHONE)
    page = visitor.page
    await page.locator("input[name=what][value=amount]").check()
    await page.locator("#refund-amount").fill("5,00")
    await page.get_by_text("L’envoyer vraiment par Stripe").click()
    await page.get_by_role("button", name="Vérifier avant de rembourser").click()
    await page.get_by_role("button", name="Rembourser 5,00").click()
    await expect(page.get_by_role("button", name="Rembourser 5,00")).to_have_count(0)
    async with StripeApi(system.accounts.stripe_port, "sk_test_of-another-time", shop.post_webhook):
        await shop.until_order(order, flags=["refund_uncertain"])
    await visitor.go(f"/orders/{code}")
    await page.get_by_text("Trancher").click()
    settling = page.locator("form[action$='/refund-settlement']")
    await settling.get_by_label("Ce que l’on sait").select_option("made")
    visitor.provokes(422)
    await settling.get_by_role("button").click()
    await expect(page.get_by_text("Saisissez la référence du remboursement")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order-refund-settlement")
    await page.set_viewport_size(VIEWPORTS["desk"])
    await visitor.screenshot("order-refund-settlement-desk")
    await settling.get_by_label("Référence du remboursement").fill("re_1Seen")
    await settling.get_by_role("button").click()
    await expect(page.locator(".refunds .code", has_text="re_1Seen")).to_be_visible()
    await shop.until_order(order, balance_minor=0)
    assert await shop.violations() == []


@pytest.mark.rows("A10", "A11")
async def test_an_edit_is_seen_before_it_counts_and_a_stale_one_keeps_its_text(
    context: PageContext, shop: OwnShop
) -> None:
    code = await a_paid_order(shop)
    visitor, other = (
        await context("owner", f"/orders/{code}/edit", look=DESK),
        await context("manager", f"/orders/{code}/edit", look=PHONE, script=False),
    )
    page = visitor.page
    await page.locator("#edit-quantity-1").fill("3")
    await page.locator("#edit-delivery-city").fill("Douarnenez")
    await visitor.axe()
    await visitor.screenshot("order-edit")
    await page.get_by_role("button", name="Preview the changes").click()
    await expect(page.get_by_text("€34.80 → €47.30")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order-edit-preview")
    await page.get_by_role("button", name="Save the changes").dblclick()
    await expect(page.get_by_text("Order edited.")).to_be_visible()
    await shop.until_order(await id_of(shop, code), balance_minor=1250, units_to_pack=4)
    await other.screenshot("order-edit")
    await other.page.locator("#edit-note").fill(f"Laisser au gardien {'W' * 200}")
    other.provokes(409)
    await other.page.get_by_role("button", name="Vérifier avant d’enregistrer").click()
    await expect(other.page.get_by_text("Laisser au gardien").first).to_be_visible()
    await expect(other.page.get_by_text("Commande modifiée")).to_be_visible()
    await other.fits()
    await other.page.get_by_role("link", name="Voir l’état actuel").click()
    assert (await shop.shown(code))["shipping_address"]["city"] == "Douarnenez"


@pytest.mark.rows("A12", "A21", "A22", "B13")
async def test_a_mail_is_previewed_an_order_reinstated_printed_and_another_deleted(
    context: PageContext, shop: OwnShop
) -> None:
    code = await a_paid_order(shop)
    visitor = await context("owner", f"/orders/{code}", look=DESK)
    page = visitor.page
    await page.locator("#status-label").select_option("processing")
    await page.locator("#status-public").press_sequentially("Nous préparons <b>tout</b>.", delay=5)
    await expect(page.locator("#mail-preview")).to_contain_text("Nous préparons <b>tout</b>.")
    await expect(page.locator("#mail-preview .mail-subject")).not_to_be_empty()
    await visitor.axe()
    await page.locator("#status").screenshot(path=SCREENS / "order-status-preview.png")
    await page.locator("#comment-text").fill("Client pressé, à rappeler")
    await page.get_by_role("button", name="Add the comment").click()
    await page.get_by_role("button", name="Other actions").click()
    await visitor.screenshot("order-actions", whole=False)
    await page.locator("#order-actions").get_by_role("link", name="Print").click()
    await expect(page.get_by_text("Client pressé, à rappeler")).to_have_count(0)
    await expect(page.get_by_text("today at")).to_have_count(0)
    await page.get_by_role("link", name="With notes").click()
    await expect(page.get_by_text("Client pressé, à rappeler")).to_be_visible()
    await visitor.axe()
    await page.emulate_media(media="print")
    await visitor.screenshot("order-print")
    await page.emulate_media(media="screen")
    await visitor.go(f"/orders/{code}/cancellation")
    await page.get_by_label("Notify the customer").check()
    await page.locator("#told-public").press_sequentially("Plus de stock, désolés.", delay=5)
    await expect(page.locator("#mail-preview")).to_contain_text("Plus de stock, désolés.")
    await visitor.axe()
    await visitor.screenshot("order-cancellation-told")
    await page.get_by_role("button", name="Cancel the order").click()
    order = await id_of(shop, code)
    await shop.until_order(order, state="cancelled", balance_minor=-3480)
    await visitor.go(f"/orders/{code}/reinstatement")
    await expect(page.get_by_text("No mail is sent.")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("order-reinstatement")
    await page.get_by_role("button", name="Reinstate the order").dblclick()
    await expect(page.get_by_text("Order reinstated.")).to_be_visible()
    await shop.until_order(order, payment_status="paid", balance_minor=0, units_to_pack=3)

    [test_order] = await shop.order(shop.sale(notebooks(1), method=PaymentMethod.CHEQUE))
    tested = str((await shop.until_order(test_order, stock="reserved"))["code"])
    phone = await context("manager", f"/orders/{tested}/deletion", look=PHONE)
    await phone.page.locator("#deletion-reason").fill("Essai")
    await phone.page.locator("#deletion-code").fill(tested)
    await phone.axe()
    await phone.screenshot("order-deletion")
    await phone.page.get_by_role("button", name="Supprimer la commande").click()
    await expect(phone.page.get_by_text(f"La commande {tested} est supprimée.")).to_be_visible()
    assert await shop.violations() == []
