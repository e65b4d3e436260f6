"""History of an order, and the part of it that is newer than the revision a form was built from.

The history merges the activity with the changes of the shown state; comment texts are joined on read.
Invariant: a form built from an outdated revision changes nothing; the sender receives the list of changes
since then, with their actors. Otherwise two people editing one order would overwrite each other's work
without noticing. A command that has no outcome yet has changed no revision, so a form also names the ones that it
showed; others make it outdated. Otherwise one cheque would be recorded twice while payments is unavailable.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.catalogue import type_of
from contracts.fulfillment.parcels import PackParcel, UnpackParcel
from contracts.fulfillment.shipments import (
    CancelShipment,
    DispatchShipment,
    RecordDelivery,
    ReportParcelLost,
    UpdateShipment,
)
from contracts.payments.accounts import ReassignPayment, RecordPayment, ReversePayment
from contracts.payments.disputes import ResolveDispute
from contracts.payments.refunds import ConfirmRefundMark, GrantCredit, RefundOrder, SettleRefund
from services.chassis.messaging.outbox_store import read_bodies
from services.chassis.storage.database import Connection
from services.orders.order import history_store, store
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal

STATE_CHANGED = "state_changed"
MONEY = tuple(
    type_of(one, "orders")
    for one in (
        *(RecordPayment, ReversePayment, ReassignPayment, ResolveDispute),
        *(RefundOrder, ConfirmRefundMark, SettleRefund, GrantCredit),
    )
)
"""Types of the commands that change an order's money."""
GOODS = tuple(
    type_of(one, "orders")
    for one in (
        *(PackParcel, UnpackParcel, ReportParcelLost),
        *(DispatchShipment, UpdateShipment, CancelShipment, RecordDelivery),
    )
)
"""Types of the commands that change an order's parcels and shipments."""
_REVISION, _COMMAND = re.compile("[0-9]{1,9}"), re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WITHOUT_OUTCOME = frozenset({"pending", "parked"})


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


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as a form shows it: its revision, and the commands without outcome that its page names."""

    revision: int
    commands: frozenset[UUID] = frozenset()

    def __str__(self) -> str:
        """Return the text of a form's field: the revision, and the commands after it."""
        return " ".join([str(self.revision), *sorted(map(str, self.commands))])

    @classmethod
    def read(cls, text: str) -> "Seen | None":
        """Return what such a text states; None when it is none."""
        revision, *commands = text.split(" ")
        if not _REVISION.fullmatch(revision) or not all(map(_COMMAND.fullmatch, commands)):
            return None
        return cls(int(revision), frozenset(map(UUID, commands)))


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """A command without outcome. `content` is its message, empty when the event log no longer has it; `state` is
    `parked` when staff must look.
    """

    command_id: UUID
    type: str
    actor: str
    state: str
    requested_at: datetime
    content: Mapping[str, Any]


class Stale(Refusal):
    """Error: a form shows an older state of the order than the current one: an older revision, or not all commands
    that have no outcome (`commands`: those that it does not show).
    """

    code = "order_changed_meanwhile"
    status = 409

    def __init__(
        self,
        code: str,
        order_id: UUID,
        seen: int,
        revision: int,
        since: Sequence[HistoryEntry],
        commands: Sequence[OpenCommand] = (),
    ) -> None:
        actors = {entry.actor for entry in since if entry.actor} | {one.actor for one in commands}
        people = ", ".join(sorted(actors)) or "the order's own facts"
        super().__init__(
            f"order {code} ({order_id}) is at revision {revision}, the form was made from {seen}; changed since by "
            f"{people}: look at the order again and repeat what still applies"
        )
        self.order_id, self.seen, self.revision, self.since = order_id, seen, revision, tuple(since)
        self.commands = tuple(commands)


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


async def require_seen(
    connection: Connection,
    shop: str,
    order_id: UUID,
    rows: Sequence[Mapping[str, Any]],
    seen: Seen,
    own: Collection[UUID],
) -> None:
    """Check that an order is as a form shows it, before the form's commands (`own`) are stored. `rows`: its code and
    revision with each command about the same matter that has no outcome.

    The order must be locked; a deleted one passes, since the owner of the commands refuses them. Raises Stale.
    """
    unseen = [row for row in rows if row["command_id"] not in {None, *own, *seen.commands}]
    if not rows or (rows[0]["revision"] == seen.revision and not unseen):
        return
    since = await changed_since(connection, shop, order_id, seen.revision)
    commands = await open_commands(connection, unseen)
    raise Stale(rows[0]["code"], order_id, seen.revision, rows[0]["revision"], since, commands)


def rivals_of(types: Iterable[str]) -> list[str]:
    """Return the types of commands that may do the same as one of these."""
    wanted = set(types)
    return sorted({rival for matter in (MONEY, GOODS) if set(matter) & wanted for rival in matter})


async def open_commands(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[OpenCommand]:
    """Return the commands in these rows with their messages."""
    bodies = await read_bodies(connection, [row["command_id"] for row in rows])
    return [
        OpenCommand(
            command_id=row["command_id"],
            type=row["type"],
            actor=row["actor"],
            state=row["state"],
            requested_at=row["requested_at"],
            content=json.loads(bodies.get(row["command_id"], b"{}")),
        )
        for row in rows
    ]


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
