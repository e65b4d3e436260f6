"""Held recaps of one unit of work: locked and loaded together, begun and ended, written back together."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.invoices import InvoicingChanged
from services.chassis.messaging.unit import Unit
from services.notifier.mails.holding import store
from services.notifier.mails.holding.hold import WAIT, Hold, mails_at_placement, waits
from services.notifier.mails.holding.store import InvoicingRow, OrderKey

TIMER = "held_recap"


class Holds:
    """The recaps that the unit's messages hold, and those that they let go."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._invoiced: dict[str, datetime | None] = {}
        self._known: dict[OrderKey, Hold] = {}
        self._new: dict[OrderKey, Hold] = {}
        self._ended: dict[OrderKey, Hold] = {}
        self._invoicing: dict[str, InvoicingRow] = {}

    async def load(self, keys: Collection[OrderKey], shops: Collection[str]) -> None:
        """Lock the holds of these orders, and load how these shops invoice."""
        if keys:
            found = await store.lock_holds(self._unit.connection, keys)
            self._known = {(one.shop, one.order_id): one for one in found}
        if shops:
            self._invoiced = await store.read_invoiced(self._unit.connection, shops)

    def of(self, shop: str, order_id: UUID) -> Hold | None:
        """Return the hold of an order's recap, also of one that went."""
        return self._known.get((shop, order_id))

    def begin(self, order: OrderPlaced, cause_id: UUID) -> bool:
        """Hold an order's recap if it waits; return whether it does. None does in a replay."""
        if not self._unit.has_effects or not waits(order, self._invoiced):
            return False
        key = order.shop, order.order_id
        self._known[key] = self._new[key] = Hold(*key, cause_id)
        payload = {"shop": order.shop, "order_id": str(order.order_id)}
        self._unit.set_timer(TIMER, timer_key(*key), self._unit.now + WAIT, payload)
        return True

    def end(self, hold: Hold, invoice_id: UUID | None) -> None:
        """Let a recap go, with this invoice or without one."""
        key = hold.shop, hold.order_id
        self._known[key] = self._ended[key] = replace(hold, is_open=False, invoice_id=invoice_id)
        self._unit.cancel_timer(TIMER, timer_key(*key))

    def invoicing_changed(self, changed: InvoicingChanged, stated_at: datetime) -> None:
        """Record how a shop invoices; of several events the highest version counts, then the latest."""
        row = InvoicingRow(
            changed.shop, changed.version, mails_at_placement(changed), changed.since, stated_at
        )
        known = self._invoicing.get(changed.shop)
        if known is None or (known.version, known.stated_at) < (row.version, row.stated_at):
            self._invoicing[changed.shop] = row

    async def save(self) -> None:
        """Write the holds that began and ended, and how shops invoice."""
        writes = self._unit.writes
        if self._invoicing:
            await store.write_invoicing(writes, list(self._invoicing.values()))
        if self._new:
            await store.insert_holds(writes, list(self._new.values()))
        if self._ended:
            await writes.send()  # a row that is new in this unit is there before it is updated
            await store.end_holds(writes, list(self._ended.values()))


def timer_key(shop: str, order_id: UUID) -> str:
    """Return the key of the timer that lets a recap go alone."""
    return f"{shop}/{order_id}"
