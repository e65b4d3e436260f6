"""The shell of every page: hostile text, languages, themes, parts for htmx, unavailable services."""

import base64
import re

import httpx2
import pytest
from starlette.responses import Response

from services.orders.backoffice.access.permissions import Entry, Permission, Role
from services.orders.backoffice.web.app_state import MenuEntry
from services.orders.backoffice.web.page_context import FLASH, Missing, PageContext
from services.orders.backoffice.web.routing import Page
from tests.backoffice.browser import SHOP, Backoffice
from tests.backoffice.conftest import Backoffices

HOSTILE = '"><script>alert(1)</script>\u202e{{ 7*7 }}%(name)s'
FACTS = {
    "shop": SHOP,
    "name": f"Maison {HOSTILE}",
    "support_email": "aide@maison.example",
    "support_phone": "+33 2 00 00 00 00",
    "opening_hours": "lun–ven 9 h–18 h",
}
LIST = """{% extends "base.html" %}{% block main %}<h1>Whole</h1><div id="some-rows">{% block some_rows %}
{{ badge(text, "good") }} {{ tag(text) }} {{ field("x", text, text, help=text, error=text) }}
{{ empty(text, text, "/", text) }} {{ _("Welcome, %(name)s", name=text) }}{% endblock %}</div>{% endblock %}"""


async def test_hostile_text_is_only_text(backoffices: Backoffices) -> None:
    backoffice = await backoffices(shops=[FACTS])

    async def show(context: PageContext) -> Response:
        return context.render("list", text=HOSTILE)

    backoffice.add(Page("/list", "GET", Entry.SIGNED_IN, show), list=LIST)
    browser = await backoffice.signed_in()
    shown = await browser.get("/list")
    assert shown.status == 200
    assert "<script>alert" not in shown.text
    assert "{{ 7*7 }}" in shown.words
    assert len(re.findall("<script", shown.text)) == 2, "only our own"
    flashed = await browser.post("/preferences", {"back": "/list", "theme": "dark"})
    assert flashed.headers["location"] == "/list"


@pytest.mark.parametrize("content", [b"[" * 20_000, b"\xff", b"[]", b'{"kind": "done"}'])
async def test_a_message_for_the_next_page_that_cannot_be_read_is_none(
    backoffice: Backoffice, content: bytes
) -> None:
    async def show(context: PageContext) -> Response:
        return context.render("list", text="Bougie")

    backoffice.add(Page("/list", "GET", Entry.SIGNED_IN, show), list=LIST)
    browser = await backoffice.signed_in()
    browser.client.cookies.set(FLASH, base64.urlsafe_b64encode(content).decode())
    assert (await browser.get("/list")).status == 200


async def test_htmx_gets_the_block_it_will_replace(backoffice: Backoffice) -> None:
    async def show(context: PageContext) -> Response:
        return context.render("list", text="Bougie")

    backoffice.add(Page("/list", "GET", Entry.SIGNED_IN, show), list=LIST)
    browser = await backoffice.signed_in()
    htmx = {"HX_Request": "true", "HX_Request_Type": "partial", "HX_Target": "div#some-rows"}
    part = await browser.get("/list", **htmx)
    assert "Bougie" in part.text
    assert "<html" not in part.text
    assert "Whole" not in part.text
    restored = await browser.get("/list", HX_History_Restore_Request="true", **htmx)
    assert "<html" in restored.text
    other = await browser.get("/list", **{**htmx, "HX_Target": "div#nothing-like-that"})
    assert "<html" in other.text
    assert "HX-Target" in part.headers["vary"]


async def test_support_shows_on_every_page(backoffices: Backoffices) -> None:
    backoffice = await backoffices(shops=[{**FACTS, "name": "Maison"}])
    shown = await (await backoffice.signed_in()).get("/account")
    for fact in ("aide@maison.example", "+33 2 00 00 00 00", "lun–ven 9 h–18 h"):
        assert fact in shown.words


async def test_the_language_is_the_accounts_then_the_browsers_choice_then_its_wish(
    backoffice: Backoffice,
) -> None:
    browser = backoffice.browser("de")
    assert '<html lang="fr"' in (await browser.get("/sign-in")).text
    browser = backoffice.browser("en-US,en;q=0.9")
    assert "Sign in" in (await browser.get("/sign-in")).words
    door = await browser.post("/preferences", {"language": "fr", "back": "/sign-in"})
    assert door.headers["location"] == "/sign-in"
    assert "Se connecter" in (await browser.get("/sign-in")).words
    login = await backoffice.hire()
    await browser.sign_in(login)
    await browser.post(
        "/preferences", {"language": "en", "theme": "dark", "density": "compact", "shortcuts": "off"}
    )
    elsewhere = backoffice.browser("fr")
    await elsewhere.sign_in(login)
    page = (await elsewhere.get("/account")).text
    assert '<html lang="en" data-theme="dark" data-density="compact" data-shortcuts="off">' in page


