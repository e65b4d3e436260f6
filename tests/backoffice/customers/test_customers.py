"""Customers: joined by mail address, found by search, summed per currency; fast beside many orders."""

from typing import Any

import pytest

from contracts.sale import Customer
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.customers import store
from services.orders.backoffice.customers.customer import customer_of
from services.orders.order.search.indexing import index_due
from tests.backoffice.browser import SHOP, Backoffice
from tests.orders.rest_client import place, sale

MANY = 20_000


def to(name: str, email: str | None, **changes: Any) -> Any:
    """A sale to a customer."""
    return sale(customer=Customer(name=name, email=email), **changes)


@pytest.mark.rows("C24")
async def test_orders_of_one_address_are_one_customer(backoffice: Backoffice) -> None:
    first = await place(backoffice.desk, to("Ada Moreau", "ada@clients.example"))
    second = await place(backoffice.desk, to("Ada M.", "Ada@Clients.example"))
    other = await place(backoffice.desk, to("Ada Moreau", None))
    browser = await backoffice.signed_in(Role.MANAGER)
    page = await browser.get("/customers")
    assert page.text.count("<tr data-row>") == 1
    assert f"/customers/{second.code}" in page.text
    customer = await browser.get(f"/customers/{first.code}")
    assert (f"/orders/{first.code}" in customer.text, f"/orders/{second.code}" in customer.text) == (
        True,
        True,
    )
    assert f"/orders/{other.code}" not in customer.text
    assert "€84.00" in customer.words
    alone = await browser.get(f"/customers/{other.code}")
    assert "no mail address" in alone.words
    assert f"/orders/{first.code}" not in alone.text
    assert f'href="/customers/{first.code}"' in (await browser.get(f"/orders/{first.code}")).text
    assert f'href="/customers/{first.code}"' in (await browser.get(f"/orders/{first.code}/infos")).text


async def test_customers_are_found_by_name_and_address(backoffice: Backoffice) -> None:
    wanted = await place(backoffice.desk, to("Ada Moreau", "ada@clients.example"))
    await place(backoffice.desk, to("Bo Lind", "bo@clients.example"))
    while await index_due(backoffice.desk.hub):
        pass
    browser = await backoffice.signed_in(Role.OWNER)
    for text in ("moreau", "ada@clients.example", wanted.code):
        found = await browser.get(f"/customers?q={text}")
        assert ("Ada Moreau" in found.words, "Bo Lind" in found.words) == (True, False), text
    assert "No matching customers" in (await browser.get("/customers?q=nobody")).words


@pytest.mark.parametrize("role", [Role.FULFILMENT, Role.ACCOUNTANT])
async def test_personal_data_needs_its_permission(backoffice: Backoffice, role: Role) -> None:
    order = await place(backoffice.desk, sale())
    browser = await backoffice.signed_in(role)
    for path in ("/customers", f"/customers/{order.code}", "/customers/erasures"):
        assert (await browser.get(path)).status == 403
    assert "/customers/" not in (await browser.get(f"/orders/{order.code}")).text


def test_sums_leave_out_carts_and_cancelled_orders() -> None:
    order = {
        "stage": "placed",
        "state": "ready",
        "currency": "EUR",
        "total_minor": 100,
        "received_minor": 60,
        "returned_minor": 10,
        "balance_minor": 50,
        "customer_name": None,
        "customer_email": "a@b.example",
        "customer_phone": None,
        "placed_at": None,
    }
    cancelled = {**order, "state": "cancelled", "received_minor": 0, "returned_minor": 0, "balance_minor": -5}
    cart = {**order, "stage": "checkout_over"}
    customer = customer_of([order, cancelled, cart, {**order, "currency": "CHF"}])
    euros = customer.sums["EUR"]
    assert list(customer.sums) == ["CHF", "EUR"]
    assert (euros.ordered, euros.paid, euros.refunded, euros.owed, euros.to_refund) == (100, 60, 10, 50, 5)
    assert customer.placed == 3


async def seed(backoffice: Backoffice) -> str:
    """Many orders of many customers, by SQL; the code of one."""
    order = await place(backoffice.desk, sale())
    pool = backoffice.desk.hub.pool
    columns = await pool.fetchval(
        """select string_agg(quote_ident(attname), ', ') from pg_attribute
           where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped and attgenerated = ''"""
    )
    changed = {
        "order_id": "gen_random_uuid()",
        "code": "'X' || n",
        "idempotency_key": "'key' || n",
        "customer_email": "'c' || n % (%d / 4) || '@seed.example'".replace("%d", str(MANY)),
        "placed_at": "placed_at - n * interval '1 minute'",
    }
    chosen = ", ".join(changed.get(name, name) for name in columns.split(", "))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local comptoir.bulk_load = on")
        await connection.execute(
            f"insert into orders ({columns}) select {chosen} from orders, generate_series(1, {MANY}) as n"  # noqa: S608
        )
    await pool.execute("vacuum analyze orders")
    return order.code


async def test_lists_read_what_they_show_beside_many_orders(backoffice: Backoffice) -> None:
    code = await seed(backoffice)
    for sql, arguments in ((store.LIST, (SHOP, None, None, 51)), (store.ORDERS, (SHOP, code))):
        plan = "\n".join(
            row[0]
            for row in await backoffice.desk.fetch(
                f"explain (analyze, costs off, timing off) {sql}", *arguments
            )
        )
        assert "orders_by_customer" in plan, plan
        assert "Seq Scan on orders" not in plan, plan
    browser = await backoffice.signed_in(Role.OWNER)
    page = await browser.get("/customers")
    assert page.text.count("<tr data-row>") == 50
    assert "before=" in page.text
