"""Erasure in the back office: a preview, the code to be typed, running orders only when ticked, and a proof."""

import asyncio
import json
from uuid import UUID, uuid4

from contracts.notifier.bounces import AddressSuppressed, SuppressionKind
from contracts.orders.erasure import MOST_ORDERS, CustomerErased, ErasureDone
from contracts.sale import Customer
from services.chassis.messaging.erasure.store import TIMER
from services.orders.backoffice.access.permissions import Role
from services.orders.order.erasure import erasing
from tests.backoffice.browser import Backoffice
from tests.orders.rest_client import place, sale, sent

ADA = Customer(
    name="Ada Moreau", email="ada@clients.example", phone="+33 6 11 22 33 44", ip_address="203.0.113.9"
)


async def carry_out(backoffice: Backoffice) -> None:
    """Fire the timers of erasures that are due."""
    for row in await backoffice.desk.fetch(
        "delete from msg.timer where kind = $1 and due_at <= now() returning key, payload::text", TIMER
    ):
        async with backoffice.desk.unit() as unit:
            await erasing.fire(unit, row["key"], json.loads(row["payload"]))


async def test_an_owner_erases_a_customer_after_typing_the_code(backoffice: Backoffice) -> None:
    old, order = [await place(backoffice.desk, sale(customer=ADA)) for _ in range(2)]
    browser, path = await backoffice.signed_in(), f"/customers/{order.code}/erasure"
    preview = await browser.get(path)
    assert "2 orders of this customer" in preview.words
    assert "article L123-22" in preview.words
    fields = {**dict(preview.form(path).fields), "reason": "Request of 12 May", "code": "WRONG"}
    refused = await browser.post(path, fields)
    assert (refused.status, "Enter the code of this order" in refused.words) == (422, True)
    fields |= {"code": order.code}
    refused = await browser.post(path, {**fields, "key": dict(refused.form(path).fields)["key"]})
    assert (refused.status, "Some orders are still open" in refused.words) == (422, True)
    fields |= {"running": "on", "key": dict(refused.form(path).fields)["key"]}
    for _ in range(2):
        assert (await browser.post(path, fields)).status == 303
    sent = [one for _, one in backoffice.desk.emitted() if isinstance(one, CustomerErased)]
    assert [set(one.order_ids) for one in sent] == [{old.order_id, order.order_id}]

    await carry_out(backoffice)
    await carry_out(backoffice)
    for one in (old, order):
        page = (await browser.get(f"/orders/{one.code}")).text
        assert not [text for text in ("Moreau", "ada@clients", "11 22 33") if text in page]
    await backoffice.desk.deliver(
        ErasureDone(
            erasure_id=sent[0].erasure_id, shop=sent[0].shop, counts={"mail": 3}, done_at=old.placed_at
        ),
        sender="notifier",
    )
    proof = await browser.get(f"/customers/erasures/{sent[0].erasure_id}")
    assert ("Request of 12 May" in proof.words, "mail 3" in proof.words) == (True, True)
    assert proof.words.count("In progress") == 2
    assert "In progress" in (await browser.get("/customers/erasures")).words
    assert "The personal data was erased" in (await browser.get(f"/customers/{order.code}")).words
    assert "This customer was already erased." in (await browser.get(path)).words


async def test_a_late_report_of_a_mail_has_the_pass_repeated(backoffice: Backoffice) -> None:
    order = await place(backoffice.desk, sale(customer=ADA))
    browser, path = await backoffice.signed_in(), f"/customers/{order.code}/erasure"
    fields = dict((await browser.get(path)).form(path).fields)
    await browser.post(path, {**fields, "reason": "r", "code": order.code, "running": "on"})
    await carry_out(backoffice)
    await backoffice.desk.deliver(sale(customer=ADA))
    due = "select count(*) from msg.timer where kind = 'erasure' and due_at <= now()"
    assert await backoffice.desk.fetchval(due) == 0
    life = await backoffice.desk.fetch("select shop from orders where order_id = $1", order.order_id)
    async with backoffice.desk.unit() as unit:
        unit.touch_order(life[0]["shop"], order.order_id)
    assert await backoffice.desk.fetchval(due) == 1


