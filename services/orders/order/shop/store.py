"""SQL of shop settings and of the removal of personal data: one function per statement, the connection first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from services.chassis.storage.bulk import Bulk, Json
from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Table that stores sales as submitted: its name and the column with the time of arrival."""

    table: str
    at: str


SOURCES = (
    Source("submission", "received_at"),
    Source("refusal", "refused_at"),
    Source("checkout", "opened_at"),
)


async def read_settings(connection: Connection, shop: str) -> list[Row]:
    """Return the settings of a shop: key, value (JSON)."""
    return await connection.fetch("select key, value from shop_setting where shop = $1", shop)


async def lock_settings(connection: Connection, shop: str) -> None:
    """Lock this shop's settings against concurrent changes until the transaction ends; waits for other
    holders.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('settings of ' || $1, 0))", shop)


class SettingRow(NamedTuple):
    shop: str
    key: str
    value: Json
    changed_by: str
    changed_at: datetime


_WRITE_SETTINGS = Bulk(
    SettingRow,
    """insert into shop_setting ({columns})
       select * from {rows}
       on conflict (shop, key) do update
       set value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
)


async def write_settings(connection: Connection, rows: Sequence[SettingRow]) -> None:
    """Write settings."""
    await _WRITE_SETTINGS.execute(connection, rows)


async def try_lock(connection: Connection, lock: int) -> bool:
    """Try to take this lock until the transaction ends. Return whether no other process holds it."""
    found: bool = await connection.fetchval("select pg_try_advisory_xact_lock($1)", lock)
    return found


async def read_shops(connection: Connection) -> list[str]:
    """Return all shops that ever submitted anything, each found by one probe of the key."""
    rows = await connection.fetch(
        """with recursive found as (
               (select shop from submission order by shop limit 1)
               union all
               select (select s.shop from submission s where s.shop > f.shop order by s.shop limit 1)
               from found f where f.shop is not null)
           select shop from found where shop is not null
           union select distinct shop from refusal union select distinct shop from checkout"""
    )
    return [row["shop"] for row in rows]


async def read_mark(connection: Connection, shop: str, source: Source) -> datetime | None:
    """Return the time up to which this shop's rows were processed; at first, just before the oldest row."""
    mark: datetime | None = await connection.fetchval(
        f"""select coalesce((select until from forgotten where shop = $1 and source = $2),
                            (select min({source.at}) - interval '1 second' from {source.table} where shop = $1))""",  # noqa: S608
        shop,
        source.table,
    )
    return mark


async def write_mark(connection: Connection, shop: str, source: Source, until: datetime) -> None:
    """Store the time up to which this shop's rows were processed."""
    await connection.execute(
        """insert into forgotten (shop, source, until) values ($1, $2, $3)
           on conflict (shop, source) do update set until = excluded.until""",
        shop,
        source.table,
        until,
    )


async def end_of_batch(
    connection: Connection, shop: str, source: Source, span: tuple[datetime, datetime], most: int
) -> datetime | None:
    """Return the time of the last of `most` rows in this time span; None when there are fewer."""
    end: datetime | None = await connection.fetchval(
        f"""select {source.at} from {source.table}
            where shop = $1 and {source.at} > $2 and {source.at} <= $3
            order by {source.at} offset $4 limit 1""",  # noqa: S608 - names of SOURCES only
        shop,
        *span,
        most - 1,
    )
    return end


async def lock_bodies(
    connection: Connection, shop: str, source: Source, span: tuple[datetime, datetime]
) -> list[Row]:
    """Lock and return the rows of this span that may contain an IP address or browser: place, body.

    Bodies are compared as text, because a body may contain NUL, on which PostgreSQL's own JSON functions
    fail.
    """
    return await connection.fetch(
        f"""select ctid::text as place, body from {source.table}
            where shop = $1 and {source.at} > $2 and {source.at} <= $3
              and (position('"ip_address"' in body::text) > 0 or position('"browser"' in body::text) > 0)
            order by {source.at} for update""",  # noqa: S608 - names of SOURCES only
        shop,
        *span,
    )


async def write_bodies(connection: Connection, source: Source, rows: Sequence[tuple[str, str]]) -> None:
    """Write the bodies (place, JSON) of locked rows."""
    await connection.execute(
        f"""update {source.table} t set body = r.body::json
            from unnest($1::text[], $2::text[]) as r (place, body) where t.ctid = r.place::tid""",  # noqa: S608
        *(list(column) for column in zip(*rows, strict=True)),
    )
