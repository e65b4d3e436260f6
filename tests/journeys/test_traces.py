"""`comptoir traces` on a running system: an order is one trace, from its storefront to the customer's mail."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.journeys.operating import operate, operate_json
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop
from tests.serving import serving

pytestmark = pytest.mark.rows("C06")


async def exported(shop: Shop, *arguments: str) -> list[dict[str, Any]]:
    """The spans of an export, each with its service."""
    spans: list[dict[str, Any]] = []

    async def receive(request: Request) -> Response:
        for resource in (await request.json())["resourceSpans"]:
            service = resource["resource"]["attributes"][0]["value"]["stringValue"]
            spans.extend(
                {"service": service, **one} for scope in resource["scopeSpans"] for one in scope["spans"]
            )
        return JSONResponse({})

    async with serving(Starlette(routes=[Route("/v1/traces", receive, methods=["POST"])])) as url:
        output = await operate_json(shop, "traces", "--otlp", url, *arguments)
    assert output["spans"] == len(spans)
    return spans


def shown(span: dict[str, Any]) -> tuple[str, str]:
    return span["service"], span["name"]


async def test_an_order_is_one_trace_from_its_storefront_to_the_customer_s_mail(
    shop: Shop, tmp_path: Path
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.mails_to(sale.recipient)
    await operate(shop, "drain")
    cursor = ("--cursor", str(tmp_path / "cursor"))
    middle = datetime.now(UTC)
    spans = await exported(shop, "--from", since.isoformat(), "--to", middle.isoformat(), *cursor)
    placed = next(
        one
        for one in spans
        if one["name"] == "send orders.order.placed.v1"
        and {"key": "comptoir.subject", "value": {"stringValue": order}} in one["attributes"]
    )
    trace = [one for one in spans if one["traceId"] == placed["traceId"]]
    ids = {one["spanId"] for one in trace}
    roots = [one for one in trace if "parentSpanId" not in one]
    assert [shown(one) for one in roots] == [("storefronts", "send storefront message")]
    assert {one["parentSpanId"] for one in trace if "parentSpanId" in one} <= ids
    assert {
        ("orders", "process storefront message"),
        ("payments", "process orders.order.placed.v1"),
        ("fulfillment", "process orders.order.placed.v1"),
        ("orders", "process fulfillment.stock.reserved.v1"),
        ("notifier", "mail order_recap"),
    } <= {shown(one) for one in trace}
    assert sale.recipient not in str(spans)

    [later] = await shop.order(a_sale())
    end = datetime.now(UTC) + timedelta(seconds=1)
    more = await exported(shop, "--to", end.isoformat(), *cursor)
    assert later in str(more)
    assert {one["spanId"] for one in more} & {one["spanId"] for one in spans} == set()


async def test_a_file_that_is_not_a_cursor_and_an_invalid_address_are_refused(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "cursor"
    file.write_text("{}")
    status, output = await operate(shop, "traces", "--otlp", "http://127.0.0.1:1", "--cursor", str(file))
    assert (status, "is not a cursor of an export" in output) == (2, True), output
    status, output = await operate(shop, "traces", "--otlp", "127.0.0.1:4318")
    assert (status, "is not an address" in output) == (2, True), output
