"""Failed effects that a person has seen: acknowledged with a reason, so that nothing counts them any more.

An acknowledgement changes nothing else: the effect stays failed, and may be requested again where its kind is decided
on (a refund, a mail, a document). The next attempt clears it.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog

from services.chassis.messaging.process import Transactions
from services.chassis.storage.database import Connection, Row

log = structlog.get_logger()
MOST = 10_000
"""Most effects that are acknowledged at once."""
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_OF_SHOP = "(${0}::text IS NULL OR payload->>'shop' = ${0})"
"""One that names no shop may be any shop's: only those who ask without a shop see or acknowledge it."""


class Chosen(NamedTuple):
    """The failed effects of a request: one by its key, or all of a kind; with a shop only those that name it, and none
    of the kinds in `without`."""

    key: str | None
    kind: str | None
    shop: str | None
    without: Sequence[str] = ()


class Listed(NamedTuple):
    """Effects of a list, and how many there are, also beyond its limit."""

    effects: list[dict[str, Any]]
    total: int


async def list_failed(
    connection: Connection, kind: str | None, without: Sequence[str], shop: str | None, limit: int
) -> Listed:
    """Return failed effects that nobody has acknowledged, newest first; mail addresses in their details are hidden."""
    rows = await connection.fetch(
        f"""SELECT key, kind, payload->>'shop' AS shop, payload->>'order_id' AS order_id, attempts, detail,
                   created_at AS planned_at, updated_at AS failed_at, count(*) OVER () AS total
            FROM msg.effect WHERE state = 'failed' AND acknowledged_at IS NULL AND ($1::text IS NULL OR kind = $1)
                AND kind <> ALL($2) AND {_OF_SHOP.format(3)}
            ORDER BY updated_at DESC, key LIMIT $4""",  # noqa: S608 - a constant of ours
        kind,
        list(without),
        shop,
        limit,
    )
    return _listed(rows)


async def list_acknowledged(
    connection: Connection, kind: str | None, without: Sequence[str], shop: str | None, limit: int
) -> Listed:
    """Return failed effects that were acknowledged, the latest first."""
    rows = await connection.fetch(
        f"""SELECT key, kind, payload->>'shop' AS shop, payload->>'order_id' AS order_id, attempts, detail,
                   created_at AS planned_at, updated_at AS failed_at, acknowledged_at, acknowledged_by, acknowledgement,
                   count(*) OVER () AS total
            FROM msg.effect WHERE state = 'failed' AND acknowledged_at IS NOT NULL
                AND ($1::text IS NULL OR kind = $1) AND kind <> ALL($2) AND {_OF_SHOP.format(3)}
            ORDER BY acknowledged_at DESC, key LIMIT $4""",  # noqa: S608 - a constant of ours
        kind,
        list(without),
        shop,
        limit,
    )
    return _listed(rows)


async def acknowledge(process: Transactions, chosen: Chosen, reason: str, actor: str) -> int:
    """Acknowledge failed effects; return how many. Ones that were acknowledged before keep their reason."""
    async with process.unit() as unit:
        rows = await unit.connection.fetch(
            f"""UPDATE msg.effect SET acknowledged_at = $5, acknowledged_by = $6, acknowledgement = $7
                WHERE key = ANY(ARRAY(
                    SELECT key FROM msg.effect WHERE state = 'failed' AND acknowledged_at IS NULL
                        AND ($1::text IS NULL OR key = $1) AND ($2::text IS NULL OR kind = $2) AND {_OF_SHOP.format(3)}
                        AND kind <> ALL($8)
                    ORDER BY key LIMIT $4 FOR UPDATE))
                RETURNING kind""",  # noqa: S608 - a constant of ours
            chosen.key,
            chosen.kind,
            chosen.shop,
            MOST,
            unit.now,
            actor,
            reason,
            list(chosen.without),
        )
    log.info(
        "failed effects acknowledged", actor=actor, effects=len(rows), kinds=sorted({r["kind"] for r in rows})
    )
    return len(rows)


async def was_acknowledged(connection: Connection, chosen: Chosen) -> bool:
    """Return whether any of the effects of a request was acknowledged before."""
    return bool(
        await connection.fetchval(
            f"""SELECT EXISTS (SELECT FROM msg.effect WHERE state = 'failed' AND acknowledged_at IS NOT NULL
                AND ($1::text IS NULL OR key = $1) AND ($2::text IS NULL OR kind = $2) AND {_OF_SHOP.format(3)}
                AND kind <> ALL($4))""",  # noqa: S608 - a constant of ours
            chosen.key,
            chosen.kind,
            chosen.shop,
            list(chosen.without),
        )
    )


def _listed(rows: Sequence[Row]) -> Listed:
    return Listed([_shown(dict(row)) for row in rows], rows[0]["total"] if rows else 0)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    del row["total"]
    return {**row, "detail": _ADDRESS.sub("…@…", row["detail"]) if row["detail"] else None}
