"""The orders of one unit, and what is to be written beside them.

Invariant: everything a batch reads is locked and loaded at once (orders, then commands, each in one sequence for every
process) and everything it writes is written at once, one statement a table. A handler works in memory only.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.orders import OrderStateChanged
from services.chassis.messaging.subscribers import (
    SubjectDeleted,
    UnitOfWork,
    Wait,
    order_key,
)
from services.chassis.messaging.unit import Unit
from services.orders.order import rows, store
from services.orders.order.record import Order
from services.orders.order.shop.settings import settings_of
from services.orders.order.unit import edit_store
from services.orders.order.unit.announcing import announcements
from services.orders.order.unit.checkouts import Checkouts
from services.orders.order.unit.edit import Edit
from services.orders.order.unit.edits import Edits
from services.orders.order.unit.needs import OrderNeeds
from services.orders.order.unit.submissions import Intake
from services.orders.order.unit.waiting import Settled, waiting

FIRST_REVISION = 1


class Cause(Protocol):
    """Why something happened: a message that was heard or said, or a deed of a person here (`actions.py`)."""

    @property
    def id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def time(self) -> datetime: ...


class OrderUnit(UnitOfWork[OrderNeeds]):
    """Orders by shop and id, commands by id, the submissions of the batch, and rows to insert."""

    needs = OrderNeeds

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self.orders: dict[store.OrderKey, Order] = {}
        self.commands: dict[UUID, store.Row] = {}
        self.intake = Intake(unit.connection, unit.now)
        self.checkouts = Checkouts(unit)
        self.last_steps: set[Callable[[OrderUnit], Awaitable[None]]] = set()
        self.activity: list[tuple[Any, ...]] = []
        self.state_changes: list[tuple[Any, ...]] = []
        self.ledger_entries: list[tuple[Any, ...]] = []
        self.unmatched_payments: list[tuple[Any, ...]] = []
        self.assigned_payments: list[tuple[Any, ...]] = []
        self.refunds: dict[tuple[str, UUID, UUID], tuple[Any, ...]] = {}
        self.parcels: list[tuple[Any, ...]] = []
        self.shipments: dict[tuple[str, UUID, UUID], tuple[int, tuple[Any, ...]]] = {}
        self.losses: list[tuple[Any, ...]] = []
        self.unpackings: list[tuple[Any, ...]] = []
        self.deliveries: list[tuple[Any, ...]] = []
        self.mails: dict[tuple[str, UUID], tuple[Any, ...]] = {}
        self.outcomes: dict[UUID, tuple[str, str]] = {}
        self.edits = Edits(unit)
        self.deleted: set[store.OrderKey] = set()
        self._changed: dict[store.OrderKey, Order] = {}

    async def load(self, needs: OrderNeeds) -> None:
        """Lock the checkouts, then the orders that the messages name, claim the keys of submissions, lock the
        commands."""
        connection = self.unit.connection
        if needs.checkouts:
            await self.checkouts.load(sorted(needs.checkouts))
        questions = sorted(needs.questions)
        questioned = await edit_store.read_questioned(connection, questions) if questions else set()
        await self.load_orders(sorted(needs.orders | needs.checkouts | questioned))
        if unknown := needs.orders - self.orders.keys():
            self.deleted = await edit_store.read_deleted(connection, sorted(unknown))
        await self._load_shipments(needs)
        if wanted := (needs.changes | questioned) & self.orders.keys():
            await self.edits.load(sorted(wanted))
        if needs.submissions or needs.checkouts:
            await self.intake.load(needs.submissions, needs.checkouts, self.orders)
        if learning := self.intake.learning(needs.submissions) - self.orders.keys():
            await self.load_orders(sorted(learning))
        if needs.commands:
            found = await store.lock_commands(connection, sorted(needs.commands))
            self.commands = {row["command_id"]: row for row in found}

    async def _load_shipments(self, needs: OrderNeeds) -> None:
        """Read the shipments of orders whose carriers may become fewer or others: by a correction, or a dispatch that
        is received after one."""
        late = {
            (shop, order_id)
            for shop, order_id, version in needs.dispatched
            if (order := self.orders.get((shop, order_id))) and version <= order.fulfilment_version
        }
        if corrected := (needs.shipments | late) & self.orders.keys():
            for key in corrected:
                self.orders[key].carried = {}
            for row in await store.read_carried(self.unit.connection, sorted(corrected)):
                carried = self.orders[row["shop"], row["order_id"]].carried
                assert carried is not None
                carried[row["shipment_id"]] = (row["version"], row["carrier"], row["stands"])

    def questioned(self, question_id: UUID | None) -> list[tuple[Order, Edit]]:
        """The open change, with its order, that asked fulfillment by this message; loaded when it is told of."""
        found = self.edits.asked_by(question_id) if question_id else []
        return [(self.orders[key], edit) for key, edit in found]

    def keep_shipment(self, row: tuple[Any, ...], version: int) -> None:
        """A shipment's row as of a version; of several of one batch the highest is written."""
        known = self.shipments.get(row[:3])
        if known is None or known[0] < version:
            self.shipments[row[:3]] = (version, row)

    async def load_checkouts(self, keys: Sequence[store.OrderKey]) -> None:
        """Lock and load checkouts with the orders that show them. Keys come sorted."""
        await self.checkouts.load(keys)
        await self.load_orders(keys)

    async def load_orders(self, keys: Sequence[store.OrderKey]) -> None:
        """Lock and load these orders; unknown ones stay unknown. Keys come sorted, against deadlocks.

        What another book of this unit saved is sent first, so that it is read.
        """
        await self.unit.writes.send()
        if keys:
            connection, owner = self.unit.connection, self.unit.owner
            shops = {shop for shop, _ in keys}
            chosen = {shop: await settings_of.get(connection, owner, shop) for shop in shops}
            for row in await store.lock_orders(connection, keys):
                order = rows.order_of(row)
                order.completes_alone = chosen[order.shop].completes_alone
                self.orders[order.shop, order.id] = order

    def find(self, shop: str, order_id: UUID) -> Order:
        """The order a fact is about. Raises Wait when it is not known (yet), Bygone when it was deleted."""
        order = self.orders.get((shop, order_id))
        if (shop, order_id) in self.deleted:
            raise SubjectDeleted(f"order {order_id} of shop {shop} was deleted")
        if order is None:
            raise Wait(order_key(order_id), "order_unknown")
        return order

    def changed(self, order: Order, cause: Cause, actor: str | None = None) -> None:
        """Something of the order changed that a person can see: its row is written with its next revision, one
        for all that this unit changes, and everything is derived anew. Another state or label is an event and a
        row of history; the first ones are no change, `OrderPlaced` tells them."""
        if (order.shop, order.id) not in self._changed:
            self._changed[order.shop, order.id] = order
            order.revision += 1
        previous, previous_label = order.state, order.label
        if not order.restate():
            return
        assert order.state is not None
        changed = OrderStateChanged(
            shop=order.shop,
            order_id=order.id,
            code=order.code,
            previous=previous,
            state=order.state,
            label=order.label,
            cause=cause.type,
        )
        self.unit.emit(changed, about=order, cause=cause if isinstance(cause, Envelope) else None)
        key = (order.shop, order.id, order.sequence)
        states = (previous, order.state, previous_label, order.label)
        self.state_changes.append((*key, *states, cause.id, cause.type, actor, order.revision))

    def note(
        self,
        shop: str,
        order_id: UUID,
        kind: str,
        item: UUID,
        actor: str,
        cause: Cause,
        data: dict[str, Any],
    ) -> None:
        """Note what happened to an order; `item` is the fact's own id, so that a repeat is the same row."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self.activity.append((shop, order_id, kind, item, cause.time, actor, cause.id, text))

    def _stamped(self) -> list[tuple[Any, ...]]:
        """The activity with the revision it led to: the order's, if this unit changed or placed it."""
        revisions = {key: order.revision for key, order in self._changed.items()}
        revisions |= {row[:2]: FIRST_REVISION for row in self.intake.orders}
        revisions |= {key: self.orders[key].revision for key in self.checkouts.causes if key in self.orders}
        return [(*row, revisions.get(row[:2])) for row in self.activity]

    async def save(self) -> None:
        """Write all of it."""
        connection, now = self.unit.writes, self.unit.now
        self.unit.after_commit(self._announce)
        for take in self.last_steps:
            await take(self)
        await self.checkouts.save(self.orders, connection)
        await self.intake.save(connection)
        await self.edits.save()
        if self._changed:
            await store.update_orders(connection, [rows.row_of(one) for one in self._changed.values()], now)
        if self.state_changes:
            await store.insert_state_changes(connection, self.state_changes, now)
        if self.outcomes:
            await store.settle_commands(
                connection, [(command_id, *outcome) for command_id, outcome in self.outcomes.items()], now
            )
            told = {command_id: Settled(*outcome, now) for command_id, outcome in self.outcomes.items()}
            self.unit.after_commit(lambda: waiting.announce(told))
        for write, found in (
            (store.insert_activity, self._stamped()),
            (store.insert_ledger_entries, self.ledger_entries),
            (store.insert_unmatched_payments, self.unmatched_payments),
            (store.insert_assigned_payments, self.assigned_payments),
            (store.write_refunds, [self.refunds[key] for key in sorted(self.refunds)]),
            (store.insert_parcels, self.parcels),
            (store.insert_unpackings, self.unpackings),
            (store.insert_losses, self.losses),
            (store.insert_shipments, [row for _, row in self.shipments.values()]),
            (store.insert_deliveries, self.deliveries),
            (store.upsert_mails, [self.mails[key] for key in sorted(self.mails)]),
        ):
            if found:
                await write(connection, found)
        await self.edits.save_erasures()

    def _announce(self) -> None:
        announcements.note(self._changed)
        announcements.note([(row[0], row[1]) for row in (*self.intake.orders, *self.activity)])
