"""SQL of the page of disputes. All statements are read-only and lock nothing."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg

from services.chassis.storage.database import Connection

_IN = {
    "open": "d.state IN ('inquiry', 'needs_response', 'under_review')",
    "to_resolve": "d.state IN ('lost', 'accepted') AND d.resolution IS NULL",
    "ended": "(d.state IN ('won', 'closed') OR d.resolution IS NOT NULL)",
    "all": "true",
}
"""The condition of each filter."""
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
DisputeCursor = tuple[datetime, datetime, str]
"""Deadline (the latest if there is none), opening and reference of a page's last dispute."""


async def read_disputes(
    connection: Connection, shop: str, state: str, after: DisputeCursor | None, limit: int
) -> list[asyncpg.Record]:
    """Return the shop's disputes of a filter after a cursor, with the code of their order: the next deadline
    first, then the oldest.
    """
    return await connection.fetch(
        f"""SELECT d.*, o.code FROM dispute d JOIN orders o USING (shop, order_id)
            WHERE d.shop = $1 AND {_IN[state]}
              AND ($2::timestamptz IS NULL
                   OR (coalesce(d.due_at, $5), d.opened_at, d.provider_reference) > ($2, $3, $4))
            ORDER BY coalesce(d.due_at, $5), d.opened_at, d.provider_reference LIMIT $6""",  # noqa: S608
        shop,
        *(after or (None, None, None)),
        _LATEST,
        limit,
    )


async def read_dispute(
    connection: Connection, shop: str, provider: str, reference: str
) -> asyncpg.Record | None:
    """Return one dispute with the code of its order."""
    return await connection.fetchrow(
        """SELECT d.*, o.code FROM dispute d JOIN orders o USING (shop, order_id)
           WHERE (d.shop, d.provider, d.provider_reference) = ($1, $2, $3)""",
        shop,
        provider,
        reference,
    )


async def count_disputes(connection: Connection, shop: str) -> Mapping[str, int]:
    """Return the number of disputes of each filter."""
    parts = ", ".join(f'count(*) FILTER (WHERE {condition}) AS "{name}"' for name, condition in _IN.items())
    row = await connection.fetchrow(f"SELECT {parts} FROM dispute d WHERE d.shop = $1", shop)  # noqa: S608
    return dict(row)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view model of a dispute: with its fees, and whether a decision is open."""
    is_open = row["state"] in ("lost", "accepted") and row["resolution"] is None
    return {**row, "fees": json.loads(row["fees"]), "is_to_resolve": is_open}


def text_of(row: Mapping[str, Any]) -> str:
    """Return a dispute's cursor in the list, for an address."""
    return "_".join(
        [(row["due_at"] or _LATEST).isoformat(), row["opened_at"].isoformat(), row["provider_reference"]]
    )


def cursor_of(text: str | None) -> DisputeCursor | None:
    """Return the cursor in an address; None for the first page, or for an invalid text."""
    due_at, _, rest = (text or "").partition("_")
    opened_at, _, reference = rest.partition("_")
    try:
        return datetime.fromisoformat(due_at), datetime.fromisoformat(opened_at), reference[:200]
    except ValueError:
        return None
