"""Guessing passwords: by login, by address, side by side."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.orders.backoffice.access.known_browsers import KNOWN_FOR, counted_as, issued, suffix
from services.orders.backoffice.access.signing_in import PER_ADDRESS, PER_LOGIN
from tests.backoffice.browser import PASSWORD, Backoffice

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
NEW = "une autre phrase, bien plus longue"


async def test_a_wrong_password_and_an_unknown_login_sound_the_same(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    login = await backoffice.hire()
    known, unknown = await browser.sign_in(login, "wrong"), await browser.sign_in("nobody@x.example", "wrong")
    assert known.status == unknown.status == 422
    assert known.words.replace(login, "") == unknown.words.replace("nobody@x.example", "")
    assert "wrong" not in known.text


async def test_a_login_that_failed_too_often_waits(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    login = await backoffice.hire()
    for _ in range(PER_LOGIN):
        assert (await browser.sign_in(login, "wrong")).status == 422
    assert (await browser.sign_in(login)).status == 429, "even with the right password"
    assert (await browser.sign_in(await backoffice.hire())).status == 303, "others are not hindered"
    await backoffice.desk.hub.pool.execute(
        "update sign_in_attempt set attempted_at = attempted_at - interval '16 minutes'"
    )
    assert (await browser.sign_in(login)).status == 303


async def test_guesses_side_by_side_do_not_pass_the_limit(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    login = await backoffice.hire()
    tries = (browser.sign_in(login, f"wrong {number}") for number in range(PER_LOGIN * 2))
    answers = await asyncio.gather(*tries)
    assert sum(answer.status == 422 for answer in answers) <= PER_LOGIN


async def test_an_address_that_failed_too_often_waits(backoffice: Backoffice) -> None:
    rows = [(f"login-{number}".encode(),) for number in range(PER_ADDRESS)]
    await backoffice.desk.hub.pool.executemany(
        """insert into sign_in_attempt (attempt_id, login_hash, address, attempted_at, is_failure)
           values (gen_random_uuid(), $1, '127.0.0.1', now(), true)""",
        rows,
    )
    browser = backoffice.browser()
    answer = await browser.sign_in(await backoffice.hire())
    assert answer.status == 429
    count = await backoffice.desk.fetchval("select count(*) from sign_in_attempt")
    assert count == PER_ADDRESS, "what is refused is not noted, so the table does not grow with an attack"


async def _guess(backoffice: Backoffice, login: str) -> None:
    """Have a stranger use up a login's tries."""
    stranger = backoffice.browser()
    for _ in range(PER_LOGIN):
        assert (await stranger.sign_in(login, "wrong")).status == 422
    assert (await stranger.sign_in(login)).status == 429


async def test_strangers_do_not_keep_a_known_browser_out(backoffice: Backoffice) -> None:
    known, login = backoffice.browser(), await backoffice.hire()
    assert (await known.sign_in(login)).status == 303
    await known.post("/sign-out")
    await _guess(backoffice, login)
    assert (await known.sign_in(login)).status == 303
    assert (await backoffice.browser().sign_in(login)).status == 429, "strangers still wait"
    changed = {"password-now": PASSWORD, "password": NEW, "password-again": NEW}
    assert (await known.post("/account/password", changed)).status == 303, "anybody inside may change it"
    await known.post("/sign-out")
    assert (await known.sign_in(login, NEW)).status == 303, "the browser that chose it stays known"


async def test_a_known_browser_has_no_more_attempts_than_others(backoffice: Backoffice) -> None:
    known, login = backoffice.browser(), await backoffice.hire()
    assert (await known.sign_in(login)).status == 303
    answers = await asyncio.gather(
        *(known.sign_in(login, f"wrong {number}") for number in range(PER_LOGIN * 2))
    )
    assert sum(answer.status == 422 for answer in answers) <= PER_LOGIN
    assert (await known.sign_in(login)).status == 429
    assert (await backoffice.browser().sign_in(login)).status == 303, "its tries are its own"


async def test_a_browser_is_known_to_its_own_login_alone(backoffice: Backoffice) -> None:
    browser, login, another = backoffice.browser(), await backoffice.hire(), await backoffice.hire()
    assert (await browser.sign_in(another)).status == 303
    (cookie,) = [value for name, value in browser.client.cookies.items() if "-known-" in name]
    browser.client.cookies.set("comptoir" + suffix(login), cookie, domain="127.0.0.1")
    await _guess(backoffice, login)
    assert (await browser.sign_in(login)).status == 429


def test_a_cookie_counts_for_its_login_its_password_and_its_time() -> None:
    cookie = issued("a@maison.example", "hash", NOW)
    assert counted_as(cookie, "a@maison.example", "hash", NOW + KNOWN_FOR) is not None
    assert counted_as(cookie, "a@maison.example", "hash", NOW + KNOWN_FOR + timedelta(seconds=1)) is None
    assert counted_as(cookie, "b@maison.example", "hash", NOW) is None
    assert counted_as(cookie, "a@maison.example", "another hash", NOW) is None
    assert counted_as(cookie, "a@maison.example", None, NOW) is None
    nonce, seconds, mac = cookie.split(".")
    assert counted_as(f"{nonce}.{int(seconds) + 9}.{mac}", "a@maison.example", "hash", NOW) is None
    assert issued("a@maison.example", "hash", NOW) != cookie, "each browser has a count of its own"


@given(st.text(max_size=80))
def test_no_text_makes_a_browser_known(cookie: str) -> None:
    assert counted_as(cookie, "a@maison.example", "hash", NOW) is None
    assert counted_as(f"x.{cookie}.y", "a@maison.example", "hash", NOW) is None
