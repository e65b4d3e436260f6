"""Home: what waits, today's figures, what happened last; each for those who may see it."""

import json
from datetime import UTC, date, datetime, timedelta

from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import envelope_for
from services.orders.backoffice.access.permissions import Permission, Role
from services.orders.backoffice.home.pages import figures
from services.orders.backoffice.web.app_state import MenuEntry
from tests.backoffice.browser import Backoffice
from tests.orders.rest_client import place, sale


def test_days_without_a_sale_count_nothing_and_currencies_stay_apart() -> None:
    days = [date(2026, 11, 20) + timedelta(days=one) for one in range(3)]
    rows = [
        {"day": days[0], "currency": "EUR", "orders": 2, "paid": 2, "total_minor": 5000},
        {"day": days[2], "currency": "EUR", "orders": 1, "paid": 0, "total_minor": 1200},
        {"day": days[2], "currency": "CHF", "orders": 1, "paid": 1, "total_minor": 900},
    ]
    assert figures(rows, days) == {
        "orders": [2, 0, 2],
        "paid": 1,
        "turnover": [("EUR", 1200, [5000, 0, 1200]), ("CHF", 900, [0, 0, 900])],
    }
    assert figures([], days) == {"orders": [0, 0, 0], "paid": 0, "turnover": []}


async def test_an_empty_shop_is_reported(backoffice: Backoffice) -> None:
    shown = await (await backoffice.signed_in()).get("/")
    assert shown.status == 200
    assert "No activity yet" in shown.words


async def test_todays_orders_and_what_waits(backoffice: Backoffice) -> None:
    order = await place(backoffice.desk, sale(shop="maison"))
    other = await place(backoffice.desk, sale(shop="atelier"))
    await backoffice.desk.hub.pool.execute("update orders set placed_at = $1", datetime.now(UTC))
    entry = MenuEntry("/orders", "Orders", "orders", 20, Permission.ORDERS_VIEW)
    backoffice.app_state.menu[:] = [one for one in backoffice.app_state.menu if one.path != "/orders"]
    owner = await backoffice.signed_in()
    assert "/orders?tab=" not in (await owner.get("/")).text
    backoffice.app_state.menu.append(entry)
    shown = await owner.get("/")
    assert shown.status == 200
    for tab in ("to_process", "to_collect", "to_refund", "to_pack", "to_ship", "problems"):
        assert f'href="/orders?tab={tab}"' in shown.text
    for trouble in ("/mails?state=", "/payments/unmatched", "/refused-sales"):
        assert trouble not in shown.text, "there is none"
    await backoffice.desk.hub.pool.execute(
        """insert into mail (shop, mail_id, order_id, template, recipient, cause_id, state, at)
           values ('maison', gen_random_uuid(), $1, 'recap', 'a@b.example', gen_random_uuid(), 'uncertain', now())""",
        order.order_id,
    )
    assert 'href="/mails?state=uncertain"><strong>1</strong>' in (await owner.get("/")).text
    assert "Turnover in EUR" in shown.words
    codes = await backoffice.desk.fetch("select order_id, code from orders")
    code = {row["order_id"]: row["code"] for row in codes}
    assert f"/orders/{code[order.order_id]}" in shown.text
    assert "Order placed" in shown.words
    if code[other.order_id] != code[order.order_id]:
        assert code[other.order_id] not in shown.text
    part = await owner.get(
        "/home/now", hx_request="true", hx_request_type="partial", hx_target="div#home-latest"
    )
    assert "Order placed" in part.text
    assert "<html" not in part.text
    assert "Turnover" not in part.text
    fulfilment = await (await backoffice.signed_in(Role.FULFILMENT)).get("/")
    assert "Turnover" not in fulfilment.words
    assert "Payments to identify" not in fulfilment.words
    assert "/mails" not in fulfilment.text


async def test_a_refused_sale_is_seen_with_its_reasons_until_it_is_placed(backoffice: Backoffice) -> None:
    owner, packer = await backoffice.signed_in(), await backoffice.signed_in(Role.FULFILMENT)
    assert "No refused sales" in (await owner.get("/refused-sales")).words
    key = "a-sale-of-today"
    totals = {"lines_minor": 7900, "shipping_minor": 500, "total_minor": 8401}
    await backoffice.desk.deliver(sale(idempotency_key=key, totals=totals))
    await backoffice.desk.deliver(sale(shop="atelier", totals=totals))
    assert 'href="/refused-sales"><strong>1</strong>' in (await owner.get("/")).text
    shown = await owner.get("/refused-sales")
    for text in ("The amounts of the sale do not add up", "Zoé Martin", "€84.01", "Not placed", key):
        assert text in shown.words
    assert "Zoé Martin" not in (await packer.get("/refused-sales")).words
    placed = await place(backoffice.desk, sale(idempotency_key=key))
    assert f"placed: {placed.code}" in (await owner.get("/refused-sales")).words
    assert 'href="/refused-sales"' not in (await owner.get("/")).text
    assert (await owner.get("/refused-sales?before=yesterday")).status == 404


async def test_a_sale_that_nobody_could_read_is_seen_and_counted(backoffice: Backoffice) -> None:
    owner = await backoffice.signed_in()
    message = sale()
    fields = {**message.model_dump(mode="json"), "totals": {"total_minor": "9" * 5000}, "lines": None}
    headers = envelope_for("orders", message).headers()
    arrival = RawMessage(
        "orders.storefront", headers, json.dumps(fields).encode(), f"storefront.{message.shop}.shop"
    )
    await backoffice.desk.hub.committer.commit([arrival])
    await backoffice.desk.hub.committer.commit(
        [RawMessage("orders.storefront", {"odd": "\0"}, b"\0", f"storefront.{message.shop}.shop")]
    )
    assert 'href="/refused-sales"><strong>2</strong>' in (await owner.get("/")).text
    shown = (await owner.get("/refused-sales")).words
    for text in ("A field is missing", "The headers of the message", message.customer.name, "Not placed"):
        assert text in shown
