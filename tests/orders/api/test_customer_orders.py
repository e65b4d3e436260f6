"""An order as its customer may see it: everything of theirs, nothing of the staff's, and the rule for a request."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fulfillment.parcels import ParcelPacked
from contracts.notifier.page import CancellationRequested
from contracts.orders.lifecycle import OrderPlaced, OrderState
from services.chassis.http import edge
from services.chassis.testing import Desk
from services.orders.api.app import build_app
from services.orders.order.cancellation import Refused, paid_back_minor, refused
from services.orders.order.fulfilment_status import Quantities
from services.orders.staff import declining
from services.orders.staff.commenting import comment
from tests.builders.shipments import a_parcel
from tests.conftest import Desks
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import TOKENS, client, place, sale

pytestmark = pytest.mark.rows("C16")
FIRST_PATHS = {
    "code", "locale", "currency", "state", "payment_method", "payment_status", "fulfilment_status",
    "customer_name", "shipping_address", "totals", "prices_include_tax", "placed_at", "label", "shipping",
    "extra_lines", "lines", "money", "payments", "shipments", "documents", "cancellation",
}  # fmt: skip


async def shown(desk: Desk, order_id: UUID, shop: str = "maison") -> dict[str, Any]:
    """The document, as the notifier's page fetches it."""
    async with client(desk) as http:
        answer = await http.get(f"/internal/customer-orders/{shop}/{order_id}")
    assert answer.status_code in (200, 404), answer.text
    document: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return document


def a_request(order: OrderPlaced, **changes: Any) -> CancellationRequested:
    """What a customer sends from the page."""
    values = {
        "shop": order.shop, "order_id": order.order_id, "code": order.code, "request_id": uuid4(),
        "comment": "Commandé deux fois.", "requested_at": datetime(2026, 11, 30, 9, tzinfo=UTC),
    }  # fmt: skip
    return CancellationRequested(**{**values, **changes})


async def flags(desk: Desk, order_id: UUID) -> list[str]:
    return list(await desk.fetchval(f"SELECT flags FROM orders WHERE order_id = '{order_id}'"))  # noqa: S608


async def kinds(desk: Desk) -> list[str]:
    rows = await desk.fetch("SELECT kind FROM activity WHERE kind LIKE 'cancellation%' ORDER BY happened_at")
    return [row["kind"] for row in rows]


def packed(merchant: Merchant) -> ParcelPacked:
    """Fulfillment packed one unit of the first line."""
    merchant.units[1]["packed"] = 1
    order = merchant.order
    about = {"shop": order.shop, "order_id": order.order_id, "code": order.code}
    return a_parcel(
        **about,
        packed_at=datetime(2026, 11, 30, 8, tzinfo=UTC),
        packed_by="lea",
        position=merchant.position(),
    )


