"""An expired session in the middle of a form: nothing typed is lost, nothing is sent by itself."""

from starlette.responses import PlainTextResponse, Response

from services.orders import backoffice as pages_of
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.account.kept import ACTIONS
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Page, found_in
from tests.backoffice.browser import PASSWORD, Backoffice, Shown
from tests.orders.rest_client import place, sale

WITHOUT_INPUT = {"session.start", "session.end", "session.revoke", "session.revoke_others", "password.change",
    "password.choose", "preferences.change"}  # fmt: skip
"""Actions of forms that are open to everybody, or have nothing but passwords to keep."""
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


async def _shown_again(backoffice: Backoffice, door: Shown, login: str, language: str = "en") -> Shown:
    """What a browser without any cookie gets that signs in on the sign-in page with the form."""
    fields = door.form("/sign-in").filled(login=login, password=PASSWORD)
    return await backoffice.browser(language).post("/sign-in", fields)


async def _comment_sent_too_late(
    backoffice: Backoffice, login: str, language: str = "en"
) -> tuple[str, Shown]:
    """An order's code, and the sign-in page that a comment on it ended at; the browser has lost its cookies."""
    placed, browser = await place(backoffice.desk, sale()), backoffice.browser(language)
    await browser.sign_in(login)
    path = f"/orders/{placed.code}/comment"
    form = (await browser.get(f"/orders/{placed.code}")).form(path)
    fields = {**dict(form.fields), "admin_comment": "À rappeler"}
    door = await backoffice.browser(language).post(path, fields)
    assert (door.status, "À rappeler" in door.text) == (401, True)
    return placed.code, door


async def test_the_page_shows_its_form_filled_in_and_nothing_is_done(backoffice: Backoffice) -> None:
    login = await backoffice.hire()
    code, door = await _comment_sent_too_late(backoffice, login)
    shown = await _shown_again(backoffice, door, login)
    assert (shown.status, code in shown.words) == (200, True)
    assert "You are signed in again." in shown.words
    assert "Nothing has been sent yet: check your input, then send it." in shown.words
    assert shown.text.count('class="notice note" role="alert"') == 1
    form, first = shown.form(f"/orders/{code}/comment"), dict(door.form("/sign-in").fields)
    assert {("admin_comment", "À rappeler"), ("key", first["kept.key"])} <= set(form.fields)
    assert await backoffice.desk.fetchval("select count(*) from comment") == 0
    assert [row["action"] for row in await backoffice.audit()] == ["session.start", "session.start"]


async def test_what_is_sent_then_is_one_action_with_the_key_of_the_first(backoffice: Backoffice) -> None:
    login = await backoffice.hire()
    code, door = await _comment_sent_too_late(backoffice, login)
    browser = backoffice.browser()
    shown = await browser.post("/sign-in", door.form("/sign-in").filled(login=login, password=PASSWORD))
    for _ in range(2):
        sent = await browser.post(f"/orders/{code}/comment", shown.form(f"/orders/{code}/comment").fields)
        assert sent.status == 303
    assert await backoffice.desk.fetchval("select count(*) from comment") == 1


async def test_another_person_gets_nothing_of_it_even_without_the_cookie(backoffice: Backoffice) -> None:
    _, door = await _comment_sent_too_late(backoffice, await backoffice.hire())
    answer = await _shown_again(backoffice, door, await backoffice.hire())
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "rappeler" not in answer.text


async def test_input_of_nobody_known_is_dropped(backoffice: Backoffice) -> None:
    _with_a_form(backoffice)
    door, browser = await backoffice.browser().post("/notes", FIELDS), backoffice.browser()
    fields = door.form("/sign-in").filled(login=await backoffice.hire(), password=PASSWORD)
    answer = await browser.post("/sign-in", fields)
    assert (answer.status, "deux lignes" in answer.text) == (303, False)
    assert "could not be kept" in (await browser.get("/")).words


async def test_a_role_that_may_no_longer_do_it_does_not_see_the_form(backoffice: Backoffice) -> None:
    login = await backoffice.hire()
    _, door = await _comment_sent_too_late(backoffice, login)
    await backoffice.desk.hub.pool.execute("update staff set role = 'accountant'")
    shown = await _shown_again(backoffice, door, login)
    assert (shown.status, "rappeler" in shown.words) == (403, False)


async def test_a_bulk_action_names_its_orders_and_itself_in_the_pages_language(
    backoffice: Backoffice,
) -> None:
    login, placed = await backoffice.hire(), await place(backoffice.desk, sale())
    browser = backoffice.browser("fr")
    await browser.sign_in(login)
    bulk = (await browser.get("/orders?tab=all")).form("/orders/print")
    fields = [*bulk.fields, ("order", str(placed.order_id)), ("reason", "Rupture")]
    door = await backoffice.browser("fr").post("/orders/cancel", fields)
    shown = await _shown_again(backoffice, door, login, "fr")
    told = shown.words
    assert f"Action Annuler des commandes Commandes {placed.code} Motif Rupture" in told
    assert str(placed.order_id) not in told
    assert ("order", str(placed.order_id)) in shown.form("/orders/cancel").fields


async def test_a_preview_that_came_too_late_shows_the_form_it_belongs_to(backoffice: Backoffice) -> None:
    login, placed = await backoffice.hire(), await place(backoffice.desk, sale())
    browser = backoffice.browser()
    await browser.sign_in(login)
    path = f"/orders/{placed.code}/status"
    form = (await browser.get(f"/orders/{placed.code}")).form(path)
    fields = {**dict(form.fields), "public_comment": "Presque"}
    door = await backoffice.browser().post(f"{path}-preview", fields, HX_Request_Type="partial")
    shown = await _shown_again(backoffice, door, login)
    assert ("public_comment", "Presque") in shown.form(path).fields


async def test_signing_out_too_late_is_no_input(backoffice: Backoffice) -> None:
    login = await backoffice.hire()
    door = await backoffice.browser().post("/sign-out")
    answer = await _shown_again(backoffice, door, login)
    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_every_form_is_shown_again_or_its_action_has_words() -> None:
    routes, _ = found_in(pages_of)
    unnamed = {page.action for page in routes if page.method == "POST" and page.again is None}
    assert unnamed - WITHOUT_INPUT == set(ACTIONS)


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
