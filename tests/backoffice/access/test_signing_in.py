"""Signing in and out, and what a session is worth."""

from tests.backoffice.browser import PASSWORD, Backoffice


async def test_who_is_not_signed_in_is_led_to_the_door_and_back(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    shown = await browser.get("/account?x=1")
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=/account%3Fx%3D1")
    door = await browser.get(shown.headers["location"])
    login = await backoffice.hire()
    entered = await browser.post("/sign-in", door.form("/sign-in").filled(login=login, password=PASSWORD))
    assert (entered.status, entered.headers["location"]) == (303, "/account?x=1")
    account = await browser.get("/account")
    assert account.status == 200
    assert "My account" in account.words
    assert login in account.words


async def test_signing_out_ends_the_session(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    cookie = browser.client.cookies["comptoir"]
    assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"
    browser.client.cookies.set("comptoir", cookie, domain="127.0.0.1")
    assert (await browser.get("/account")).status == 303
