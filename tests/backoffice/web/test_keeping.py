"""An expired session in the middle of a form: nothing typed is lost, nothing is sent by itself."""

from starlette.responses import PlainTextResponse, Response

from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Page
from tests.backoffice.browser import PASSWORD, Backoffice, Shown

TYPED = 'deux lignes\net "<script>alert(1)</script>" &amp; </textarea>'
FIELDS = {"note": TYPED, "key": "0190-abcdef", "password-now": "secret"}


def _with_a_form(backoffice: Backoffice) -> list[dict[str, str]]:
    received: list[dict[str, str]] = []

    async def save(context: PageContext) -> Response:
        received.append(dict(await context.form()))
        return PlainTextResponse("saved")

    backoffice.add(Page("/notes", "POST", Entry.SIGNED_IN, save, "note.save"))
    return received


async def _expire(backoffice: Backoffice) -> None:
    await backoffice.desk.hub.pool.execute(
        "update staff_session set expires_at = now() - interval '1 second'"
    )


async def _door_with_form(backoffice: Backoffice, login: str) -> tuple[Shown, dict[str, str]]:
    browser = backoffice.browser()
    await browser.sign_in(login)
    await _expire(backoffice)
    door = await browser.post("/notes?x=1", FIELDS)
    assert door.status == 401
    return door, dict(browser.client.cookies)


async def test_what_was_typed_comes_back_after_signing_in_again(backoffice: Backoffice) -> None:
    received, login = _with_a_form(backoffice), await backoffice.hire()
    door, cookies = await _door_with_form(backoffice, login)
    assert "secret" not in door.text
    assert "<script>alert" not in door.text
    browser = backoffice.browser()
    browser.client.cookies.update(cookies)
    kept = await browser.post("/sign-in", door.form("/sign-in").filled(login=login, password=PASSWORD))
    assert kept.status == 200
    assert "Nothing has been sent yet" in kept.words
    assert "<dt>Note</dt>" in kept.text, "fields are called what the page calls them"
    assert received == []
    sent = await browser.post("/notes?x=1", kept.form("/notes?x=1").fields)
    assert (sent.status, received) == (200, [{"note": TYPED, "key": "0190-abcdef"}])


async def test_a_wrong_password_in_between_keeps_it_too(backoffice: Backoffice) -> None:
    _with_a_form(backoffice)
    login = await backoffice.hire()
    door, cookies = await _door_with_form(backoffice, login)
    browser = backoffice.browser()
    browser.client.cookies.update(cookies)
    again = await browser.post("/sign-in", door.form("/sign-in").filled(login=login, password="wrong"))
    assert again.status == 422
    kept = await browser.post("/sign-in", again.form("/sign-in").filled(login=login, password=PASSWORD))
    assert ("note", TYPED) in kept.form("/notes?x=1").fields


async def test_another_person_does_not_see_it(backoffice: Backoffice) -> None:
    _with_a_form(backoffice)
    door, cookies = await _door_with_form(backoffice, await backoffice.hire())
    browser = backoffice.browser()
    browser.client.cookies.update(cookies)
    other = await backoffice.hire()
    answer = await browser.post("/sign-in", door.form("/sign-in").filled(login=other, password=PASSWORD))
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "deux lignes" not in answer.text
    assert "belonged to another account" in (await browser.get("/")).words


async def test_a_kept_form_never_leads_elsewhere(backoffice: Backoffice) -> None:
    browser, login = backoffice.browser(), await backoffice.hire()
    for to in ("https://evil.example/x", "//evil.example", "/sign-in"):
        fields = {"login": login, "password": PASSWORD, "kept-to": to, "kept.note": "x", "next": to}
        answer = await browser.post("/sign-in", fields)
        assert answer.status == 303
        assert "evil" not in answer.headers["location"]
        await browser.post("/sign-out")


async def test_a_part_of_a_page_leads_the_whole_page_to_the_door(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    htmx = {"HX_Request": "true", "HX_Request_Type": "partial", "HX_Target": "div#rows"}
    answer = await browser.get("/account", HX_Current_URL="http://127.0.0.1:8080/orders?tab=all", **htmx)
    assert answer.headers["hx-redirect"] == "/sign-in?next=/orders%3Ftab%3Dall"
    answer = await browser.post("/account/sessions/end", {"note": "typed"}, **htmx)
    assert (answer.status, answer.headers["hx-retarget"]) == (401, "body")
    assert "typed" in answer.text
