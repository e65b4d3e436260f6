"""History of an order, and the part of it that is newer than the revision a form was built from.

The history merges the activity with the changes of the shown state; comment texts are joined on read.
Invariant: a form built from an outdated revision changes nothing; the sender receives the list of changes
since then, with their actors. Otherwise two people editing one order would overwrite each other's work
without noticing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.order import history_store, store
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal

STATE_CHANGED = "state_changed"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of an order's history.

    `actor` is None where a fact changed the state; `revision` is the revision it led to, None where the order
    itself did not change; `cause_type` is set for state changes only.
    """

    kind: str
    at: datetime
    actor: str | None
    revision: int | None
    data: dict[str, Any]
    item: UUID | None
    cause_id: UUID | None
    cause_type: str | None = None


class Stale(Refusal):
    """Error: a form was built from an older revision of the order than the current one."""

    code = "order_changed_meanwhile"
    status = 409

    def __init__(
        self, code: str, order_id: UUID, seen: int, revision: int, since: Sequence[HistoryEntry]
    ) -> None:
        people = ", ".join(sorted({entry.actor for entry in since if entry.actor})) or "the order's own facts"
        super().__init__(
            f"order {code} ({order_id}) is at revision {revision}, the form was made from {seen}; changed since by "
            f"{people}: look at the order again and repeat what still applies"
        )
        self.order_id, self.seen, self.revision, self.since = order_id, seen, revision, tuple(since)


async def history(connection: Connection, shop: str, order_id: UUID) -> list[HistoryEntry]:
    """Return the complete history of an order, newest first."""
    return [_happened(row) for row in await history_store.read_history(connection, shop, order_id, None)]


async def changed_since(
    connection: Connection, shop: str, order_id: UUID, revision: int
) -> list[HistoryEntry]:
    """Return the changes of an order since this revision, newest first."""
    return [_happened(row) for row in await history_store.read_history(connection, shop, order_id, revision)]


async def require_revision(connection: Connection, order: Order, seen: int | None) -> None:
    """Check that a locked order is at the revision a form was built from; None skips the check.

    Raises Stale.
    """
    if seen is not None and seen != order.revision:
        since = await changed_since(connection, order.shop, order.id, seen)
        raise Stale(order.code, order.id, seen, order.revision, since)


def _happened(row: store.Row) -> HistoryEntry:
    return HistoryEntry(
        kind=row["kind"],
        at=row["at"],
        actor=row["actor"],
        revision=row["revision"],
        data=json.loads(row["data"]),
        item=row["item"],
        cause_id=row["cause_id"],
        cause_type=row["cause_type"],
    )
