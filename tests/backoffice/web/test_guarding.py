"""Requests other sites make, hosts that are not ours, and the headers of every answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.backoffice.web.security import is_local_path, why_forged
from tests.backoffice.browser import ORIGIN, Backoffice
from tests.backoffice.conftest import Backoffices

OURS = [ORIGIN]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "same-site", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "none", "Origin": ""},
        {"Sec_Fetch_Site": "", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "", "Origin": "null"},
        {"Sec_Fetch_Site": "", "Origin": ""},
        {"Sec_Fetch_Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
async def test_a_forged_post_changes_nothing_and_is_audited(
    backoffice: Backoffice, headers: dict[str, str]
) -> None:
    browser = await backoffice.signed_in()
    answer = await browser.post("/preferences", {"theme": "dark"}, **headers)
    assert answer.status == 403
    assert "did not come from a page of the back office" in answer.words
    assert await backoffice.desk.fetchval("select preferences from staff") == "{}"
    assert (await backoffice.audit())[-1]["outcome"] == "forged"


async def test_a_browser_that_sends_only_its_origin_is_accepted(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    assert (await browser.post("/preferences", {"theme": "dark"}, Sec_Fetch_Site="")).status == 303


async def test_a_stranger_cant_sign_anybody_in_from_another_site(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    login = await backoffice.hire()
    fields = {"login": login, "password": "une phrase de passe assez longue"}
    answer = await browser.post(
        "/sign-in", fields, Sec_Fetch_Site="cross-site", Origin="https://evil.example"
    )
    assert answer.status == 403
    assert await backoffice.audit() == [], "strangers could fill the audit"
    assert await backoffice.desk.fetch("select from staff_session") == []


async def test_pages_are_read_from_elsewhere_only_by_going_there(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert (await browser.get("/account", **link)).status == 200
    for dest in ("image", "script", "iframe", "empty"):
        answer = await browser.get(
            "/account", **{**link, "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": dest}
        )
        assert answer.status == 403


async def test_another_host_is_refused_whatever_it_requests(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    answer = await browser.get("/account", Host="evil.example")
    assert answer.status == 421
    assert "My account" not in answer.text


async def test_every_answer_has_the_policy(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    for path in ("/", "/account", "/nothing-here", "/sign-in"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_over_tls_the_cookie_is_bound_to_this_host_and_to_tls(backoffices: Backoffices) -> None:
    backoffice = await backoffices(backoffice_origin="https://office.example.com")
    browser = backoffice.browser()
    answer = await browser.sign_in(await backoffice.hire())
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "comptoir=" in one)
    assert cookie.startswith("__Host-comptoir=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= {
        part.strip().lower() for part in cookie.split(";")
    }
    assert "strict-transport-security" in answer.headers


@given(st.text(max_size=40))
def test_a_local_path_never_leads_elsewhere(text: str) -> None:
    if is_local_path(text):
        assert text.startswith("/")
        assert not text.startswith(("//", "/\\"))


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb"])
def test_paths_that_lead_elsewhere_are_known(path: str) -> None:
    assert not is_local_path(path)


@given(st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]), st.text(min_size=1, max_size=20))
def test_only_our_origin_may_change_anything(method: str, origin: str) -> None:
    assert (why_forged(method, {"origin": origin}, OURS) is None) == (origin in OURS)
    assert why_forged(method, {}, OURS) is not None