async def test_a_preference_that_is_none_of_ours_is_left_out(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    answer = await browser.post("/preferences", {"theme": HOSTILE, "back": "//evil.example"})
    assert answer.headers["location"] == "/"
    assert await backoffice.desk.fetchval("select preferences from staff") == "{}"


async def test_the_menu_shows_what_one_may(backoffice: Backoffice) -> None:
    backoffice.app_state.menu.append(MenuEntry("/staff", "Staff", "person", 95, Permission.STAFF_MANAGE))
    assert 'href="/staff"' in (await (await backoffice.signed_in(Role.OWNER)).get("/account")).text
    assert 'href="/staff"' not in (await (await backoffice.signed_in(Role.MANAGER)).get("/account")).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("/orders?from=2026-02-31", "Enter a date such as"),
        ("/orders?from=31%2F02%2F2026", "Enter a date such as"),
        ("/orders?least=much", "Enter an amount such as"),
        ("/payments?from=2026-02-31", "Enter a date such as"),
        ("/payments?to=9999-12-31", "Enter a date from 1970 to 2200."),
        ("/payments?from=2026-11-20&to=2026-11-10", "is after its end"),
        ("/payments?method=barter", "Choose an option from the list."),
        ("/payments?kind=gift", "Choose an option from the list."),
        ("/payments?order=NONE", "No order has this code."),
        ("/stock?at_most=many", "Enter a whole number"),
        ("/stock?sequence=colour", "Choose an option from the list."),
        ("/mails?state=lost", "Choose an option from the list."),
        ("/payments/webhooks?state=lost", "Choose an option from the list."),
    ],
)
async def test_every_list_refuses_a_filter_that_it_cannot_read_alike(
    backoffice: Backoffice, query: str, expected: str
) -> None:
    answer = await (await backoffice.signed_in()).get(query)
    assert (answer.status, expected in answer.words) == (422, True)
    assert answer.text.count('role="alert"') == 1
    assert 'aria-label="Main menu"' in answer.text


async def test_nothing_here_is_a_page_in_the_shell(backoffice: Backoffice) -> None:
    async def missing(context: PageContext) -> Response:
        raise Missing

    backoffice.add(Page("/gone", "GET", Entry.SIGNED_IN, missing))
    browser = await backoffice.signed_in(language="fr")
    for path in ("/gone", "/nothing", "/nothing/at/all"):
        answer = await browser.get(path)
        assert answer.status == 404
        assert "Il n’y a rien ici" in answer.words
        assert 'aria-label="Menu principal"' in answer.text
    assert (await backoffice.browser().get("/nothing")).status == 404


async def test_without_its_database_a_page_shows_it(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    await backoffice.desk.hub.pool.close()
    answer = await browser.get("/account")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "Nothing is lost" in answer.words
    assert (await browser.post("/account/sessions/end")).status == 503


async def test_a_problem_met_by_a_part_of_a_page_takes_the_pages_middle_only(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    htmx = {"HX_Request": "true", "HX_Request_Type": "partial", "HX_Target": "section#order-summary"}
    answer = await browser.get("/orders/K7F3-QD9M?seen=2", **htmx)
    assert (answer.status, answer.headers["hx-retarget"]) == (404, "#main")
    assert "Page not found" in answer.words
    assert not any(twice in answer.text for twice in ("<html", "<header", 'id="main"'))


async def test_an_address_or_method_of_no_page_is_a_page_to_browsers_and_a_problem_to_programs(
    backoffice: Backoffice,
) -> None:
    browser = await backoffice.signed_in()
    for path in ("/nothing", "/orders/a%0Ab/nothing", "/orders/"):
        shown = await browser.get(path)
        assert (shown.status, "Page not found" in shown.words) == (404, True), path
    shown = await browser.get("/preferences")
    assert (shown.status, shown.headers["allow"]) == (405, "POST")
    assert "Page not found" in shown.words
    await answers_to_programs(browser.client, "/orders/ship", "GET, HEAD, POST")


async def answers_to_programs(client: httpx2.AsyncClient, path: str, allowed: str) -> None:
    """Fail unless methods that no browser's page uses are answered with problems."""
    for where, status in (("/nothing", 404), (path, 405)):
        answer = await client.put(where)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["allow"] == allowed
