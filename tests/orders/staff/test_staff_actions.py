"""What people do here without another service: archive, comment; and forms that are no longer current."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis.testing import Desk
from services.orders.order import history as changes
from services.orders.order.history import Stale
from services.orders.order.shop.colours import Colour
from services.orders.order.unit.actions import OrderUnknown, open_orders
from services.orders.staff import archiving, commenting, tagging
from services.orders.staff.commenting import CommentUnknown, CommentUnusable
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import Life, a_life
from tests.orders.tables import EQUAL_AFTER_SHUFFLE

SECRET = "Le voisin a signé : preuve n° 4711"


async def completed(desk: Desk) -> Life:
    """An order that is paid and delivered."""
    life = await a_life(desk)
    for fact in (life.balance(2, received=life.total), life.packed(), life.dispatched(), life.delivered()):
        await desk.deliver(fact)
    return life


async def the_row(desk: Desk, order_id: UUID) -> dict[str, Any]:
    """What facts and derivation say of an order, but for its place in the archive and in the list's dictionary."""
    archive = {"archived_at", "kind_id"}
    columns = ", ".join(column for column in EQUAL_AFTER_SHUFFLE["orders"] if column not in archive)
    (row,) = await desk.fetch(f"SELECT {columns} FROM orders WHERE order_id = $1", order_id)  # noqa: S608
    return dict(row)


async def test_finished_orders_are_archived_and_others_refused_each_with_its_reason(desks: Desks) -> None:
    desk = await desks("orders")
    done, running, unknown = await completed(desk), await a_life(desk), uuid4()
    before = await the_row(desk, done.order_id)
    async with desk.unit() as unit:
        results = await archiving.archive(unit, SHOP, [running.order_id, done.order_id, unknown], "lea")
    assert [(one.changed, one.reason) for one in results] == [
        (False, "not_finished"),
        (True, None),
        (False, "order_unknown"),
    ]
    assert "awaiting_payment" in str(results[0].detail)
    archived = await desk.fetch("SELECT order_id FROM orders WHERE archived_at IS NOT NULL")
    assert [row["order_id"] for row in archived] == [done.order_id]
    assert await the_row(desk, done.order_id) == before
    async with desk.unit() as unit:
        again = await archiving.archive(unit, SHOP, [done.order_id], "lea")
        back = await archiving.unarchive(unit, SHOP, [done.order_id, running.order_id], "tom")
    assert [one.reason for one in (*again, *back)] == ["archived_already", None, "not_archived"]
    assert await the_row(desk, done.order_id) == before
    kinds = await desk.fetch("SELECT kind, actor FROM activity WHERE kind LIKE '%archived' ORDER BY revision")
    assert [tuple(row) for row in kinds] == [("archived", "lea"), ("unarchived", "tom")]


async def test_a_fact_that_comes_later_leaves_an_archived_order_archived(desks: Desks) -> None:
    desk = await desks("orders")
    life = await completed(desk)
    async with desk.unit() as unit:
        await archiving.archive(unit, SHOP, [life.order_id], "lea")
    await desk.deliver(life.balance(3))
    row = (await desk.fetch("SELECT state, archived_at FROM orders"))[0]
    assert (row["state"], row["archived_at"] is None) == ("processing", False)


async def test_a_comment_is_read_with_the_history_and_stored_nowhere_else(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    async with desk.unit() as unit:
        first = await commenting.comment(unit, SHOP, life.order_id, f" {SECRET}\n", "lea")
    async with desk.unit() as unit:
        await commenting.comment(unit, SHOP, life.order_id, "Non : n° 4712", "tom", counters=first)
    async with desk.hub.acquire() as connection:
        last, before, placed = await changes.history(connection, SHOP, life.order_id)
    assert (before.kind, before.actor, before.data) == (
        "comment_added",
        "lea",
        {"comment_id": str(first), "comment": SECRET},
    )
    assert (last.data["counters"], last.data["comment"], placed.kind) == (
        str(first),
        "Non : n° 4712",
        "order_placed",
    )
    assert await places_of(desk, SECRET) == {"comment"}


async def places_of(desk: Desk, text: str) -> set[str]:
    """The tables of the whole database in which a text stands."""
    tables = await desk.fetch(
        """SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'msg')"""
    )
    assert {"msg.event_log", "msg.dispatch", "public.activity"} <= {row["name"] for row in tables}
    found = set()
    for row in tables:
        query = f"SELECT EXISTS (SELECT 1 FROM {row['name']} t WHERE position($1 IN t::text) > 0)"  # noqa: S608
        if await desk.fetchval(query, text):
            found.add(row["name"].removeprefix("public."))
    return found


async def test_a_blank_comment_or_a_correction_of_none_is_refused(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    async with desk.unit() as unit:
        with pytest.raises(CommentUnusable, match="0 characters"):
            await commenting.comment(unit, SHOP, life.order_id, " \n", "lea")
    async with desk.unit() as unit:
        with pytest.raises(CommentUnknown):
            await commenting.comment(unit, SHOP, life.order_id, "x", "lea", counters=uuid4())
    async with desk.unit() as unit:
        with pytest.raises(OrderUnknown):
            await commenting.comment(unit, SHOP, uuid4(), "x", "lea")
    assert await desk.fetchval("SELECT revision FROM orders") == 1


async def test_a_stale_form_gets_what_changed_since_and_by_whom(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    async with desk.unit() as unit:
        tag = await tagging.create_tag(unit, SHOP, "VIP", Colour.RED, "lea")
        await tagging.tag_orders(unit, SHOP, [life.order_id], [tag.id], "lea")
    await desk.deliver(life.settled(recorded_by="tom"))
    await desk.deliver(life.balance(2, received=life.total))
    async with desk.unit() as unit:
        work = await open_orders(unit, SHOP, [life.order_id])
        order = work.orders[SHOP, life.order_id]
        await changes.require_revision(unit.connection, order, order.revision)
        await changes.require_revision(unit.connection, order, None)
        with pytest.raises(Stale) as stale:
            await changes.require_revision(unit.connection, order, 2)
    assert [(entry.kind, entry.actor, entry.revision) for entry in stale.value.since] == [
        ("state_changed", None, 4),
        ("payment_received", "tom", 3),
    ]
    assert "by tom" in str(stale.value)
    assert (stale.value.seen, stale.value.revision) == (2, 4)
