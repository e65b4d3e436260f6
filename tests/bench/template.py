"""Rows of real orders, read from our tables after a run, to be written again under other ids by the floor.

So the floor's rows are ours by construction, whatever tables and columns a service has. A clone's ids are the
original's a number of milliseconds later (they are UUIDs, most of version 7); the few texts that must be unique get
the number as a suffix, hashes are those of hash and number. Everything else is written as it was read.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

UNIQUE_TEXTS = frozenset(
    {"code", "idempotency_key", "object_id", "event_id", "message_id", "provider_reference", "key"}
)
ORDER_COLUMNS = ("order_id", "submission_id")
_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated = '' AND a.attidentity <> 'a'
    GROUP BY c.oid, c.relname"""
_REFERENCES = """
    SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent
    FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid"""
_ROWS = "SELECT t.{key} AS owner, {columns} FROM {table} t WHERE t.{key} = ANY($1)"
_EFFECTS = """
    SELECT m.order_id AS owner, {columns} FROM mail m JOIN msg.effect t ON t.key = m.id::text
    WHERE m.order_id = ANY($1)"""
_EFFECT_COLUMNS = (
    "key",
    "kind",
    "state",
    "payload",
    "attempts",
    "next_at",
    "detail",
    "created_at",
    "updated_at",
)
_EFFECT_TYPES = ("text", "text", "text", "jsonb", "integer", *("timestamptz",), "text", *("timestamptz",) * 2)


@dataclass(frozen=True)
class Table:
    """Rows of one table by the rank of their order. `shifted` and `suffixed` are positions of columns."""

    name: str
    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[tuple[Any, ...]]]

    @property
    def statement(self) -> str:
        """One INSERT for any number of rows; columns that are arrays themselves travel as text."""
        names = ", ".join(self.columns)
        sent = ", ".join(f"${n}::{_sent(kind)}[]" for n, kind in enumerate(self.types, start=1))
        cast = ", ".join(f"r.{name}::{kind}" for name, kind in zip(self.columns, self.types, strict=True))
        return f"INSERT INTO {self.name} ({names}) SELECT {cast} FROM unnest({sent}) AS r ({names})"  # noqa: S608

    def cloned(self, clones: Sequence[tuple[int, int]]) -> list[list[Any]] | None:
        """Columns of the rows of orders, given as (rank, clone number); None when they have no row here."""
        rows = [(row, clone) for rank, clone in clones for row in self.rows[rank]]
        if not rows:
            return None
        columns: list[list[Any]] = []
        for at, name in enumerate(self.columns):
            if self.types[at] == "uuid":
                columns.append([shifted(row[at], clone) for row, clone in rows])
            elif name in UNIQUE_TEXTS and self.types[at] == "text":
                columns.append([None if row[at] is None else f"{row[at]}.{clone}" for row, clone in rows])
            elif name.endswith("_hash") and self.types[at] == "bytea":
                columns.append([_hashed(row[at], clone) for row, clone in rows])
            else:
                columns.append([row[at] for row, _ in rows])
        return columns


def _hashed(hash_: bytes | None, clone: int) -> bytes | None:
    return None if hash_ is None else hashlib.sha256(b"%s.%d" % (hash_, clone)).digest()


def shifted(identifier: UUID | None, clone: int) -> UUID | None:
    """The id so many milliseconds later."""
    if identifier is None:
        return None
    return UUID(int=(identifier.int + (clone << 80)) % (1 << 128))


async def read_tables(connection: Any, order_ids: Sequence[UUID]) -> list[Table]:
    """All rows of these orders, tables sorted so that what is referred to comes first."""
    found = []
    for table in await connection.fetch(_TABLES):
        key = next((column for column in ORDER_COLUMNS if column in table["columns"]), None)
        if key is not None:
            sql = _ROWS.format(key=key, columns=_read(table["columns"], table["types"]), table=table["name"])
            found.append(
                await _table(connection, table["name"], table["columns"], table["types"], sql, order_ids)
            )
    if any(table.name == "mail" and "message_id" in table.columns for table in found):
        sql = _EFFECTS.format(columns=_read(_EFFECT_COLUMNS, _EFFECT_TYPES))
        found.append(await _table(connection, "msg.effect", _EFFECT_COLUMNS, _EFFECT_TYPES, sql, order_ids))
    references = [(row["child"], row["parent"]) for row in await connection.fetch(_REFERENCES)]
    return list(_parents_first([table for table in found if any(table.rows)], references))


async def _table(
    connection: Any, name: str, columns: Sequence[str], types: Sequence[str], sql: str, ids: Sequence[UUID]
) -> Table:
    rows: dict[UUID, list[tuple[Any, ...]]] = {order_id: [] for order_id in ids}
    for row in await connection.fetch(sql, ids):
        rows[row["owner"]].append(tuple(row)[1:])
    return Table(name, columns, types, [rows[order_id] for order_id in ids])


def _read(columns: Sequence[str], types: Sequence[str]) -> str:
    return ", ".join(
        f"t.{name}::text" if kind.endswith("[]") else f"t.{name}"
        for name, kind in zip(columns, types, strict=True)
    )


def _sent(kind: str) -> str:
    return "text" if kind.endswith("[]") else kind


def _parents_first(tables: list[Table], references: Sequence[tuple[str, str]]) -> Iterator[Table]:
    names = {table.name for table in tables}
    left = sorted(tables, key=lambda table: table.name)
    while left:
        waiting = {table.name for table in left}
        ready = [
            table
            for table in left
            if not any(c == table.name and p in waiting and p in names for c, p in references)
        ]
        yield from ready
        left = [table for table in left if table not in ready]
