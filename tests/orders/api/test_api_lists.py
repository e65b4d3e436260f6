"""The list over HTTP: whole pages in sequence, filters that fit the rows, the caller's shop alone."""

from datetime import timedelta
from functools import cache
from typing import Any

import httpx2
from jsonschema import Draft202012Validator

from deploy.seed.seeding import seed
from services.chassis.testing import Desk
from services.orders.api.app import routes
from services.orders.listing.cursor import PageCursor
from tests.conftest import Desks
from tests.orders.rest_client import OTHER_TOKEN, TOKENS, client, place, sale


async def read(http: httpx2.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await http.get("/v1/orders", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def read_all(http: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found, after = [], None
    while True:
        page = await read(http, **query, **({"after": after} if after else {}))
        found += page["orders"]
        after = page["next"]
        if after is None:
            return found


async def sell(desk: Desk, shop: str, count: int) -> None:
    """Give a shop so many orders of all kinds."""
    url = desk.hub.settings.database_url.get_secret_value()
    await seed({"orders": url}, shop, count, lambda _: None)


def fits(schema: str, instance: Any) -> None:
    """Whether an answer is what the OpenAPI document says."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": _components()}
    Draft202012Validator(root).validate(instance)


@cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = routes().openapi()["components"]
    return components


async def test_pages_follow_each_other_without_gap_or_repeat_whatever_their_size(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    await sell(desk, "maison", 130)
    for _ in range(5):
        await place(desk, sale("atelier"))
    rows = await desk.fetch(
        "select code from orders where shop = 'maison' order by placed_at desc, order_id desc"
    )
    codes = [row["code"] for row in rows]
    async with client(desk) as http:
        for limit in (1, 7, 129, 130, 131, 200):
            assert [order["code"] for order in await read_all(http, limit=limit)] == codes
        assert len((await read(http))["orders"]) == 50
        fits("OrdersPage", await read(http, limit=200))
    async with client(desk, OTHER_TOKEN) as http:
        assert len(await read_all(http)) == 5


async def test_orders_placed_at_the_same_instant_are_all_there(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    await sell(desk, "maison", 40)
    await desk.hub.pool.execute("update orders set placed_at = timestamptz '2026-11-22 12:00Z'")
    async with client(desk) as http:
        assert len({order["code"] for order in await read_all(http, limit=3)}) == 40


async def test_a_reader_between_two_pages_is_not_disturbed_by_new_orders(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    await sell(desk, "maison", 20)
    async with client(desk) as http:
        first = await read(http, limit=10)
        placed = await place(desk)
        second = await read(http, limit=10, after=first["next"])
        codes = [order["code"] for order in first["orders"] + second["orders"]]
        assert len(set(codes)) == 20
        assert placed.code not in codes
        assert (await read(http, limit=1))["orders"][0]["code"] == placed.code


async def test_each_filter_gives_just_the_orders_that_fit(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    await sell(desk, "maison", 3000)
    async with client(desk) as http:
        every = await read_all(http, limit=200)
        for name, field in (
            ("state", "state"),
            ("payment_status", "payment_status"),
            ("payment", "payment"),
            ("status", "status"),
            ("module", "module"),
            ("payment_method", "payment_method"),
            ("fulfilment", "fulfilment_status"),
        ):
            values = {order[field] for order in every}
            assert len(values) > 1, field
            for value in values:
                expected = [order["code"] for order in every if order[field] == value]
                assert [one["code"] for one in await read_all(http, limit=200, **{name: value})] == expected
            two = sorted(values)[:2]
            expected = [order["code"] for order in every if order[field] in two]
            assert [one["code"] for one in await read_all(http, limit=200, **{name: two})] == expected
        both = await read_all(http, limit=200, module="shop", payment="unpaid", status="new")
        assert both == [
            one
            for one in every
            if (one["module"], one["payment"], one["status"]) == ("shop", "unpaid", "new")
        ]


async def test_days_are_the_shops_own(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS, time_zone="Europe/Paris")
    placed = await place(desk)
    for timestamp, day in (
        ("2026-11-21T22:59:59Z", 21),
        ("2026-11-21T23:00:00Z", 22),
        ("2026-11-22T22:59:59Z", 22),
    ):
        await desk.hub.pool.execute("update orders set placed_at = $1::text::timestamptz", timestamp)
        async with client(desk) as http:
            for query in (20, 21, 22, 23):
                one_day = {"from": f"2026-11-{query}", "to": f"2026-11-{query}"}
                codes = [order["code"] for order in (await read(http, **one_day))["orders"]]
                assert codes == ([placed.code] if query == day else [])


async def test_what_the_list_cannot_read_is_reported_with_its_place(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        for query, status, code, field in (
            ({"after": "not-a-cursor"}, 400, "cursor_unreadable", None),
            ({"limit": "201"}, 422, "request_invalid", "limit"),
            ({"state": ["ready", "paid"]}, 422, "request_invalid", "state[1]"),
            ({"stat": "ready"}, 422, "request_invalid", "stat"),
            ({"from": "22.11.2026"}, 422, "request_invalid", "from"),
        ):
            answer = await http.get("/v1/orders", params=query)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (status, code)
            assert answer.headers["content-type"] == "application/problem+json"
            fits("ProblemDetails", problem)
            if field:
                assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_placed_order_is_listed_as_in_its_document(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk, sale(source_reference="R-7"))
    async with client(desk) as http:
        (order,) = await read_all(http)
    assert order["order_id"] == str(placed.order_id)
    assert (order["code"], order["source_reference"]) == (placed.code, "R-7")
    assert (order["state"], order["status"], order["payment"]) == ("awaiting_payment", "new", "unpaid")
    assert order["label"] == {
        "key": "awaiting_payment",
        "fr": "En attente de paiement",
        "en": "Awaiting payment",
    }
    assert (order["total_minor"], order["balance_minor"], order["currency"]) == (8400, 8400, "EUR")
    assert order["units_to_pack"] == 3
    place_of = PageCursor(placed.placed_at, placed.order_id)
    assert PageCursor.read(str(place_of)) == place_of
    assert placed.placed_at.utcoffset() == timedelta()
