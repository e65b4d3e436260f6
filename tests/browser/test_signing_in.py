"""The sign-in page in every look, and signing in."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import FOUR_LOOKS, Look

TITLES = {"fr": "Connexion", "en": "Sign in"}
NOWHERE = "somebody@nowhere.example.org"


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_sign_in_page_is_accessible_and_in_the_browsers_language(
    context: PageContext, look: Look
) -> None:
    visitor = await context(None, "/sign-in", look=look)
    assert await visitor.page.locator("html").get_attribute("lang") == look.lang
    await expect(visitor.page.locator("h1")).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("sign-in")


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_home_greets_the_user_who_signed_in(context: PageContext, shop: OwnShop, look: Look) -> None:
    visitor = await context("owner", look=look)
    await expect(visitor.page.locator("main h1")).to_contain_text((await shop.person("owner")).name)
    await visitor.axe()
    await visitor.screenshot("home")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_wrong_password_is_reported_and_the_login_kept(context: PageContext, script: bool) -> None:
    visitor = await context(None, "/sign-in", lang="en", script=script)
    visitor.provokes(422)
    await visitor.page.locator("input[name=login]").fill(NOWHERE)
    await visitor.page.locator("input[name=password]").fill("this is not it")
    await visitor.page.locator("input[name=password]").press("Enter")
    await expect(visitor.page.get_by_text("The login or password is incorrect")).to_be_visible()
    await expect(visitor.page.locator("input[name=login]")).to_have_value(NOWHERE)
    await expect(visitor.page.locator("input[name=password]")).to_have_value("")


async def test_one_arrives_where_one_wanted_to_go(context: PageContext, shop: OwnShop) -> None:
    visitor = await context(None, "/account", lang="en")
    await expect(visitor.page).to_have_url(re.compile(r"/sign-in\?next="))
    person = await shop.person("accountant")
    await visitor.page.locator("input[name=login]").fill(person.login)
    await visitor.page.locator("input[name=password]").fill(person.password)
    await visitor.page.locator("input[name=password]").press("Enter")
    await expect(visitor.page).to_have_url(re.compile("/account$"))
