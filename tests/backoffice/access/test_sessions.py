"""How long a session counts, and what ends it."""

from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import PASSWORD, Backoffice, Browser
from tests.backoffice.conftest import Backoffices

NEW = "une autre phrase, bien plus longue"


async def _is_inside(browser: Browser) -> bool:
    return (await browser.get("/account")).status == 200


async def _age(backoffice: Backoffice, column: str, hours: int) -> None:
    query = f"update staff_session set {column} = {column} - make_interval(hours => $1)"  # noqa: S608
    await backoffice.desk.hub.pool.execute(query, hours)


async def test_the_token_is_known_to_the_browser_alone(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    token = browser.client.cookies["comptoir"]
    (row,) = await backoffice.desk.fetch("select * from staff_session")
    assert token.encode() not in row["token_hash"]
    assert len(row["token_hash"]) == 32


async def test_an_unused_session_ends(backoffices: Backoffices) -> None:
    backoffice = await backoffices(session_idle_hours=2, session_hours=24)
    browser = await backoffice.signed_in()
    await _age(backoffice, "last_seen_at", 1)
    assert await _is_inside(browser), "an hour is no long time; and being used, it begins again"
    await _age(backoffice, "last_seen_at", 1)
    assert await _is_inside(browser)
    await _age(backoffice, "last_seen_at", 3)
    assert not await _is_inside(browser)


async def test_a_page_that_polls_does_not_count_as_use(backoffices: Backoffices) -> None:
    backoffice = await backoffices(session_idle_hours=2, session_hours=24)
    browser = await backoffice.signed_in()
    await _age(backoffice, "last_seen_at", 1)
    await browser.get("/commands/01890000-0000-7000-8000-000000000000")
    await _age(backoffice, "last_seen_at", 1)
    assert not await _is_inside(browser)


async def test_a_session_ends_however_much_it_is_used(backoffices: Backoffices) -> None:
    backoffice = await backoffices(session_idle_hours=2, session_hours=24)
    browser = await backoffice.signed_in()
    await _age(backoffice, "expires_at", 24)
    assert not await _is_inside(browser)


async def test_a_user_who_is_shut_out_loses_access_immediately(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.MANAGER)
    await backoffice.desk.hub.pool.execute("update staff set disabled_at = now()")
    assert not await _is_inside(browser)


async def test_another_password_signs_all_other_browsers_out(backoffice: Backoffice) -> None:
    login = await backoffice.hire()
    here, there = backoffice.browser(), backoffice.browser()
    await here.sign_in(login)
    await there.sign_in(login)
    wrong = {"password-now": "not this one", "password": NEW, "password-again": NEW}
    answer = await here.post("/account/password", wrong)
    assert answer.status == 422
    assert "This is not your current password." in answer.words
    answer = await here.post("/account/password", {**wrong, "password-now": PASSWORD})
    assert answer.status == 303
    assert await _is_inside(here)
    assert not await _is_inside(there)
    assert (await there.sign_in(login)).status == 422
    assert (await there.sign_in(login, NEW)).status == 303


async def test_a_person_ends_their_own_sessions_and_nobody_elses(backoffice: Backoffice) -> None:
    login = await backoffice.hire()
    here, there, stranger = backoffice.browser(), backoffice.browser(), await backoffice.signed_in()
    await here.sign_in(login)
    await there.sign_in(login)
    await here.post(f"/account/sessions/{await stranger.session_id(backoffice)}/end")
    assert await _is_inside(stranger)
    await here.post(f"/account/sessions/{await there.session_id(backoffice)}/end")
    assert not await _is_inside(there)
    await there.sign_in(login)
    await here.post("/account/sessions/end")
    assert (await _is_inside(here), await _is_inside(there)) == (True, False)
