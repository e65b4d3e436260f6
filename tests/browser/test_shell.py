"""The layout around every page: shortcuts, menus, live updates, languages, themes, and a session that ends mid-form."""

import re

from playwright.async_api import expect

from services.orders.backoffice.access.permissions import Role
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.journeys.sales import notebooks


async def test_shortcuts_do_what_the_help_describes_and_are_inactive_while_typing(
    context: PageContext,
) -> None:
    visitor = await context("owner", "/account", lang="en")
    page = visitor.page
    await page.locator("input[name=password-now]").press("?")
    await expect(page.locator("#shortcut-help")).to_be_hidden()
    await page.locator("h1").click()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await visitor.axe()
    await page.keyboard.press("Escape")
    await expect(page.locator("#shortcut-help")).to_be_hidden()
    await page.keyboard.press("g")
    await page.keyboard.press("h")
    await expect(page).to_have_url(re.compile(r"/$"))


async def test_keys_can_be_switched_off(context: PageContext, shop: OwnShop) -> None:
    visitor = await context(await shop.hire(Role.MANAGER), "/account", lang="en")
    page = visitor.page
    shortcuts = page.get_by_role("group", name="Keyboard shortcuts")
    await shortcuts.get_by_role("radio", name="Off").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("html")).to_have_attribute("data-shortcuts", "off")
    await page.keyboard.press("?")
    await page.keyboard.press("Tab")
    await expect(page.locator("#shortcut-help")).to_be_hidden()


async def test_the_first_tab_leads_to_the_content(context: PageContext) -> None:
    visitor = await context("owner", "/account", lang="en")
    await visitor.page.keyboard.press("Tab")
    link = visitor.page.get_by_role("link", name="Skip to content")
    await expect(link).to_be_focused()
    await expect(link).to_be_in_viewport()
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.locator("main")).to_be_focused()


async def test_language_and_theme_are_one_click_away(context: PageContext, shop: OwnShop) -> None:
    visitor = await context(await shop.hire(Role.MANAGER), "/account?x=1", lang="fr")
    page = visitor.page
    await expect(page.locator("h1")).to_have_text("Mon compte")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("h1")).to_have_text("My account")
    await expect(page).to_have_url(re.compile(r"/account\?x=1$"))
    await page.get_by_role("button", name=re.compile("Theme: same as device")).click()
    await page.get_by_role("button", name=re.compile("Theme: light")).click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await visitor.axe()


async def test_an_account_has_its_menu(context: PageContext) -> None:
    visitor = await context("accountant", "/account", lang="en")
    page = visitor.page
    await page.get_by_role("button", name=re.compile("Account of")).click()
    await expect(page.get_by_role("button", name="Sign out", exact=True).first).to_be_visible()
    await visitor.axe()
    await page.locator("#account-menu").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()


async def test_a_page_is_live_and_shows_it(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", "/account", lang="en")
    page = visitor.page
    await expect(page.locator("#live")).to_have_attribute("data-state", "on")
    await page.evaluate(
        """() => {
            const watch = document.createElement("div");
            watch.dataset.liveList = "";
            watch.id = "watch";
            watch.addEventListener("live-list", (event) => {
              watch.textContent += (event.detail.orders ?? ["many"]).join(" ") + " ";
            });
            document.getElementById("main").append(watch);
        }"""
    )
    [order] = await shop.order(shop.sale())
    await expect(page.locator("#watch")).not_to_be_empty()
    assert order, "it was placed"


async def test_a_session_that_ends_mid_form_loses_nothing(context: PageContext, shop: OwnShop) -> None:
    person = await shop.hire(Role.MANAGER)
    await context(person)
    visitor = await context(person, "/account", lang="en")
    visitor.provokes(401)
    page = visitor.page
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Sign out all others").click()
    await expect(page.get_by_text("Your session has ended.")).to_be_visible()
    await visitor.axe()
    await page.locator("input[name=login]").fill(person.login)
    await page.locator("input[name=password]").fill(person.password)
    await page.locator("input[name=password]").press("Enter")
    await expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
    await visitor.axe()
    await page.get_by_role("button", name="Send it now").click()
    await expect(page.get_by_text("All other browsers were signed out.")).to_be_visible()


async def test_on_a_narrow_phone_nothing_is_cut_off(context: PageContext) -> None:
    for path in ("/", "/account", "/nothing-here"):
        visitor = await context("owner", path, lang="fr", viewport="narrow")
        visitor.provokes(404)
        await visitor.fits()
        await visitor.axe()


async def test_an_order_is_found_from_any_page(context: PageContext, shop: OwnShop) -> None:
    [order] = await shop.order(shop.sale(notebooks(1)))
    code = (await shop.shown(order))["code"]
    visitor = await context("owner", "/account", lang="fr")
    page = visitor.page
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type(code.lower())
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{visitor.origin}/orders/{code}")
    await visitor.go("/stock")
    await page.keyboard.press("/")
    await expect(page.locator("main input[name=q]")).to_be_focused()
