"""Stock and orders are shown to holders of the internal token, and to nobody else."""

import httpx2 as httpx

from contracts.envelope import uuid7
from services.chassis.http import edge
from services.chassis.testing import Desk
from services.fulfillment.api.app import build_app
from tests.builders.shipments import deliver, dispatch, pack
from tests.chassis.problems import answers_with_problems
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_at

TOKEN = {"Authorization": "Bearer a-token-for-tests-only"}


def _client(desk: Desk, headers: dict[str, str]) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=edge.application(desk.hub.settings, [], build_app(desk.hub)))
    return httpx.AsyncClient(transport=transport, base_url="http://fulfillment", headers=headers)


async def test_stock_by_sku_and_location(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, ("A", "main", 5), ("A", "attic", 2), ("B", "main", 9)))
    await desk.deliver(placed(shop, goods("A", 3)))
    async with _client(desk, TOKEN) as client:
        answer = await client.get("/internal/stock", params={"shop": shop, "sku": ["A", "UNKNOWN"]})
    assert answer.json() == {
        "shop": shop,
        "levels": [
            {"sku": "A", "location": "attic", "on_hand": 2, "reserved": 0, "available": 2},
            {"sku": "A", "location": "main", "on_hand": 5, "reserved": 3, "available": 2},
        ],
        "thresholds": {},
        "default_threshold": 5,
        "low": ["A"],
    }


async def test_an_order_with_its_parcels_and_shipments(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, ("A", "main", 5)))
    order = placed(shop, goods("A", 3))
    parcel = pack(order, {1: 2})
    shipment = dispatch(order, [parcel.parcel_id])
    for message in (order, parcel, shipment, deliver(order, shipment.shipment_id)):
        await desk.deliver(message)
    async with _client(desk, TOKEN) as client:
        shown = (await client.get(f"/internal/orders/{shop}/{order.order_id}")).json()
    assert shown["position"]["lines"][0]["delivered"] == 2
    assert shown["reservations"] == [{"line": 1, "sku": "A", "location": "main", "quantity": 1}]
    assert shown["parcels"][0]["lines"] == [{"line": 1, "quantity": 2}]
    assert shown["shipments"][0]["parcel_ids"] == [str(parcel.parcel_id)]
    assert shown["shipments"][0]["proof"] == "signature"


async def test_without_the_token_nothing_is_shown(desks: Desks) -> None:
    desk = await desks("fulfillment")
    for headers in (
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": "Basic a-token-for-tests-only"},
    ):
        async with _client(desk, headers) as client:
            for path in ("/internal/stock?shop=s&sku=A", f"/internal/orders/s/{uuid7()}"):
                assert (await client.get(path)).status_code == 401


async def test_an_unknown_order_is_reported_to_be_unknown(desks: Desks) -> None:
    desk, order_id = await desks("fulfillment"), uuid7()
    async with _client(desk, TOKEN) as client:
        answer = await client.get(f"/internal/orders/{a_shop()}/{order_id}")
    assert answer.status_code == 404
    assert str(order_id) in answer.json()["detail"]


async def test_an_unknown_path_or_method_or_parameter_is_a_problem(desks: Desks) -> None:
    desk = await desks("fulfillment")
    async with _client(desk, TOKEN) as client:
        await answers_with_problems(client, "/internal/stock", "GET")
        answer = await client.get("/internal/stock", params={"shop": "s"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert [reason["field"] for reason in answer.json()["errors"]] == ["sku"]
