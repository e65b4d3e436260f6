"""Tags on a real PostgreSQL: one per name, on one or many orders, told by the orders' activity and by no event."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from services.chassis.testing import Desk
from services.orders.order.shop.colours import Colour
from services.orders.order.shop.names import NameUnusable
from services.orders.order.unit.actions import MOST_ORDERS, TooManyOrders
from services.orders.staff import tagging
from services.orders.staff.tagging import Renamed, Tag, TagUnknown
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import a_life


async def make(desk: Desk, name: str, colour: Colour = Colour.RED, shop: str = SHOP) -> Tag:
    """A tag of the shop."""
    async with desk.unit() as unit:
        return await tagging.create_tag(unit, shop, name, colour, "lea")


async def put(desk: Desk, tag: Tag, *orders: UUID) -> list[tuple[bool, str | None]]:
    """Put a tag on orders: for each whether it changed, or why not."""
    async with desk.unit() as unit:
        results = await tagging.tag_orders(unit, SHOP, orders, [tag.id], "lea")
    return [(result.changed, result.reason) for result in results]


async def test_several_tags_on_several_orders_and_what_became_of_each(desks: Desks) -> None:
    desk = await desks("orders")
    one, two = (await a_life(desk)).order_id, (await a_life(desk)).order_id
    vip, urgent = await make(desk, "VIP"), await make(desk, "Urgent", Colour.ORANGE)
    unknown = uuid4()
    assert await put(desk, vip, one, unknown, two) == [(True, None), (False, "order_unknown"), (True, None)]
    assert await put(desk, vip, one) == [(False, "tags_unchanged")]
    await put(desk, urgent, one)
    async with desk.hub.acquire() as connection:
        tags = await tagging.tags_of_orders(connection, SHOP, [one, two])
        counted = await tagging.tags_of_shop(connection, SHOP)
    assert {order: [tag.name for tag in found] for order, found in tags.items()} == {
        one: ["Urgent", "VIP"],
        two: ["VIP"],
    }
    assert [(tag.name, tag.colour, tag.orders) for tag in counted] == [
        ("Urgent", "orange", 1),
        ("VIP", "red", 2),
    ]


async def test_a_tag_is_activity_with_its_revision_and_no_event(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    events = await desk.fetchval("SELECT count(*) FROM msg.event_log")
    vip = await make(desk, "VIP")
    await put(desk, vip, life.order_id)
    async with desk.unit() as unit:
        await tagging.untag_orders(unit, SHOP, [life.order_id], [vip.id], "tom")
    rows = await desk.fetch("SELECT kind, actor, revision, data FROM activity ORDER BY revision")
    assert [tuple(row)[:3] for row in rows] == [
        ("order_placed", "storefront.maison.shop", 1),
        ("tag_added", "lea", 2),
        ("tag_removed", "tom", 3),
    ]
    assert json.loads(rows[1]["data"]) == {"tag_id": str(vip.id), "name": "VIP", "colour": "red"}
    assert await desk.fetchval("SELECT revision FROM orders") == 3
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == events
    assert await desk.fetchval("SELECT count(*) FROM order_tag") == 0


async def test_equal_names_are_one_tag(desks: Desks) -> None:
    desk = await desks("orders")
    first = await make(desk, "À rappeler", Colour.BLUE)
    assert await make(desk, "a RAPPELER ", Colour.RED) == first
    assert (await make(desk, "À rappeler", shop="atelier")).id != first.id


async def test_two_people_make_the_same_tag_at_once(desks: Desks) -> None:
    desk = await desks("orders")
    made = await asyncio.gather(*(make(desk, name) for name in ["Vip", "VIP", "vip", "ViP"] * 3))
    assert len({tag.id for tag in made}) == 1
    assert await desk.fetchval("SELECT count(*) FROM tag") == 1


async def test_renaming_to_another_tags_name_merges_the_two(desks: Desks) -> None:
    desk = await desks("orders")
    one, two = (await a_life(desk)).order_id, (await a_life(desk)).order_id
    vip, old = await make(desk, "VIP"), await make(desk, "Bon client")
    await put(desk, vip, one)
    await put(desk, old, one, two)
    async with desk.unit() as unit:
        renamed = await tagging.rename_tag(unit, SHOP, old.id, "vip", Colour.PURPLE)
    assert renamed == Renamed(Tag(vip.id, "vip", Colour.PURPLE), is_merged=True, merged=2)
    assert [tuple(row) for row in await desk.fetch("SELECT tag_id, name, colour FROM tag")] == [
        (vip.id, "vip", "purple")
    ]
    assert {row["order_id"] for row in await desk.fetch("SELECT * FROM order_tag")} == {one, two}


async def test_a_tag_is_renamed_recoloured_and_deleted_with_its_count(desks: Desks) -> None:
    desk = await desks("orders")
    one, two = (await a_life(desk)).order_id, (await a_life(desk)).order_id
    tag = await make(desk, "VIP")
    await put(desk, tag, one, two)
    async with desk.unit() as unit:
        renamed = await tagging.rename_tag(unit, SHOP, tag.id, "V.I.P.", Colour.TEAL)
    assert renamed == Renamed(Tag(tag.id, "V.I.P.", Colour.TEAL))
    async with desk.unit() as unit:
        assert await tagging.delete_tag(unit, SHOP, tag.id) == 2
    assert (
        await desk.fetchval("SELECT count(*) FROM order_tag")
        + await desk.fetchval("SELECT count(*) FROM tag")
        == 0
    )
    assert await desk.fetchval("SELECT max(revision) FROM orders") == 2


async def test_what_is_not_there_or_too_much_is_refused(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    elsewhere = await make(desk, "VIP", shop="atelier")
    with pytest.raises(TagUnknown, match=str(elsewhere.id)):
        await put(desk, elsewhere, life.order_id)
    with pytest.raises(TooManyOrders):
        await put(desk, elsewhere, *(uuid4() for _ in range(MOST_ORDERS + 1)))
    with pytest.raises(NameUnusable):
        await make(desk, "\u202e")
    async with desk.unit() as unit:
        with pytest.raises(TagUnknown):
            await tagging.delete_tag(unit, SHOP, elsewhere.id)
    assert await desk.fetchval("SELECT revision FROM orders") == 1