async def copy_order(backoffice: Backoffice, order_id: UUID, times: int) -> None:
    """Put copies of an order beside it: completed, of the same customer."""
    columns = await backoffice.desk.fetchval(
        """select string_agg(quote_ident(column_name), ', ') from information_schema.columns
           where table_schema = 'public' and table_name = 'orders' and is_generated = 'NEVER'"""
    )
    await backoffice.desk.hub.pool.execute(
        f"""insert into orders ({columns})
            select {columns} from (select (jsonb_populate_record(o, jsonb_build_object(
                'order_id', gen_random_uuid(), 'code', 'T' || n, 'idempotency_key', 'T' || n, 'state', 'completed',
                'placed_at', o.placed_at - interval '1 day', 'customer_email', upper(o.customer_email)))).*
                from orders as o, generate_series(1, $2) as n where o.order_id = $1) as copies""",  # noqa: S608
        order_id,
        times,
    )


async def test_a_customer_with_more_orders_than_one_erasure_has_gets_several(backoffice: Backoffice) -> None:
    order = await place(backoffice.desk, sale(customer=ADA))
    await copy_order(backoffice, order.order_id, MOST_ORDERS)
    browser, path = await backoffice.signed_in(), f"/customers/{order.code}/erasure"
    preview = await browser.get(path)
    assert "2,001 orders of this customer" in preview.words
    assert "It takes several erasures, of up to 2,000 orders" in preview.words
    fields = {**dict(preview.form(path).fields), "reason": "Request", "code": order.code, "running": "on"}
    done = await browser.post(path, fields)
    assert (done.status, done.headers["location"]) == (303, "/customers/erasures")
    begun = [one for _, one in backoffice.desk.emitted() if isinstance(one, CustomerErased)]
    assert sorted(len(one.order_ids) for one in begun) == [1, MOST_ORDERS]
    await carry_out(backoffice)
    left = "select count(*) from orders where customer_email is not null"
    assert await backoffice.desk.fetchval(left) == 0
    assert "This customer was already erased." in (await browser.get(path)).words


async def test_outcomes_of_commands_about_an_address_lose_it(backoffice: Backoffice) -> None:
    desk, order = backoffice.desk, await place(backoffice.desk, sale(customer=ADA))
    browser = await backoffice.signed_in()
    for number, address in enumerate(("ADA@clients.example", "nada@clients.example"), 1):
        about = {"key": str(uuid4()), "address": address, "reason": "on the telephone"}
        request = asyncio.create_task(browser.post("/mails/addresses/suppress", about))
        command_id, command = (await sent(desk, number))[-1]
        message = AddressSuppressed(
            shop=command.shop,
            address=address.lower(),
            kind=SuppressionKind.MANUAL,
            since=order.placed_at,
            actor="lea",
        )
        await desk.deliver(message, causation_id=command_id)
        assert (await request).status == 303
    path = f"/customers/{order.code}/erasure"
    fields = dict((await browser.get(path)).form(path).fields)
    await browser.post(path, {**fields, "reason": "r", "code": order.code, "running": "on"})
    await carry_out(backoffice)
    kept = [
        row["outcome"] for row in await desk.fetch("select outcome::text from command order by requested_at")
    ]
    assert [("ada@clients" in one, "nada@clients" in one) for one in kept] == [(False, False), (True, True)]
    bodies = [bytes(row["body"]).decode() for row in await desk.fetch("select body from msg.event_log")]
    assert [body for body in bodies if "ADA@" in body] == []


async def test_only_an_owner_may_erase(backoffice: Backoffice) -> None:
    order = await place(backoffice.desk, sale(customer=ADA))
    browser = await backoffice.signed_in(Role.MANAGER)
    assert (await browser.get(f"/customers/{order.code}/erasure")).status == 403
    assert "/erasure" not in (await browser.get(f"/customers/{order.code}")).text
