"""Settings in the back office: statuses, tags, carriers, the shop's choices, staff; with scripts and without."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look, Visitor

PROVIDER_PAGES = ("providers", "providers/add/stripe", "providers/add/paypal")
LONG = "Emballage-cadeau-avec-mot-manuscrit"


async def _press(visitor: Visitor, name: str) -> None:
    await visitor.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.rows("B06")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_what_is_added_shows_at_once(context: PageContext, script: bool) -> None:
    mark = "A" if script else "B"
    visitor = await context("owner", "/settings/tags", lang="en", script=script)
    await visitor.page.get_by_label("Name").fill(f"{LONG} {mark}")
    await visitor.page.get_by_label("Purple").check()
    await _press(visitor, "Add")
    await expect(visitor.page.get_by_text("Tag added.")).to_be_visible()
    await expect(visitor.page.locator("tbody .hue-purple", has_text=f"{LONG} {mark}")).to_be_visible()
    await visitor.go("/settings/carriers")
    await visitor.page.get_by_label("Name").fill(f"Colis {mark}")
    await visitor.page.get_by_label("Tracking URL").fill("https://follow.example.com/?parcel={number}")
    await _press(visitor, "Add")
    await expect(visitor.page.locator("tbody", has_text=f"Colis {mark}")).to_be_visible()
    await visitor.go("/settings/statuses")
    await visitor.page.get_by_label("Name in French").fill(f"À graver {mark}")
    await visitor.page.get_by_label("Name in English").fill(f"To engrave {mark}")
    await _press(visitor, "Add")
    await expect(visitor.page.locator("tbody", has_text=f"To engrave {mark}")).to_be_visible()


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_every_page_of_settings_reads_well(context: PageContext, look: Look) -> None:
    visitor = await context("owner", "/settings", look=look)
    for name in ("", "statuses", "tags", "carriers", "staff", "statuses/completed", *PROVIDER_PAGES):
        await visitor.go(f"/settings/{name}".rstrip("/"))
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        await visitor.axe()
        await visitor.screenshot(f"settings-{name.replace('/', '-') or 'shop'}")


@pytest.mark.parametrize("width", [800, 1280, 1440])
async def test_no_tab_of_the_settings_is_cut_off(context: PageContext, width: int) -> None:
    visitor = await context("owner", "/settings", lang="fr")
    await visitor.page.set_viewport_size({"width": width, "height": 800})
    tabs = visitor.page.locator(".tabs")
    wide, shown = await tabs.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert wide <= shown
    ends = await tabs.locator("a").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
    assert max(ends) <= width


async def test_an_owner_invites_somebody_and_takes_the_access_back(
    context: PageContext, shop: OwnShop
) -> None:
    visitor = await context("owner", "/settings/staff", lang="en")
    login = f"lea@{shop.name}.example"
    await visitor.page.get_by_label("Mail address, to sign in with").fill(login)
    await _press(visitor, "Create a link")
    await expect(visitor.page.locator(".one-time-link")).to_contain_text("/invitation/")
    await visitor.axe()
    await visitor.screenshot("settings-invited")
    await visitor.go("/settings/staff")
    await visitor.page.get_by_role("link", name=f"Change {login}").click()
    await visitor.axe()
    await visitor.screenshot("settings-person")
    await _press(visitor, "Withdraw access")
    await expect(visitor.page.locator("tr", has_text=login).get_by_text("Access withdrawn")).to_be_visible()
