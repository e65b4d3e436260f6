"""Unit of work of orders: the orders of one transaction, and the rows to be written with them.

Invariant: everything a batch reads is locked and loaded at once (orders, then commands, each in one order for
all processes) and everything it writes is written at once, one statement per table. A handler works in memory
only.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from contracts.envelope import Envelope
from contracts.orders.lifecycle import OrderState
from services.chassis.messaging.subscribers import SubjectDeleted, UnitOfWork, Wait, order_key
from services.chassis.messaging.unit import Unit
from services.chassis.storage.bulk import Table, write_tables
from services.chassis.storage.writing import Writer
from services.orders.order import history_store, store
from services.orders.order.conversation import thread_store
from services.orders.order.copies import fulfilment_store, mail_store, payment_store
from services.orders.order.record import Order, state_events
from services.orders.order.shop.profile import ProfileRow, write_profiles
from services.orders.order.shop.settings import settings_of
from services.orders.order.unit import measuring
from services.orders.order.unit.announcements import announcements
from services.orders.order.unit.checkouts.checkouts import Checkouts
from services.orders.order.unit.edits import edit_store
from services.orders.order.unit.edits.edit import Edit
from services.orders.order.unit.edits.edits import Edits
from services.orders.order.unit.needs import OrderNeeds
from services.orders.order.unit.submissions.submissions import Intake
from services.orders.order.unit.waiting import Settled, waiting

FIRST_REVISION = 1
R = TypeVar("R")


class Cause(Protocol):
    """Cause of a change: a message received or sent, or a staff action here (`actions.py`)."""

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
        self.activity: list[history_store.ActivityRow] = []
        self.state_changes: list[history_store.StateChangeRow] = []
        self.ledger_entries: list[payment_store.LedgerEntryRow] = []
        self.unmatched_payments: list[payment_store.UnmatchedPaymentRow] = []
        self.assigned_payments: list[payment_store.AssignedPaymentRow] = []
        self.refunds: dict[tuple[str, UUID, UUID], payment_store.RefundRow] = {}
        self.disputes: dict[tuple[str, str, str], payment_store.DisputeRow] = {}
        self.invoices: list[payment_store.InvoiceRow] = []
        self.parcels: list[fulfilment_store.ParcelRow] = []
        self.shipments: dict[tuple[str, UUID, UUID], fulfilment_store.ShipmentRow] = {}
        self.losses: list[fulfilment_store.LossRow] = []
        self.unpackings: list[fulfilment_store.UnpackingRow] = []
        self.deliveries: list[fulfilment_store.DeliveryRow] = []
        self.shop_profiles: dict[str, ProfileRow] = {}
        self.mails: dict[tuple[str, UUID], mail_store.MailRow] = {}
        self.threads: dict[store.OrderKey, thread_store.ThreadRow] = {}
        self.received_mails: dict[tuple[str, UUID], thread_store.ReceivedMailRow] = {}
        self._mail_threads: set[store.OrderKey] = set()
        self.outcomes: dict[UUID, tuple[str, str]] = {}
        self.edits = Edits(unit)
        self.deleted: set[store.OrderKey] = set()
        self._changed: dict[store.OrderKey, Order] = {}
        self._progress: list[measuring.Progress] = []

    async def load(self, needs: OrderNeeds) -> None:
        """Lock the checkouts, then the orders that the messages name, claim the keys of submissions, lock the
        commands.
        """
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
            found = await history_store.lock_commands(connection, sorted(needs.commands))
            self.commands = {row["command_id"]: row for row in found}

    async def _load_shipments(self, needs: OrderNeeds) -> None:
        """Read the shipments of orders whose carriers may change: by a correction, or by a dispatch that is
        received after one.
        """
        late = {
            (shop, order_id)
            for shop, order_id, version in needs.dispatched
            if (order := self.orders.get((shop, order_id))) and version <= order.fulfilment_version
        }
        if corrected := (needs.shipments | late) & self.orders.keys():
            for key in corrected:
                self.orders[key].carried = {}
            for row in await fulfilment_store.read_carried(self.unit.connection, sorted(corrected)):
                carried = self.orders[row["shop"], row["order_id"]].carried
                assert carried is not None
                carried[row["shipment_id"]] = (row["version"], row["carrier"], row["stands"])

    def questioned(self, question_id: UUID | None) -> list[tuple[Order, Edit]]:
        """Return the open change, with its order, whose question to fulfillment is this message; loaded with
        the messages about it.
        """
        found = self.edits.asked_by(question_id) if question_id else []
        return [(self.orders[key], edit) for key, edit in found]

    def keep_shipment(self, row: fulfilment_store.ShipmentRow) -> None:
        """Write a shipment's row; of several versions in one batch, the highest."""
        key = (row.shop, row.order_id, row.shipment_id)
        known = self.shipments.get(key)
        if known is None or known.version < row.version:
            self.shipments[key] = row

    async def load_checkouts(self, keys: Sequence[store.OrderKey]) -> None:
        """Lock and load checkouts with the orders that show them. Keys must be sorted."""
        await self.checkouts.load(keys)
        await self.load_orders(keys)

    async def load_orders(self, keys: Sequence[store.OrderKey]) -> None:
        """Lock and load these orders; unknown ones are missing. Keys must be sorted, to avoid deadlocks.

        Rows saved by another unit of work in this transaction are sent first, so that they are read.
        """
        await self.unit.writes.send()
        if keys:
            connection, owner = self.unit.connection, self.unit.owner
            shops = {shop for shop, _ in keys}
            chosen = {shop: await settings_of.get(connection, owner, shop) for shop in shops}
            for order in await store.lock_orders(connection, keys):
                order.completes_alone = chosen[order.shop].completes_alone
                self.orders[order.shop, order.id] = order

    def find(self, shop: str, order_id: UUID) -> Order:
        """Return the order that a fact is about.

        Raises Wait when it is not known (yet), Bygone when it was deleted.
        """
        order = self.orders.get((shop, order_id))
        if (shop, order_id) in self.deleted:
            raise SubjectDeleted(f"order {order_id} of shop {shop} was deleted")
        if order is None:
            raise Wait(order_key(order_id), "order_unknown")
        return order

    def changed(self, order: Order, cause: Cause, actor: str | None = None) -> None:
        """Mark a change of the order that people can see.

        Its row is written with its next revision, one for all changes of this unit, and everything is derived
        again. Another state or label is an event and a row of history; the first ones are not a change, they are
        in `OrderPlaced`.
        """
        if (order.shop, order.id) not in self._changed:
            self._changed[order.shop, order.id] = order
            self._progress.append(measuring.progress_of(order))
            order.revision = self.unit.restored.next_version(order.revision)
        previous, previous_label = order.state, order.label
        if not order.restate():
            return
        for message in state_events(order, previous, cause.type):
            self.unit.emit(message, about=order, cause=cause if isinstance(cause, Envelope) else None)
        self.note_state_change(order, previous, previous_label, cause, actor)

    def note_state_change(
        self, order: Order, previous: OrderState | None, previous_label: str, cause: Cause, actor: str | None
    ) -> None:
        """Add a row of history when the order's state or label differs from the previous one."""
        assert order.state is not None
        row = history_store.StateChangeRow(
            shop=order.shop,
            order_id=order.id,
            sequence=order.sequence,
            previous_state=previous,
            state=order.state,
            previous_label=previous_label,
            label=order.label,
            cause_id=cause.id,
            cause_type=cause.type,
            actor=actor,
            revision=order.revision,
        )
        self.state_changes.append(row)

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
        """Record an activity of an order; `item` is the fact's own id, so that a repeat is the same row."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        row = history_store.ActivityRow(
            shop=shop,
            order_id=order_id,
            kind=kind,
            item=item,
            happened_at=cause.time,
            actor=actor,
            cause_id=cause.id,
            data=text,
            revision=None,
        )
        self.activity.append(row)

    def _stamped(self) -> list[history_store.ActivityRow]:
        """Return the activity with the revision it led to: the order's, if this unit changed or placed it."""
        revisions = {key: order.revision for key, order in self._changed.items()}
        revisions |= {(row.shop, row.order_id): FIRST_REVISION for row in self.intake.orders}
        revisions |= {key: self.orders[key].revision for key in self.checkouts.causes if key in self.orders}
        return [row._replace(revision=revisions.get((row.shop, row.order_id))) for row in self.activity]

    async def save(self) -> None:
        """Write all changes."""
        connection, now = self.unit.writes, self.unit.now
        self.unit.after_commit(self._announce)
        for take in self.last_steps:
            await take(self)
        await self.checkouts.save(self.orders, connection)
        await self.intake.save(connection)
        await self.edits.save()
        if self._changed:
            await store.update_orders(connection, self._changed.values(), now)
        await history_store.insert_state_changes(connection, self.state_changes, now)
        if self.outcomes:
            settled = [history_store.OutcomeRow(one, *outcome) for one, outcome in self.outcomes.items()]
            await history_store.settle_commands(connection, settled, now)
            outcomes = {command_id: Settled(*outcome, now) for command_id, outcome in self.outcomes.items()}
            self.unit.after_commit(lambda: waiting.announce(outcomes))
        await history_store.insert_activity(connection, self._stamped())
        await self._save_copies(connection)
        await self.edits.save_erasures()

    async def _save_copies(self, connection: Writer) -> None:
        """Write the copies of other services' data."""
        await write_tables(
            connection,
            Table(payment_store.insert_ledger_entries, self.ledger_entries),
            Table(payment_store.insert_unmatched_payments, self.unmatched_payments),
            Table(payment_store.insert_assigned_payments, self.assigned_payments),
            Table(payment_store.write_refunds, _in_order(self.refunds)),
            Table(payment_store.write_disputes, _in_order(self.disputes)),
            Table(payment_store.insert_invoices, self.invoices),
            Table(fulfilment_store.insert_parcels, self.parcels),
            Table(fulfilment_store.insert_unpackings, self.unpackings),
            Table(fulfilment_store.insert_losses, self.losses),
            Table(fulfilment_store.insert_shipments, list(self.shipments.values())),
            Table(fulfilment_store.insert_deliveries, self.deliveries),
            Table(write_profiles, _in_order(self.shop_profiles)),
            Table(mail_store.upsert_mails, _in_order(self.mails)),
            Table(thread_store.write_threads, _in_order(self.threads)),
        )
        if received := _in_order(self.received_mails):
            self._mail_threads = await thread_store.threads_of(self.unit.connection, received)
            await thread_store.write_received(connection, received)

    def _announce(self) -> None:
        measuring.count_states(self.intake.orders, self.state_changes)
        measuring.observe_waits(self._progress, self.unit.now)
        announcements.note(self._changed)
        announcements.note(
            [(row.shop, row.order_id) for several in (self.intake.orders, self.activity) for row in several]
        )
        announcements.note([*self.threads, *self.received_mails, *self._mail_threads])


def _in_order(rows: Mapping[Any, R]) -> list[R]:
    """Return the rows in the order of their keys, in which every process locks them."""
    return [rows[key] for key in sorted(rows)]
