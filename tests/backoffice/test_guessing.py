"""Guessing passwords: by login, by address, side by side."""

import asyncio

from services.orders.backoffice.access.signing_in import PER_ADDRESS, PER_LOGIN
from tests.backoffice.browser import Backoffice


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
