"""SQL of labels: one function per statement, the connection first.

An order that gets a label holds a shared lock on the shop's labels until its commit, so that no label in use
is deleted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_labels(connection: Connection, shop: str) -> list[Row]:
    """Return the rows of a shop's labels: key, state, fr, en, colour, position, deleted_at."""
    return await connection.fetch(
        "select key, state, fr, en, colour, position, deleted_at from label where shop = $1", shop
    )


async def lock_labels(connection: Connection, shop: str) -> None:
    """Lock this shop's labels against concurrent changes until the transaction ends; waits for other lock holders."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('labels of ' || $1, 0))", shop)


async def lock_labels_shared(connection: Connection, shop: str) -> None:
    """Lock this shop's labels against changes until the transaction ends; the lock is shared."""
    await connection.execute(
        "select pg_advisory_xact_lock_shared(hashtextextended('labels of ' || $1, 0))", shop
    )


class LabelRow(NamedTuple):
    shop: str
    key: str
    state: str
    fr: str
    en: str
    colour: str
    position: int
    changed_by: str
    changed_at: datetime


async def write_label(connection: Connection, row: LabelRow) -> None:
    """Write a label. The labels must be locked."""
    await connection.execute(
        """insert into label (shop, key, state, fr, en, colour, position, changed_by, changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (shop, key) do update
           set fr = excluded.fr, en = excluded.en, colour = excluded.colour, position = excluded.position,
               changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
        *row,
    )


async def count_orders(connection: Connection, shop: str, key: str, most: int) -> int:
    """Return the number of orders with this label set by hand, counted up to `most`."""
    count: int = await connection.fetchval(
        "select count(*) from (select 1 from orders where shop = $1 and hand_label = $2 limit $3) found",
        shop,
        key,
        most,
    )
    return count


async def mark_deleted(connection: Connection, shop: str, key: str, actor: str, now: datetime) -> None:
    """Mark a label as deleted, so that it can no longer be chosen. The labels must be locked."""
    await connection.execute(
        """update label set deleted_at = $4, changed_at = $4, changed_by = $3
           where shop = $1 and key = $2 and deleted_at is null""",
        shop,
        key,
        actor,
        now,
    )
