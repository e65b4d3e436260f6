"""The SQL of shops' invoicing settings."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import asyncpg
from pydantic import ValidationError

from contracts.payments.invoices import InvoicingSettings
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer


class Invoicing(NamedTuple):
    """A shop's settings as they are stored. The logo is apart: `logo` is the SHA-256 of its bytes.

    Which mentions are missing or wrong is derived from them whenever they are read, since the rules may change:
    `is_announced` is whether documents were issued when other services were last informed, None if that was never
    recorded. Orders placed from `since` on are invoiced: the chosen first day, else when invoicing was first switched
    on.
    """

    shop: str
    version: int
    settings: InvoicingSettings
    since: datetime | None
    changed_by: str
    changed_at: datetime
    logo: str | None = None
    switched_on_at: datetime | None = None
    is_announced: bool | None = None


class Announced(NamedTuple):
    """The version of a shop's settings, and whether documents were issued by them when that was last announced."""

    shop: str
    version: int
    changed_at: datetime
    issues: bool | None

    @property
    def stamp(self) -> tuple[int, datetime]:
        """Return what distinguishes the settings from all others of the shop, also after a restored backup."""
        return self.version, self.changed_at


async def lock_invoicing(
    connection: Connection, shops: Sequence[str]
) -> tuple[dict[str, Invoicing], set[str]]:
    """Return the settings of these shops that can be read, locked FOR UPDATE, and the shops whose settings can't be.

    Both come from one reading: what another process stores meanwhile for the first time is not taken for unreadable.
    """
    await connection.fetch(
        "SELECT FROM invoicing WHERE shop = ANY($1) ORDER BY shop FOR UPDATE", sorted(shops)
    )
    rows = await _rows(connection, shops)
    found = _readable(rows)
    return found, {row["shop"] for row in rows} - found.keys()


async def read_invoicing(connection: Connection, shops: Sequence[str]) -> dict[str, Invoicing]:
    """Return the settings of these shops. Locks nothing. Raises ValidationError when some can't be read."""
    return {row["shop"]: _invoicing(row) for row in await _rows(connection, shops)}


async def _rows(connection: Connection, shops: Sequence[str]) -> list[asyncpg.Record]:
    return await connection.fetch(
        """SELECT shop, version, settings, since, changed_by, changed_at, switched_on_at, issues_announced
           FROM invoicing WHERE shop = ANY($1)""",
        sorted(shops),
    )


def _readable(rows: Sequence[asyncpg.Record]) -> dict[str, Invoicing]:
    """Return the settings without those that can't be read, such as a newer version's: one shop stops no other."""
    found: dict[str, Invoicing] = {}
    for row in rows:
        with suppress(ValidationError):
            found[row["shop"]] = _invoicing(row)
    return found


async def read_announced(connection: Connection, shops: Sequence[str]) -> list[Announced]:
    """Return what was last announced of these shops. Locks nothing."""
    rows = await connection.fetch(
        "SELECT shop, version, changed_at, issues_announced FROM invoicing WHERE shop = ANY($1)", shops
    )
    return [Announced(*row) for row in rows]


async def read_all_announced(connection: Connection) -> list[Announced]:
    """Return what was last announced of every shop. Locks nothing."""
    rows = await connection.fetch("SELECT shop, version, changed_at, issues_announced FROM invoicing")
    return [Announced(*row) for row in rows]


async def read_settings(connection: Connection, shops: Sequence[str]) -> list[tuple[Announced, str]]:
    """Return the settings of these shops as JSON, each with its version. Locks nothing."""
    rows = await connection.fetch(
        "SELECT shop, version, changed_at, issues_announced, settings FROM invoicing WHERE shop = ANY($1)",
        shops,
    )
    return [(Announced(*row[:4]), row["settings"]) for row in rows]


async def note_announced(connection: Writer, shop: str, *, issues: bool) -> None:
    """Store what was announced of a shop."""
    await connection.execute("UPDATE invoicing SET issues_announced = $2 WHERE shop = $1", shop, issues)


async def share_invoicing(connection: Connection, shops: Sequence[str]) -> dict[str, Invoicing]:
    """Return the settings of these shops that can be read, locked FOR SHARE: no number is issued by settings just
    replaced."""
    await connection.fetch(
        "SELECT FROM invoicing WHERE shop = ANY($1) ORDER BY shop FOR SHARE", sorted(shops)
    )
    return _readable(await _rows(connection, shops))


async def read_prefixes(connection: Connection, shops: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
    """Return the kinds of issued documents of these shops with the prefixes of their numbers. Locks nothing."""
    rows = await connection.fetch(
        r"""SELECT DISTINCT shop, kind, regexp_replace(number, '\d{4}-\d+$', '') AS prefix
            FROM invoice WHERE shop = ANY($1)""",
        sorted(shops),
    )
    found: dict[str, set[tuple[str, str]]] = {shop: set() for shop in shops}
    for row in rows:
        found[row["shop"]].add((row["kind"], row["prefix"]))
    return found


def _invoicing(row: asyncpg.Record) -> Invoicing:
    values = json.loads(row["settings"])
    logo = values.pop("logo_sha256", None)
    return Invoicing(
        shop=row["shop"],
        version=row["version"],
        settings=InvoicingSettings.model_validate(values),
        since=row["since"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
        logo=logo,
        switched_on_at=row["switched_on_at"],
        is_announced=row["issues_announced"],
    )


async def write_invoicing(connection: Writer, one: Invoicing, missing: Sequence[str]) -> None:
    """Store a shop's settings. Raises UniqueViolationError when another process stored the first ones meanwhile.

    The `missing` mentions are stored for processes of an earlier version, which issue by them.
    """
    values = {**one.settings.model_dump(mode="json", exclude={"logo"}), "logo_sha256": one.logo}
    arguments = (
        one.shop, one.version, json.dumps(values), list(missing), one.settings.is_on, one.since, one.changed_by,
        one.changed_at, one.switched_on_at, one.is_announced,
    )  # fmt: skip
    if one.version == 1:
        await connection.execute(
            """INSERT INTO invoicing (shop, version, settings, missing, is_on, since, changed_by, changed_at,
                                      switched_on_at, issues_announced)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
            *arguments,
        )
        return
    await connection.execute(
        """UPDATE invoicing SET version = $2, settings = $3, missing = $4, is_on = $5, since = $6, changed_by = $7,
               changed_at = $8, switched_on_at = $9, issues_announced = $10
           WHERE shop = $1""",
        *arguments,
    )


async def write_logo(connection: Writer, sha256: str, content: bytes) -> None:
    """Store a logo; it stays as long as an invoice may show it."""
    await connection.execute(
        "INSERT INTO invoice_logo (sha256, content) VALUES ($1, $2) ON CONFLICT DO NOTHING", sha256, content
    )