async def test_the_document_has_the_order_and_nothing_of_the_staff(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    order = await place(desk, sale())
    async with desk.hub.unit() as unit:
        await comment(unit, "maison", order.order_id, "Client pénible", "lea@maison.example")
    document = await shown(desk, order.order_id)
    assert document.keys() <= FIRST_PATHS | {"billing_address"}
    assert document["label"].keys() == {"fr", "en"}
    assert (document["lines"][0]["description"], document["lines"][0]["quantity"]) == ("Bougie", 3)
    assert document["money"] == {
        "due_minor": 8400, "received_minor": 0, "refunded_minor": 0, "balance_minor": 8400,
    }  # fmt: skip
    for secret in ("192.0.2.7", "Mozilla", "pénible", "lea@maison.example"):
        assert secret not in json.dumps(document, ensure_ascii=False)


async def test_an_order_of_another_shop_and_an_unknown_one_are_unknown_alike(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    order = await place(desk, sale())
    assert await shown(desk, order.order_id, "atelier") == await shown(desk, uuid4()) == {}


async def test_the_route_is_closed_to_shops_tokens(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    app = edge.application(desk.hub.settings, [], build_app(desk.hub))
    async with client(desk) as http:
        http._transport.app = app  # type: ignore[attr-defined]
        answer = await http.get(f"/internal/customer-orders/maison/{uuid4()}")
    assert answer.status_code == 401


async def test_a_request_flags_the_order_until_it_is_cancelled(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    merchant = Merchant(desk, await place(desk, sale()))
    request = a_request(merchant.order)
    for _ in range(2):
        await desk.deliver(request)
    await desk.deliver(a_request(merchant.order))
    assert await flags(desk, merchant.order.order_id) == ["cancellation_requested"]
    assert await kinds(desk) == ["cancellation_requested"]
    document = await shown(desk, merchant.order.order_id)
    assert (document["cancellation"]["allowed"], document["state"]) == (False, "awaiting_payment")
    assert document["cancellation"]["requested_at"].startswith("2026-11-30T09:00")
    await merchant.cancel()
    await desk.deliver(await merchant.stopped(), sender="fulfillment")
    assert await flags(desk, merchant.order.order_id) == []
    document = await shown(desk, merchant.order.order_id)
    assert (document["state"], document["cancellation"]["requested_at"]) == ("cancelled", None)
    await merchant.reinstate()
    await desk.deliver(await merchant.added(), sender="fulfillment")
    assert await flags(desk, merchant.order.order_id) == []


async def test_a_declined_request_shows_its_reason_and_no_second_one_is_offered(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    order = await place(desk, sale())
    await desk.deliver(a_request(order))
    async with desk.hub.unit() as unit:
        await declining.decline(unit, "maison", order.order_id, "Déjà gravée à vos initiales.", "lea")
    cancellation = (await shown(desk, order.order_id))["cancellation"]
    assert (cancellation["declined"], cancellation["allowed"]) == ("Déjà gravée à vos initiales.", False)
    stored = await desk.fetchval("SELECT body FROM msg.event_log WHERE type LIKE '%cancellation.declined%'")
    assert json.loads(stored) == {
        "shop": "maison",
        "order_id": str(order.order_id),
        "code": order.code,
        "public_comment": "Déjà gravée à vos initiales.",
        "actor": "lea",
    }
    assert await flags(desk, order.order_id) == []
    with pytest.raises(declining.NoRequestOpen):
        async with desk.hub.unit() as unit:
            await declining.decline(unit, "maison", order.order_id, "Encore", "lea")


async def test_a_request_after_the_first_parcel_was_packed_is_too_late(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    merchant = Merchant(desk, await place(desk, sale()))
    assert (await shown(desk, merchant.order.order_id))["cancellation"]["allowed"]
    await desk.deliver(packed(merchant), sender="fulfillment")
    cancellation = (await shown(desk, merchant.order.order_id))["cancellation"]
    assert (cancellation["allowed"], cancellation["refused"]) == (False, "packed")
    await desk.deliver(a_request(merchant.order))
    assert await kinds(desk) == ["cancellation_too_late"]
    assert "cancellation_requested" not in await flags(desk, merchant.order.order_id)
    assert (await shown(desk, merchant.order.order_id))["cancellation"]["was_too_late"]


@given(st.sampled_from(OrderState), st.integers(1, 5), st.integers(0, 5), st.integers(0, 5))
def test_a_request_is_allowed_exactly_until_the_first_unit_is_packed(
    state: OrderState, needed: int, packed: int, lost: int
) -> None:
    units = Quantities(ordered=needed, needed=needed, packed=packed, lost=min(lost, packed))
    why = refused(state, units)
    live = state in (OrderState.AWAITING_PAYMENT, OrderState.READY, OrderState.PROCESSING)
    assert (why is None) == (live and units.in_parcels == 0)
    assert why is not Refused.PACKED or units.in_parcels > 0


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_paid_back_is_what_the_shop_still_has(received: int, refunded: int, marked: int) -> None:
    assert paid_back_minor(received, refunded, marked) == max(0, received - refunded - marked)
