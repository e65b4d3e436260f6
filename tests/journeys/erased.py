"""A customer with all personal data that a shop may have, and a search for traces of it in tables and files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from contracts.sale import Address, Customer
from deploy.local.system import System

NAME = "Zelda Quatrepoint"
MAIL = "Zelda.Quatrepoint@Erased.Example"
PHONE = "+33 6 44 55 66 77"
STREET = "17 impasse des Glycines"
IP = "203.0.113.77"
BROWSER = "Mozilla/5.0 (Zx Spectrum)"
WORDS = "la sonnette bleue"
PAGE = "https://suivi.example/6699ZX"
TRACES = (
    "quatrepoint",
    "+33 6 44 55",
    "impasse des glycines",
    IP,
    "zx spectrum",
    "sonnette bleue",
    "6699zx",
)
"""Texts that must be found nowhere, in lower case."""
CUSTOMER = Customer(name=NAME, email=MAIL, phone=PHONE, ip_address=IP, browser=BROWSER)
HOME = Address(name=NAME, street=STREET, postal_code="31000", city="Toulouse", country="FR", phone=PHONE)
_COLUMNS = """SELECT table_schema, table_name, array_agg(
        CASE data_type WHEN 'bytea' THEN format('encode(%I, ''escape'')', column_name)
                       ELSE format('%I::text', column_name) END) AS texts
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema IN ('public', 'msg') AND table_type = 'BASE TABLE' GROUP BY 1, 2 ORDER BY 1, 2"""


async def tables_with_traces(databases: Mapping[str, str]) -> list[str]:
    """Return the tables that contain a trace: service, table, trace and the row."""
    found: list[str] = []
    for service, url in databases.items():
        connection = await asyncpg.connect(url)
        try:
            found += [f"{service}: {one}" for one in await _traces_in(connection)]
        finally:
            await connection.close()
    return found


async def _traces_in(connection: Any) -> list[str]:
    found: list[str] = []
    for schema, table, texts in await connection.fetch(_COLUMNS):
        row = f"concat_ws(' | ', {', '.join(texts)})"
        rows = await connection.fetch(
            f"""SELECT {row} AS row FROM "{schema}"."{table}" WHERE lower({row}) ~ ANY($1)""",  # noqa: S608
            [_pattern(trace) for trace in TRACES],
        )
        found += [f"{schema}.{table}: {one['row'][:600]}" for one in rows]
    return found


def _pattern(trace: str) -> str:
    return "".join(f"\\{letter}" if letter in "+.()" else letter for letter in trace)


def files_with_traces(system: System, apart: frozenset[Path]) -> list[str]:
    """Return the files below a system's folder that contain a trace, except those of external systems."""
    found = []
    for path in sorted(path for path in system.folder.rglob("*") if path.is_file()):
        if not apart & {path, *path.parents}:
            text = path.read_bytes().decode("utf-8", "replace").lower()
            found += [f"{path}: {trace}" for trace in TRACES if trace in text]
    return found


def unreadable_messages(rows: list[Any], catalogue: Mapping[str, Any]) -> Iterator[str]:
    """Yield logged messages that their class can no longer parse."""
    for row in rows:
        try:
            catalogue[row["type"]].message.model_validate(json.loads(row["body"]))
        except ValueError as error:
            yield f"{row['type']}: {error}"
