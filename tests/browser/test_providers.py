"""Payment providers: an owner adds an endpoint, tests it, and rolls its signing secret."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look, Visitor

SECRET, NEW_SECRET = "whsec_typed-in-a-browser-0001", "whsec_typed-in-a-browser-0002"


async def press(visitor: Visitor, name: str) -> None:
    """Press a button."""
    await visitor.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.rows("B06")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_an_owner_adds_an_endpoint_and_tests_it(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    words = {
        "fr": (
            "Ajouter",
            "Adresse",
            "Secret de signature",
            "Clé API",
            "Tester",
            "Enregistrer",
            "Fin de validité",
        ),
        "en": ("Add", "URL", "Signing secret", "API key", "Test", "Save", "Accepted until"),
    }
    add, address, signing_secret, api_key, test, save, until = words[look.lang]
    slug, wrong_key = f"in-a-browser-{look}", "sk_live_ofTheOtherMode01"
    visitor = await context("owner", "/settings/providers", look=look)
    await visitor.page.get_by_role("link", name="Stripe", exact=True).click()
    visitor.provokes(422)
    await visitor.page.get_by_label(address).fill(slug)
    await visitor.page.get_by_label(signing_secret, exact=True).fill(SECRET)
    await visitor.page.get_by_label(api_key).fill(wrong_key)
    await press(visitor, add)
    await expect(visitor.page.locator(".field.has-error")).to_have_count(1)
    await expect(visitor.page.get_by_label(address)).to_have_value(slug)
    await expect(visitor.page.get_by_label(signing_secret, exact=True)).to_have_value("")
    await visitor.axe()
    await visitor.screenshot("provider-refused")
    await visitor.page.get_by_label(signing_secret, exact=True).fill(SECRET)
    await press(visitor, add)
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Stripe")
    await visitor.page.get_by_label(signing_secret, exact=True).fill(NEW_SECRET)
    await press(visitor, save)
    await expect(visitor.page.locator(".provider-secrets")).to_contain_text(until)
    await press(visitor, test)
    await expect(visitor.page.locator("#provider-test .notice")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("provider")
    assert SECRET not in await visitor.page.content()
