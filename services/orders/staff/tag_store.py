"""SQL of tags: one function per statement, the connection first.

Orders are locked before tags, everywhere; a tag that is added to orders is locked shared, one that is
renamed, merged or deleted exclusively.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_tags(connection: Connection, shop: str) -> list[Row]:
    """Return the shop's tags by name: tag_id, name, colour, orders (number of orders that have it)."""
    return await connection.fetch(
        """select t.tag_id, t.name, t.colour, count(o.order_id) as orders
           from tag t left join order_tag o on o.shop = t.shop and o.tag_id = t.tag_id
           where t.shop = $1 group by t.shop, t.tag_id order by t.folded""",
        shop,
    )


async def read_tags_of(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the tags of these orders, by order and name: order_id, tag_id, name, colour."""
    return await connection.fetch(
        """select o.order_id, t.tag_id, t.name, t.colour
           from order_tag o join tag t on t.shop = o.shop and t.tag_id = o.tag_id
           where o.shop = $1 and o.order_id = any($2::uuid[]) order by o.order_id, t.folded""",
        shop,
        list(order_ids),
    )


async def lock_names(connection: Connection, shop: str) -> None:
    """Lock this shop's tag names against concurrent changes until the transaction ends; waits for other holders."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('tag names of ' || $1, 0))", shop)


async def insert_tag(
    connection: Connection, shop: str, tag: tuple[UUID, str, str, str], actor: str, now: datetime
) -> None:
    """Add a tag (id, name, folded name, colour) whose name is free."""
    await connection.execute(
        """insert into tag (shop, tag_id, name, folded, colour, created_by, created_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        shop,
        *tag,
        actor,
        now,
    )


async def find_tags(connection: Connection, shop: str, folded: Sequence[str]) -> list[Row]:
    """Return the existing tags with these folded names: tag_id, name, colour."""
    return await connection.fetch(
        "select tag_id, name, colour from tag where shop = $1 and folded = any($2::text[])",
        shop,
        list(folded),
    )


async def share_tags(connection: Connection, shop: str, tag_ids: Sequence[UUID]) -> list[Row]:
    """Return those of these tags that exist, locked against change and deletion, in the order of their ids."""
    return await connection.fetch(
        """select tag_id, name, colour from tag where shop = $1 and tag_id = any($2::uuid[])
           order by tag_id for share""",
        shop,
        list(tag_ids),
    )


async def lock_tags(
    connection: Connection, shop: str, tag_ids: Sequence[UUID], folded: str | None
) -> list[Row]:
    """Lock and return these tags and the one with this folded name, in the order of their ids: with `folded`."""
    return await connection.fetch(
        """select tag_id, name, colour, folded from tag
           where shop = $1 and (tag_id = any($2::uuid[]) or folded = $3) order by tag_id for update""",
        shop,
        list(tag_ids),
        folded,
    )


async def update_tag(
    connection: Connection, shop: str, tag_id: UUID, name: str, folded: str, colour: str
) -> None:
    """Rename or recolour a locked tag."""
    await connection.execute(
        "update tag set name = $3, folded = $4, colour = $5 where shop = $1 and tag_id = $2",
        shop,
        tag_id,
        name,
        folded,
        colour,
    )


async def delete_tag(connection: Connection, shop: str, tag_id: UUID) -> None:
    """Delete a locked tag that no order has."""
    await connection.execute("delete from tag where shop = $1 and tag_id = $2", shop, tag_id)


async def add_order_tags(
    connection: Connection, rows: Sequence[tuple[str, UUID, UUID, str]], now: datetime
) -> set[tuple[UUID, UUID]]:
    """Add tags to orders (shop, order, tag, actor). Return (order, tag) of those that did not have it."""
    found = await connection.fetch(
        """insert into order_tag (shop, order_id, tag_id, added_by, added_at)
           select *, $5::timestamptz from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[])
           on conflict do nothing returning order_id, tag_id""",
        *(list(column) for column in zip(*rows, strict=True)),
        now,
    )
    return {(row["order_id"], row["tag_id"]) for row in found}


async def remove_order_tags(
    connection: Connection, shop: str, order_ids: Sequence[UUID], tag_ids: Sequence[UUID]
) -> set[tuple[UUID, UUID]]:
    """Remove tags from locked orders. Return (order, tag) of those that had it."""
    found = await connection.fetch(
        """delete from order_tag where shop = $1 and order_id = any($2::uuid[]) and tag_id = any($3::uuid[])
           returning order_id, tag_id""",
        shop,
        list(order_ids),
        list(tag_ids),
    )
    return {(row["order_id"], row["tag_id"]) for row in found}


async def clear_tag(connection: Connection, shop: str, tag_id: UUID) -> list[UUID]:
    """Remove a locked tag from all its orders and return them.

    The orders are not locked; nothing else of them changes.
    """
    found = await connection.fetch(
        "delete from order_tag where shop = $1 and tag_id = $2 returning order_id", shop, tag_id
    )
    return [row["order_id"] for row in found]


async def move_tag(connection: Connection, shop: str, tag_id: UUID, target: UUID) -> list[UUID]:
    """Replace a locked tag by another locked one on all its orders. Return the orders that had the first."""
    await connection.execute(
        """insert into order_tag (shop, order_id, tag_id, added_by, added_at)
           select shop, order_id, $3, added_by, added_at from order_tag where shop = $1 and tag_id = $2
           on conflict do nothing""",
        shop,
        tag_id,
        target,
    )
    return await clear_tag(connection, shop, tag_id)
