"""The list as CSV: all that fits, in either way of writing, harmless to spreadsheets, noted in the audit."""

import asyncio
import csv
import io
from typing import Any
from uuid import uuid4

import pytest

from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.orders.downloading import disposition, plain
from services.orders.backoffice.web.app_state import MOST_EXPORTS
from services.orders.listing.export import orders as exporting
from tests.backoffice.browser import Backoffice, Shown
from tests.orders.rest_client import place, sale


async def an_order(backoffice: Backoffice, **changes: object) -> tuple[str, str]:
    """An order of the shop: its id and code."""
    placed = await place(backoffice.desk, sale(shop="maison", **changes))
    code = await backoffice.desk.fetchval("select code from orders where order_id = $1", placed.order_id)
    return str(placed.order_id), str(code)


def table(answer: Shown, delimiter: str) -> list[dict[str, str]]:
    """The file's rows by heading."""
    text = answer.response.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


@pytest.mark.rows("B18")
async def test_the_list_as_it_is_filtered_becomes_a_file(backoffice: Backoffice) -> None:
    _, code = await an_order(backoffice)
    await an_order(backoffice, module="events")
    browser = await backoffice.signed_in(Role.ACCOUNTANT, language="fr")
    answer = await browser.get("/orders/export.csv?tab=to_collect&module=shop")
    assert answer.status == 200
    [row] = table(answer, ";")
    assert row["Commande"] == code
    assert row["Total TTC"] == "84,00"
    assert row["Statut"] == "En attente de paiement"
    header = answer.headers["content-disposition"]
    assert header.startswith('attachment; filename="commandes-maison-a-encaisser-filtre-20')
    english = table(await browser.get("/orders/export.csv?tab=all&numbers=en"), ",")
    assert sorted(one["Total"] for one in english) == ["84.00", "84.00"]
    noted = [row for row in await backoffice.audit() if row["action"] == "orders.export"]
    assert [row["outcome"] for row in noted] == ["done", "done"]
    assert "tab=to_collect&module=shop" in noted[0]["detail"]


@pytest.mark.rows("B18")
async def test_chosen_orders_alone_are_exported(backoffice: Backoffice) -> None:
    wanted, code = await an_order(backoffice)
    await an_order(backoffice)
    browser = await backoffice.signed_in()
    fields = [("key", str(uuid4())), ("order", wanted), ("order", str(uuid4())), ("order", "nonsense")]
    assert [row["Order"] for row in table(await browser.post("/orders/export", fields), ",")] == [code]
    everything = {"key": str(uuid4()), "everything": "on", "query": "tab=to_collect"}
    whole = await browser.post("/orders/export", everything)
    assert whole.headers["location"] == "/orders/export.csv?tab=to_collect"
    assert (await browser.post("/orders/export", {"key": str(uuid4())})).status == 303


async def test_no_cell_is_taken_for_a_formula(backoffice: Backoffice) -> None:
    customer = sale().customer.model_dump() | {"name": '=HYPERLINK("http://evil","x")\u202e;\n"'}
    await an_order(backoffice, customer=customer, source_reference="@SUM(1)")
    answer = await (await backoffice.signed_in()).get("/orders/export.csv?tab=all&numbers=fr")
    [row] = table(answer, ";")
    assert row["Client"].startswith("'=")
    assert row["Référence du module"] == "'@SUM(1)"


async def test_who_may_not_export_gets_no_file_and_sees_no_button(backoffice: Backoffice) -> None:
    order, _ = await an_order(backoffice)
    packer = await backoffice.signed_in(Role.FULFILMENT)
    assert (await packer.get("/orders/export.csv?tab=all")).status == 403
    refused = await packer.post("/orders/export", {"key": str(uuid4()), "order": order})
    assert refused.status == 403
    assert "/orders/export" not in (await packer.get("/orders?tab=all")).text
    stranger = await backoffice.browser().get("/orders/export.csv?tab=all")
    assert stranger.status == 303
    assert stranger.headers["location"].startswith("/sign-in")
    other_shop = await (await backoffice.signed_in(shop="atelier")).get("/orders/export.csv?tab=all")
    assert table(other_shop, ",") == []
    foreign = await (await backoffice.signed_in()).get(
        "/orders/export.csv?tab=all", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"
    )
    assert foreign.status == 403


async def test_what_can_not_be_filtered_is_reported_on_the_list(backoffice: Backoffice) -> None:
    answer = await (await backoffice.signed_in()).get("/orders/export.csv?status=nonsense")
    assert (answer.status, answer.headers["location"]) == (303, "/orders?status=nonsense")


async def test_a_reader_who_leaves_gives_the_connection_back(
    backoffice: Backoffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 1)
    for _ in range(3):
        await an_order(backoffice)
    browser = await backoffice.signed_in()
    sent: list[Any] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 2:
            gone.set()
            await asyncio.Event().wait()

    request = browser.client.build_request("GET", "/orders/export.csv?tab=all")
    headers = [
        (name.lower(), value) for name, value in request.headers.raw if name.lower() != b"accept-encoding"
    ]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/orders/export.csv",
        "query_string": b"tab=all",
    }
    scope |= {"headers": headers, "scheme": "http", "root_path": "", "client": ("127.0.0.1", 1)}
    await backoffice.app({**scope, "server": ("127.0.0.1", 8080), "state": {}}, receive, send)
    assert sent[0]["status"] == 200
    async with asyncio.timeout(30):
        for _ in range(MOST_EXPORTS):
            await backoffice.app_state.exporting.acquire()
    for _ in range(MOST_EXPORTS):
        backoffice.app_state.exporting.release()
    assert len(table(await browser.get("/orders/export.csv?tab=all"), ",")) == 3


async def test_saved_views_state_how_many_orders_they_have(backoffice: Backoffice) -> None:
    await an_order(backoffice)
    browser = await backoffice.signed_in()
    for name, query in (("Événements", "module=events"), ("Boutique", "module=shop")):
        await browser.post("/orders/views", {"key": str(uuid4()), "name": name, "query": query})
    words = (await browser.get("/orders/counts?tab=all")).words
    assert "Événements 0" in words
    assert "Boutique 1" in words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("À traiter", "a-traiter"),
        ("../../etc/passwd", "etc-passwd"),
        ('x";\r\nSet-Cookie: a', "x-set-cookie-a"),
        ("…", "export"),
    ],
)
def test_a_files_name_can_carry_nothing_else(name: str, expected: str) -> None:
    assert plain(name) == expected
    assert f'filename="{expected}"' in disposition(name)
    assert "\n" not in disposition(name)
