"""An order's history, and what of it is newer than the revision a form was made from.

The history is the activity and the changes of the shown state in one; a comment's text is joined when it is read.
Invariant: a form made from a revision that is no longer the order's changes nothing; whoever sent it hears what
changed since and by whom. Without that, two people who edit one order would undo each other's work unseen.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.order import store
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal

STATE_CHANGED = "state_changed"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened to an order. `actor` is None where a fact changed the state by itself; `revision` is the
    one it led to, None where nothing of the order itself changed; `cause_type` is known of changes of state."""

    kind: str
    at: datetime
    actor: str | None
    revision: int | None
    data: dict[str, Any]
    item: UUID | None
    cause_id: UUID | None
    cause_type: str | None = None


class Stale(Refusal):
    """A form was made from an older revision of the order than the one it would change."""

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
    """Everything that happened to an order, the latest first."""
    return [_happened(row) for row in await store.read_history(connection, shop, order_id, None)]


async def changed_since(
    connection: Connection, shop: str, order_id: UUID, revision: int
) -> list[HistoryEntry]:
    """What changed an order since this revision, the latest first."""
    return [_happened(row) for row in await store.read_history(connection, shop, order_id, revision)]


async def require_revision(connection: Connection, order: Order, seen: int | None) -> None:
    """Check that a locked order is at the revision a form was made from; None asks for no check. Raises Stale."""
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
