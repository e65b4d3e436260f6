"""Refused sales, checkouts without a sale and the audit go in their time; what holds money or became an order stays."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from services.chassis.background.retention import forget_due
from services.chassis.testing import Desk
from services.orders.order.intake.retention import RULES
from tests.builders.submissions import a_checkout, a_line, a_sale, as_sale, dropped
from tests.conftest import Desks
from tests.orders.builders import money_for

LOGIN = "storefront.maison.shop"
MINUTE = timedelta(minutes=1)


async def age(desk: Desk, days: int) -> None:
    """Let so many days pass for whatever is there."""
    await desk.hub.pool.execute(
        "UPDATE orders SET placed_at = placed_at - $1::interval", timedelta(days=days)
    )
    await desk.hub.pool.execute(
        "UPDATE refusal SET refused_at = refused_at - $1::interval", timedelta(days=days)
    )


async def forget(desk: Desk) -> None:
    desk.hub.is_clock_doubtful = False
    while await forget_due(desk.hub, RULES):
        pass


async def rows_about(desk: Desk, order_id: Any) -> dict[str, int]:
    """How many rows each table has about an order."""
    tables = await desk.fetch(
        """SELECT table_name FROM information_schema.columns
           WHERE table_schema = 'public' AND column_name IN ('order_id', 'checkout_id') GROUP BY 1"""
    )
    found = {}
    for row in tables:
        sql = f"SELECT count(*) FROM \"{row['table_name']}\" t WHERE to_jsonb(t)::text LIKE '%' || $1 || '%'"  # noqa: S608
        if count := await desk.fetchval(sql, str(order_id)):
            found[row["table_name"]] = count
    return found


async def test_a_dropped_checkout_goes_with_all_about_it(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout(a_line())
    await desk.deliver(opened, user_id=LOGIN)
    await desk.deliver(dropped(opened, opened.opened_at + MINUTE), user_id=LOGIN)
    await age(desk, 179)
    await forget(desk)
    assert "orders" in await rows_about(desk, opened.checkout_id)
    await age(desk, 1)
    await forget(desk)
    assert await rows_about(desk, opened.checkout_id) == {}


async def test_one_that_is_open_has_money_or_became_an_order_stays(desks: Desks) -> None:
    desk = await desks("orders")
    still_open, paid, placed = a_checkout(), a_checkout(), a_checkout()
    for opened in (still_open, paid, placed):
        await desk.deliver(opened, user_id=LOGIN)
    await desk.deliver(dropped(paid, paid.opened_at + MINUTE), user_id=LOGIN)
    await desk.deliver(money_for(paid))
    await desk.deliver(as_sale(placed), user_id=LOGIN)
    await age(desk, 400)
    await forget(desk)
    kept = {row["order_id"] for row in await desk.fetch("SELECT order_id FROM orders")}
    assert kept == {still_open.checkout_id, paid.checkout_id, placed.checkout_id}


async def test_a_checkout_that_was_forgotten_may_come_again(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    await desk.deliver(dropped(opened, opened.opened_at + MINUTE), user_id=LOGIN)
    await age(desk, 200)
    await forget(desk)
    outcome = await desk.deliver(as_sale(opened), user_id=LOGIN)
    assert outcome.result == "handled"
    assert await desk.fetchval("SELECT stage FROM orders") == "placed"


async def test_a_refused_sale_goes_after_a_year(desks: Desks) -> None:
    desk = await desks("orders")
    sale = a_sale()
    wrong = sale.model_copy(update={"totals": sale.totals.model_copy(update={"total_minor": 1})})
    await desk.deliver(wrong, user_id=LOGIN)
    assert await desk.fetchval("SELECT count(*) FROM refusal") == 1
    await age(desk, 364)
    await forget(desk)
    assert await desk.fetchval("SELECT count(*) FROM refusal") == 1
    await age(desk, 2)
    await forget(desk)
    assert await desk.fetchval("SELECT count(*) FROM refusal") == 0


async def test_what_was_done_in_the_back_office_goes_after_its_time(desks: Desks) -> None:
    desk = await desks("orders")
    for days in (10, 1094, 1096, 2000):
        await desk.hub.pool.execute(
            """INSERT INTO audit (audit_id, shop, at, action, path, outcome, address)
               VALUES ($1, 'maison', now() - make_interval(days => $2), 'order.archive', '/', 'done', '')""",
            uuid4(),
            days,
        )
    await forget(desk)
    kept = "SELECT extract(day FROM now() - at)::integer AS days FROM audit ORDER BY at"
    assert [row["days"] for row in await desk.fetch(kept)] == [1094, 10]
