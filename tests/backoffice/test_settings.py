"""Settings in the back office: who may, once per form, reasons beside their fields, hostile text, the last owner."""

import asyncio
import html
import json
from typing import Any
from uuid import uuid4

import pytest

from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import ORIGIN, PASSWORD, SHOP, Backoffice, Browser, Shown

HOSTILE = '<script>alert(1)</script>"\N{GRINNING FACE}'
PATHS = ["", "/statuses", "/tags", "/carriers"]


async def _send(browser: Browser, path: str, **fields: str) -> Shown:
    return await browser.post(path, {"key": str(uuid4()), **fields})


async def _value(backoffice: Backoffice, key: str) -> Any:
    return await backoffice.desk.fetchval("select value #>> '{}' from shop_setting where key = $1", key)


@pytest.mark.parametrize("path", PATHS)
async def test_settings_are_for_those_who_may(backoffice: Backoffice, path: str) -> None:
    manager = await backoffice.signed_in(Role.MANAGER, language="fr")
    assert (await manager.get(f"/settings{path}")).status == 200
    accountant = await backoffice.signed_in(Role.ACCOUNTANT)
    assert (await accountant.get(f"/settings{path}")).status == 403
    assert (await _send(accountant, f"/settings{path}", name="x")).status == 403


async def test_the_shops_choices_are_saved_or_come_back_with_reasons(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    chosen = {
        "checkout_minutes": "30",
        "keeps_ip_days": "",
        "completes_alone": "on",
        "notifies_customer": "on",
    }
    saved = await _send(browser, "/settings", **chosen)
    assert (saved.status, saved.headers["location"]) == (303, "/settings")
    assert await _value(backoffice, "checkout_minutes") == "30"
    assert await _value(backoffice, "places_paid_checkouts") == "false"
    assert await _value(backoffice, "notifies_customer") == "true"
    assert await _value(backoffice, "keeps_ip_days") is None
    refused = await _send(browser, "/settings", checkout_minutes="5000", keeps_ip_days="7")
    assert refused.status == 422
    assert "from 1 to 1440" in refused.words
    assert 'value="5000"' in refused.text
    assert await _value(backoffice, "checkout_minutes") == "30"


async def test_a_status_of_ones_own(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(language="fr")
    fields = {"key": str(uuid4()), "fr": "À graver", "en": "To engrave", "state": "ready", "colour": "teal"}
    answers = await asyncio.gather(*(browser.post("/settings/statuses", fields) for _ in range(3)))
    assert [answer.status for answer in answers] == [303] * 3
    rows = await backoffice.desk.fetch("select key, fr from label")
    assert [row["fr"] for row in rows] == ["À graver"]
    taken = await _send(
        browser, "/settings/statuses", fr="a graver", en="Engrave", state="ready", colour="red"
    )
    assert taken.status == 422
    assert "a graver" in taken.text
    one = f"/settings/statuses/{rows[0]['key']}"
    assert (await _send(browser, one, fr="À polir", en="To polish", colour="red")).status == 303
    assert "À polir" in (await browser.get("/settings/statuses")).words
    assert (await _send(browser, f"{one}/delete")).status == 303
    assert (await browser.get(one)).status == 404
    assert (await _send(browser, f"{one}/delete")).status == 404


async def test_a_built_in_status_keeps_its_names(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(language="fr")
    page = await browser.get("/settings/statuses/completed")
    assert "Un statut d’origine garde ses noms" in page.words
    assert 'name="fr"' not in page.text
    changed = await _send(browser, "/settings/statuses/completed", fr="Fini", en="Over", colour="purple")
    assert changed.status == 303
    assert "Fini" not in (await browser.get("/settings/statuses")).words
    refused = await _send(browser, "/settings/statuses/completed/delete")
    assert refused.status == 422
    assert await backoffice.desk.fetchval("select colour from label where key = 'completed'") == "purple"


async def test_tags_are_made_renamed_merged_and_deleted(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    for name in (HOSTILE, "Cadeau"):
        assert (await _send(browser, "/settings/tags", name=name, colour="blue")).status == 303
    shown = await browser.get("/settings/tags")
    assert HOSTILE in shown.words
    assert "<script>alert" not in shown.text
    again = await _send(browser, "/settings/tags", name="cadeau", colour="red")
    assert again.status == 422
    assert "There is already a tag with this name" in again.words
    empty = await _send(browser, "/settings/tags", name="\u200b ", colour="pink")
    assert "Choose a name of 1 to 40 visible characters" in empty.words
    tag_id = await backoffice.desk.fetchval("select tag_id from tag where name <> 'Cadeau'")
    one = f"/settings/tags/{tag_id}"
    requested = await _send(browser, one, name="CADEAU", colour="red")
    assert requested.status == 422
    assert 'name="merge"' in requested.text
    assert (await _send(browser, one, name="CADEAU", colour="red", merge="on")).status == 303
    [kept] = await backoffice.desk.fetch("select tag_id, name from tag")
    assert kept["name"] == "CADEAU"
    assert (await browser.get(one)).status == 404
    assert (await _send(browser, f"/settings/tags/{kept['tag_id']}/delete")).status == 303
    assert "No tags yet" in (await browser.get("/settings/tags")).words
    audited = {row["action"]: json.loads(row["detail"]) for row in await backoffice.audit()}
    assert audited["tag.change"] == {"was": HOSTILE, "became": str(kept["tag_id"]), "merged": 0}
    assert audited["tag.delete"] == {"was": "CADEAU", "orders": 0}


async def test_carriers_and_where_their_parcels_are_followed(backoffice: Backoffice) -> None:
    browser, here = await backoffice.signed_in(), "/settings/carriers"
    url = "https://follow.example.com/?parcel={number}"
    assert (await _send(browser, here, name="Colis & Cie", tracking_url=url)).status == 303
    for wrong in ("https://follow.example.com/", "javascript:alert({number})", "ftp://x/{number}"):
        refused = await _send(browser, here, name="Autre", tracking_url=wrong)
        assert refused.status == 422
        assert "contains {number} once" in refused.words
        assert html.escape(wrong) in refused.text
    assert "already a carrier with this name" in (await _send(browser, here, name="colis & cie")).words
    page = await browser.get(f"{here}/change?name=Colis+%26+Cie")
    assert "https://follow.example.com/?parcel=6A12345678901" in page.words
    fields = page.form(f"{here}/change").filled(name="Colis et Cie")
    assert (await browser.post(f"{here}/change", fields)).status == 303
    assert "Colis et Cie" in (await browser.get(here)).words
    assert (await _send(browser, f"{here}/remove", renames="Colis et Cie")).status == 303
    assert (await _send(browser, f"{here}/remove", renames="Colis et Cie")).status == 404
    assert "No carriers yet" in (await browser.get(here)).words


async def test_staff_are_the_owners_alone(backoffice: Backoffice) -> None:
    manager = await backoffice.signed_in(Role.MANAGER)
    assert (await manager.get("/settings/staff")).status == 403
    assert "/settings/staff" not in (await manager.get("/settings")).text
    assert (await _send(manager, "/settings/staff", login="a@b.example", role="owner")).status == 403
    await backoffice.hire(Role.OWNER, "atelier")
    other = await backoffice.desk.fetchval("select staff_id from staff where shop = 'atelier'")
    owner = await backoffice.signed_in()
    assert "/settings/staff" in (await owner.get("/settings")).text
    for action in ("", "/role", "/disable", "/enable", "/invite", "/sign-out"):
        path = f"/settings/staff/{other}{action}"
        answer = await (_send(owner, path, role="manager") if action else owner.get(path))
        assert answer.status == 404


async def test_a_person_is_invited_with_a_link_that_is_shown_once(backoffice: Backoffice) -> None:
    owner = await backoffice.signed_in()
    wrong = await _send(owner, "/settings/staff", login="nobody", role="manager", name=HOSTILE)
    assert wrong.status == 422
    assert "A login is a mail address" in wrong.words
    fields = {"key": str(uuid4()), "login": "Lea@maison.example", "name": HOSTILE, "role": "fulfilment"}
    first = await owner.post("/settings/staff", fields)
    second = await owner.post("/settings/staff", fields)
    assert "<script>alert" not in first.text
    paths = [_link(shown) for shown in (first, second)]
    visitor = backoffice.browser()
    assert [(await visitor.get(path)).status for path in paths] == [404, 200]
    chosen = {"password": PASSWORD, "password-again": PASSWORD}
    assert (await visitor.post(paths[1], chosen)).status == 303
    assert (await visitor.sign_in("lea@maison.example")).status == 303
    assert paths[1] not in (await owner.get("/settings/staff")).text
    taken = await _send(owner, "/settings/staff", login="lea@maison.example", role="owner")
    assert "This login is already in use" in taken.words
    query = "select count(*) from staff where shop = $1 and login = 'lea@maison.example'"
    assert await backoffice.desk.fetchval(query, SHOP) == 1


def _link(shown: Shown) -> str:
    [word] = [word for word in shown.words.split() if word.startswith(f"{ORIGIN}/invitation/")]
    return word.removeprefix(ORIGIN)


async def test_a_person_is_shut_out_at_once_and_let_in_again(backoffice: Backoffice) -> None:
    owner, accountant = await backoffice.signed_in(), await backoffice.signed_in(Role.ACCOUNTANT)
    staff_id = await backoffice.desk.fetchval("select staff_id from staff where role = 'accountant'")
    here = f"/settings/staff/{staff_id}"
    assert (await _send(owner, f"{here}/role", role="manager")).status == 303
    assert (await accountant.get("/settings")).status == 200
    assert (await _send(owner, f"{here}/role", role="emperor")).status == 422
    assert (await _send(owner, f"{here}/disable")).status == 303
    assert (await accountant.get("/settings")).headers["location"].startswith("/sign-in")
    refused = await _send(owner, f"{here}/invite")
    assert "Restore this person’s access first" in refused.words
    assert (await _send(owner, f"{here}/enable")).status == 303
    login = await backoffice.desk.fetchval("select login from staff where staff_id = $1", staff_id)
    assert (await accountant.sign_in(login)).status == 303
    assert (await _send(owner, f"{here}/sign-out")).status == 303
    assert (await accountant.get("/settings")).status == 303


async def test_the_last_owner_stays(backoffice: Backoffice) -> None:
    owner = await backoffice.signed_in()
    staff_id = await backoffice.desk.fetchval("select staff_id from staff")
    for action in ("role", "disable"):
        refused = await _send(owner, f"/settings/staff/{staff_id}/{action}", role="manager")
        assert refused.status == 422
        assert "The shop would have no owner left" in refused.words
    assert (await owner.get("/settings/staff")).status == 200
