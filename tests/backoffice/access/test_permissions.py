"""Every route says what it asks for, and gives it to no one else."""

import pytest

from services.orders import backoffice
from services.orders.backoffice.access.permissions import ROLES, Entry, Permission, Role, may
from services.orders.backoffice.web.routing import Page, found_in
from tests.backoffice.browser import Backoffice

ROUTES, MENU = found_in(backoffice)
OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/invitation/{token}"),
    ("POST", "/invitation/{token}"),
    ("POST", "/preferences"),
}
"""All that may be reached without being signed in; an addition is explained in the page's docstring."""


def _path(page: Page) -> str:
    """A path of the route, its parameters filled with what names nothing."""
    parts = ["01890000-0000-7000-8000-000000000000" if "{" in part else part for part in page.path.split("/")]
    return "/".join(parts)


def test_only_what_is_listed_is_public() -> None:
    assert {(page.method, page.path) for page in ROUTES if page.demand is Entry.PUBLIC} == OPEN


def test_every_post_has_a_name_for_the_audit() -> None:
    assert [page.path for page in ROUTES if page.method == "POST" and not page.action] == []


def test_menu_entries_lead_to_pages_that_require_the_same() -> None:
    demands = {page.path: page.demand for page in ROUTES if page.method == "GET"}
    assert {entry.path: entry.demand for entry in MENU} == {entry.path: demands[entry.path] for entry in MENU}


async def test_nobody_gets_past_the_door(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    for page in ROUTES:
        if page.demand is Entry.PUBLIC:
            continue
        if page.method == "GET":
            answer = await browser.get(_path(page))
            assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), page
        else:
            answer = await browser.post(_path(page), {"note": "typed"})
            assert answer.status == 401, page


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_refused_what_it_may_not(backoffice: Backoffice, role: Role) -> None:
    browser = await backoffice.signed_in(role)
    refused = [page for page in ROUTES if not may(role, page.demand)]
    for page in refused:
        answer = await (browser.get(_path(page)) if page.method == "GET" else browser.post(_path(page)))
        assert answer.status == 403, page
    outcomes = [row["outcome"] for row in await backoffice.audit() if row["action"] != "session.start"]
    assert outcomes == ["forbidden"] * sum(bool(page.action) for page in refused)


def test_roles_are_as_agreed() -> None:
    assert ROLES[Role.OWNER] == set(Permission)
    assert ROLES[Role.OWNER] - ROLES[Role.MANAGER] == {
        Permission.PROVIDERS_MANAGE,
        Permission.STAFF_MANAGE,
        Permission.ORDERS_DELETE_PAID,
        Permission.CUSTOMERS_ERASE,
    }
    money = {one for one in Permission if one.value.startswith("payments.")}
    assert not ROLES[Role.FULFILMENT] & money
    assert not ROLES[Role.ACCOUNTANT] & {
        Permission.PARCELS_PACK,
        Permission.ORDERS_EDIT,
        Permission.ORDERS_CANCEL,
    }
    assert all(not may(None, permission) for permission in Permission)
