"""What the back office reads to pick, pack and ship: levels, movements, pick list, waiting parcels, packing slips."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from services.chassis.http import edge
from services.chassis.http.paging import keyed
from services.chassis.testing import Desk
from services.fulfillment.api.app import build_app
from tests.builders.shipments import dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, adjustment, goods, placed, stock_at, stock_of, ticket

TOKEN = {"Authorization": "Bearer a-token-for-tests-only"}


@asynccontextmanager
async def reading(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=edge.application(desk.hub.settings, [], build_app(desk.hub)))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://fulfillment/internal", headers=TOKEN
    ) as client:
        yield client


async def pages(client: httpx.AsyncClient, path: str, rows: str, **query: Any) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = await client.get(path, params={**query, **after})
        assert answer.status_code == 200, answer.text
        found += answer.json()[rows]
        if answer.json()["next"] is None:
            return found
        after = {"after": answer.json()["next"]}


async def test_levels_come_lowest_first_whatever_the_page_size(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(
        stock_at(
            shop,
            ("B", "main", 5),
            ("A", "main", 5),
            ("A", "attic", 0),
            ("C_1", "main", 9),
            ("CX1", "main", 1),
        )
    )
    await desk.deliver(stock_of(a_shop(), A=0))
    await desk.deliver(placed(shop, goods("C_1", 7)))
    async with reading(desk) as client:
        shown = await pages(client, "/stock/levels", "levels", shop=shop, limit=2)
        assert [(row["sku"], row["location"], row["available"]) for row in shown] == [
            ("A", "attic", 0),
            ("CX1", "main", 1),
            ("C_1", "main", 2),
            ("A", "main", 5),
            ("B", "main", 5),
        ]
        for query, skus in (({"text": "c"}, ["CX1", "C_1"]), ({"text": "C_"}, ["C_1"]), ({"text": "%"}, [])):
            found = await pages(client, "/stock/levels", "levels", shop=shop, **query)
            assert [row["sku"] for row in found] == skus
        found = await pages(client, "/stock/levels", "levels", shop=shop, location="attic")
        assert [row["sku"] for row in found] == ["A"]
        found = await pages(client, "/stock/levels", "levels", shop=shop, at_most=2, limit=1)
        assert [row["available"] for row in found] == [0, 1, 2]
        places = await client.get("/stock/locations", params={"shop": shop})
        assert places.json() == ["attic", "main"]


async def test_levels_come_by_sku_on_request_whatever_the_page_size(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, ("B", "main", 5), ("A", "main", 9), ("A", "attic", 0), ("C", "x", 1)))
    async with reading(desk) as client:
        for limit in (1, 2, 50):
            found = await pages(client, "/stock/levels", "levels", shop=shop, sequence="sku", limit=limit)
            assert [(row["sku"], row["location"]) for row in found] == [
                ("A", "attic"),
                ("A", "main"),
                ("B", "main"),
                ("C", "x"),
            ]
        refused = await client.get("/stock/levels", params={"shop": shop, "sequence": "colour"})
        assert refused.status_code == 422


async def test_movements_show_who_and_why_newest_first(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=5))
    order = placed(shop, goods("A", 3))
    parcel = pack(order, {1: 2})
    for message in (
        order,
        parcel,
        dispatch(order, [parcel.parcel_id]),
        adjustment(shop, "A", -1, reason="Fêlée"),
    ):
        await desk.deliver(message)
    async with reading(desk) as client:
        whole = await pages(client, "/stock/movements", "movements", shop=shop, sku="A")
        by_one = await pages(client, "/stock/movements", "movements", shop=shop, sku="A", limit=1)
        assert (
            await pages(client, "/stock/movements", "movements", shop=shop, sku="A", location="attic") == []
        )
    assert by_one == whole
    movements = [
        (row["kind"], row["on_hand_change"], row["reserved_change"], row["code"], row["actor"], row["reason"])
        for row in whole
    ]
    assert movements == [
        ("adjust", -1, 0, None, "staff:zoe", "Fêlée"),
        ("ship", -2, -2, "K7F3-QD9M", "staff:zoe", None),
        ("reserve", 0, 3, "K7F3-QD9M", None, None),
        ("adjust", 5, 0, None, "api:erp", None),
    ]


async def test_movements_of_one_timestamp_are_paged_without_loss(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, *(("A", f"shelf-{number}", 3) for number in range(7))))
    await desk.deliver(placed(shop, goods("A", 20), goods("A", 1)))
    async with reading(desk) as client:
        whole = await pages(client, "/stock/movements", "movements", shop=shop, sku="A", limit=500)
        by_two = await pages(client, "/stock/movements", "movements", shop=shop, sku="A", limit=2)
    assert by_two == whole
    assert len(whole) == 7 + 8


async def test_the_pick_list_sums_what_is_left_by_shelf_and_by_order(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, ("A", "attic", 3), ("A", "main", 4), ("B", "main", 1)))
    first, second = placed(shop, goods("A", 5), ticket(2)), placed(shop, goods("A", 2), goods("B", 1))
    short, done = placed(shop, goods("B", 2)), placed(shop, ticket())
    for message in (first, second, short, done, pack(first, {1: 2})):
        await desk.deliver(message)
    async with reading(desk) as client:
        ids = [str(order.order_id) for order in (first, second, short, done)]
        shown = (
            await client.get("/pick-list", params={"shop": shop, "order_id": [*ids, str(uuid4())]})
        ).json()
        only = (await client.get("/pick-list", params={"shop": shop, "order_id": ids[1:2]})).json()
    picked = {order["order_id"]: order["lines"] for order in shown["orders"]}
    assert list(picked) == ids[:3]
    assert sum(line["quantity"] for line in picked[ids[0]]) == 3
    assert [(line["sku"], line["location"]) for line in picked[ids[2]]] == [("B", None)]
    total: dict[str, int] = {}
    for row in shown["skus"]:
        total[row["sku"]] = total.get(row["sku"], 0) + row["quantity"]
    assert total == {"A": 5, "B": 3}
    assert {(row["sku"], row["quantity"]) for row in only["skus"]} >= {("B", 1)}


async def test_parcels_wait_until_they_leave(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3))
    gone = pack(order, {1: 1})
    is_active = pack(
        order, {1: 2}, weight_grams=900, length_mm=300, width_mm=200, height_mm=100, declared_value_minor=4500
    )
    for message in (order, gone, is_active, dispatch(order, [gone.parcel_id])):
        await desk.deliver(message)
    async with reading(desk) as client:
        ids = [str(order.order_id)]
        (shown,) = (await client.get("/parcels/waiting", params={"shop": shop, "order_id": ids})).json()
        assert (await client.get("/parcels/waiting", params={"shop": a_shop(), "order_id": ids})).json() == []
    (parcel,) = shown["parcels"]
    assert (parcel["parcel_id"], parcel["declared_value_minor"]) == (str(is_active.parcel_id), 4500)
    assert [parcel[side] for side in ("length_mm", "width_mm", "height_mm")] == [300, 200, 100]


async def test_a_packing_slip_states_what_is_in_the_parcel_and_what_is_still_to_come(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=1))
    order = placed(shop, goods("A", 3), goods("B", 1))
    one, two = pack(order, {1: 1, 2: 1}), pack(order, {1: 1})
    leaving = dispatch(order, [one.parcel_id], cost_minor=790, cost_currency="EUR")
    for message in (order, one, two, leaving):
        await desk.deliver(message)
    async with reading(desk) as client:
        query = {"shop": shop, "order_id": [str(order.order_id)]}
        slips = (await client.get("/packing-slips", params=query)).json()
        (alone,) = (
            await client.get("/packing-slips", params={**query, "parcel_id": str(two.parcel_id)})
        ).json()
    first, second = slips
    assert second == alone
    assert first["lines"] == [
        {"line": 1, "sku": "A", "quantity": 1, "ordered": 3},
        {"line": 2, "sku": "B", "quantity": 1, "ordered": 1},
    ]
    assert first["left_to_pack"] == [{"line": 1, "sku": "A", "quantity": 1, "ordered": 3}]
    assert (first["of_parcels"], first["code"]) == (2, order.code)
    assert (first["shipment"]["cost_minor"], first["shipment"]["cost_currency"]) == (790, "EUR")
    assert second["shipment"] is None


async def test_what_is_requested_wrongly_is_refused(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    async with reading(desk) as client:
        for path, query, status in (
            ("/stock/levels", {"after": "nonsense"}, 400),
            ("/stock/levels", {"after": keyed(("A", 1, "main"))}, 400),
            ("/stock/levels", {"after": keyed((2**70, "A", "main"))}, 400),
            ("/stock/levels", {"text": "a\0"}, 422),
            ("/stock/levels", {"limit": "0"}, 422),
            ("/stock/movements", {}, 422),
            ("/stock/movements", {"sku": "A", "after": keyed((1, "A", "main"))}, 400),
            ("/pick-list", {}, 422),
            ("/packing-slips", {"order_id": "7"}, 422),
        ):
            answer = await client.get(path, params={"shop": shop, **query})
            assert answer.status_code == status, (path, query, answer.text)


SOME_ORDER = "01a202ac-6077-70c6-ac96-a3255db88a44"


@pytest.mark.parametrize(
    "path",
    [
        "/stock/levels?shop=s",
        "/stock/movements?shop=s&sku=A",
        f"/pick-list?shop=s&order_id={SOME_ORDER}",
        f"/parcels/waiting?shop=s&order_id={SOME_ORDER}",
        f"/packing-slips?shop=s&order_id={SOME_ORDER}",
    ],
)
async def test_without_the_token_nothing_is_shown(desks: Desks, path: str) -> None:
    desk = await desks("fulfillment")
    async with reading(desk) as client:
        assert (await client.get(path, headers={"Authorization": "Bearer another"})).status_code == 401
