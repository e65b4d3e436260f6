"""SQL of the shops' rules: a version is written once and never changed."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.notifier.mails.rules.rule import Rules


class RuleRow(NamedTuple):
    shop: str
    version: Integer
    switches: Json
    abandoned_after_minutes: Integer
    changed_by: str
    changed_at: datetime


_INSERT = Bulk(RuleRow, "INSERT INTO mail_rule ({columns}) SELECT * FROM {rows}")


def rules_in(row: RuleRow) -> Rules:
    """Return the rules of a row."""
    return Rules(row.version, json.loads(row.switches), row.abandoned_after_minutes, row.changed_at)


async def read_rules(connection: Connection, shops: Collection[str]) -> dict[str, list[Rules]]:
    """Return all versions of these shops' rules; a shop that never changed them is absent."""
    rows = await connection.fetch("SELECT * FROM mail_rule WHERE shop = ANY($1::text[])", sorted(shops))
    found: defaultdict[str, list[Rules]] = defaultdict(list)
    for row in rows:
        found[row["shop"]].append(rules_in(RuleRow(**row)))
    return dict(found)


async def read_latest(connection: Connection, shop: str) -> RuleRow | None:
    """Return the latest version of a shop's rules."""
    row = await connection.fetchrow(
        "SELECT * FROM mail_rule WHERE shop = $1 ORDER BY version DESC LIMIT 1", shop
    )
    return RuleRow(**row) if row else None


async def insert_rules(connection: Writer, rows: Sequence[RuleRow]) -> None:
    """Write new versions; one that exists fails the batch, whose commands are then retried."""
    await _INSERT.execute(connection, rows)
