"""Coloured tags: a shop's own labels on its orders.

Invariant: a shop has one tag per name, ignoring case and accents. Tags are internal: no event carries them,
only an order's activity does. Adding or removing a tag gives its orders a new revision; renaming or
recolouring it changes no order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.shop.colours import Colour
from services.orders.order.shop.names import cleaned, folded
from services.orders.order.unit.actions import OrderResult, Rejection, each_order, new_action, open_orders
from services.orders.staff import tag_store

MOST_TAGS = 50
"""Maximum number of tags added or removed at once."""
RETAG = "orders.order.tag"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; `orders` is the number of orders that have it, where counted."""

    id: UUID
    name: str
    colour: Colour
    orders: int | None = None


@dataclass(frozen=True, slots=True)
class Renamed:
    """Result of renaming a tag: its current values; `merged` orders got it in place of the renamed one."""

    tag: Tag
    is_merged: bool = False
    merged: int = 0


class TagUnknown(Refusal):
    """Error: the shop has no such tag (any more)."""

    code = "tag_unknown"
    status = 404

    def __init__(self, shop: str, tag_ids: Iterable[UUID]) -> None:
        names = ", ".join(map(str, tag_ids))
        super().__init__(f"shop {shop} has no tag {names}; somebody may have deleted it, choose another")


class TooManyTags(Refusal):
    """Error: too many tags in one request."""

    code = "too_many_tags"

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} tags are named, at most {MOST_TAGS} at once; split the request")


async def tags_of_shop(connection: Connection, shop: str) -> list[Tag]:
    """Return the shop's tags by name, with the number of orders of each."""
    return [_tag(row, row["orders"]) for row in await tag_store.read_tags(connection, shop)]


async def tags_of_orders(
    connection: Connection, shop: str, order_ids: Sequence[UUID]
) -> dict[UUID, list[Tag]]:
    """Return the tags of these orders, by name; orders without tags are missing."""
    found: dict[UUID, list[Tag]] = {}
    for row in await tag_store.read_tags_of(connection, shop, order_ids):
        found.setdefault(row["order_id"], []).append(_tag(row))
    return found


async def create_tag(unit: Unit, shop: str, name: str, colour: Colour, actor: str) -> Tag:
    """Return the tag with this name, creating it if there is none; an existing one keeps its spelling and
    colour.

    Raises NameUnusable.
    """
    name = cleaned(name)
    await tag_store.lock_names(unit.connection, shop)
    if found := await tag_store.find_tags(unit.connection, shop, [folded(name)]):
        return _tag(found[0])
    tag = Tag(uuid7(), name, Colour(colour))
    row = (tag.id, name, folded(name), tag.colour.value)
    await tag_store.insert_tag(unit.connection, shop, row, actor, unit.now)
    return tag


async def tag_orders(
    unit: Unit, shop: str, order_ids: Sequence[UUID], tag_ids: Sequence[UUID], actor: str
) -> list[OrderResult]:
    """Add these tags to these orders. An order that has them all is left unchanged (`tags_unchanged`).

    Raises TagUnknown, TooManyTags, TooManyOrders.
    """
    return await retag_orders(unit, shop, order_ids, tag_ids, [], actor)


async def untag_orders(
    unit: Unit, shop: str, order_ids: Sequence[UUID], tag_ids: Sequence[UUID], actor: str
) -> list[OrderResult]:
    """Remove these tags from these orders. An order that has none of them is left unchanged
    (`tags_unchanged`).

    Raises TagUnknown, TooManyTags, TooManyOrders.
    """
    return await retag_orders(unit, shop, order_ids, [], tag_ids, actor)


async def retag_orders(
    unit: Unit,
    shop: str,
    order_ids: Sequence[UUID],
    add: Sequence[UUID],
    remove: Sequence[UUID],
    actor: str,
) -> list[OrderResult]:
    """Remove tags from these orders and add others; a tag in both lists is added.

    Raises TagUnknown, TooManyTags, TooManyOrders.
    """
    work = await open_orders(unit, shop, order_ids)
    tags = await _shared(unit.connection, shop, [*add, *remove])
    known = [order.id for order in work.orders.values()]
    off = [tag_id for tag_id in tags if tag_id not in add]
    removed = await tag_store.remove_order_tags(unit.connection, shop, known, off)
    rows = [(shop, order_id, tag_id, actor) for order_id in known for tag_id in dict.fromkeys(add)]
    added = await tag_store.add_order_tags(unit.connection, rows, unit.now) if rows else set()
    cause = new_action(unit, RETAG, actor)

    def note(order: Order) -> Rejection | None:
        changes = [("tag_removed", tag) for tag in tags.values() if (order.id, tag.id) in removed]
        changes += [("tag_added", tag) for tag in tags.values() if (order.id, tag.id) in added]
        for kind, tag in changes:
            data = {"tag_id": str(tag.id), "name": tag.name, "colour": tag.colour}
            work.note(shop, order.id, kind, uuid7(), actor, cause, data)
        if not changes:
            return Rejection("tags_unchanged", "the order has just these tags already")
        work.changed(order, cause, actor)
        return None

    results = each_order(work, shop, order_ids, note)
    await work.save()
    return results


async def tags_named(connection: Connection, shop: str, names: Sequence[str]) -> list[Tag]:
    """Return the shop's tags with these names; names without a tag are left out."""
    return [
        _tag(row) for row in await tag_store.find_tags(connection, shop, [folded(name) for name in names])
    ]


async def rename_tag(unit: Unit, shop: str, tag_id: UUID, name: str, colour: Colour) -> Renamed:
    """Change a tag's name and colour.

    If another tag has that name, it replaces the first on its orders and gets the colour; the first is
    deleted.

    Raises TagUnknown, NameUnusable.
    """
    name = cleaned(name)
    await tag_store.lock_names(unit.connection, shop)
    rows = await tag_store.lock_tags(unit.connection, shop, [tag_id], folded(name))
    if tag_id not in {row["tag_id"] for row in rows}:
        raise TagUnknown(shop, [tag_id])
    kept = next((row["tag_id"] for row in rows if row["tag_id"] != tag_id), tag_id)
    moved: list[UUID] = []
    if kept != tag_id:
        moved = await tag_store.move_tag(unit.connection, shop, tag_id, kept)
        await tag_store.delete_tag(unit.connection, shop, tag_id)
    await tag_store.update_tag(unit.connection, shop, kept, name, folded(name), Colour(colour).value)
    return Renamed(Tag(kept, name, Colour(colour)), kept != tag_id, len(moved))


async def delete_tag(unit: Unit, shop: str, tag_id: UUID) -> int:
    """Delete a tag. Return the number of orders that had it. Raises TagUnknown."""
    if not await tag_store.lock_tags(unit.connection, shop, [tag_id], None):
        raise TagUnknown(shop, [tag_id])
    cleared = await tag_store.clear_tag(unit.connection, shop, tag_id)
    await tag_store.delete_tag(unit.connection, shop, tag_id)
    return len(cleared)


async def _shared(connection: Connection, shop: str, tag_ids: Sequence[UUID]) -> dict[UUID, Tag]:
    wanted = sorted(set(tag_ids))
    if len(wanted) > MOST_TAGS:
        raise TooManyTags(len(wanted))
    found = {row["tag_id"]: _tag(row) for row in await tag_store.share_tags(connection, shop, wanted)}
    if missing := [tag_id for tag_id in wanted if tag_id not in found]:
        raise TagUnknown(shop, missing)
    return found


def _tag(row: tag_store.Row, orders: int | None = None) -> Tag:
    return Tag(row["tag_id"], row["name"], Colour(row["colour"]), orders)
