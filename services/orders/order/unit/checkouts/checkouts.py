"""Checkouts of one unit of work: locked and read at once, folded in memory, written back at once.

Invariant: every writer of a checkout holds its lock, whether the checkout is known or not; so a payment
received by one process and the opening received by another cannot each miss the other's write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.storefront import CheckoutOpened
from services.chassis.messaging.unit import Unit
from services.chassis.storage.writing import Writer
from services.orders.order.record import Order
from services.orders.order.state import Stage
from services.orders.order.store import OrderKey, Row
from services.orders.order.unit.checkouts import checkout_store
from services.orders.order.unit.checkouts.checkout import Checkout

TIMER = "checkout"


class Cause(Protocol):
    """Cause of a checkout's change."""

    @property
    def id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def time(self) -> datetime: ...


class Checkouts:
    """Checkouts by (shop, id), the changed ones with their causes, and the orders that show them."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known: dict[OrderKey, Checkout] = {}
        self._before: dict[OrderKey, Checkout] = {}
        self.causes: dict[OrderKey, Cause] = {}
        self._orders: list[checkout_store.CheckoutOrderRow] = []
        self._relined: set[OrderKey] = set()

    async def load(self, keys: Sequence[OrderKey]) -> None:
        """Lock these checkouts and read their recorded facts. Keys must be sorted."""
        await checkout_store.lock_checkouts(self._unit.connection, keys)
        for row in await checkout_store.read_checkouts(self._unit.connection, keys):
            checkout = _checkout_of(row)
            self._known[checkout.shop, checkout.id] = checkout

    def find(self, key: OrderKey) -> Checkout:
        """Return a locked checkout; an unknown one is empty."""
        return self._known.setdefault(key, Checkout(*key))

    def touch(self, key: OrderKey, cause: Cause) -> Checkout:
        """Return a checkout to be changed, and mark it for writing."""
        self.causes[key] = cause
        self._before.setdefault(key, replace(self.find(key)))
        return self.find(key)

    def before(self, checkout: Checkout) -> Checkout:
        """Return the state of a touched checkout at the start of this unit."""
        return self._before[checkout.shop, checkout.id]

    @property
    def touched(self) -> list[Checkout]:
        """Return the changed checkouts, in one order for all processes."""
        return [self._known[key] for key in sorted(self.causes)]

    def show(self, order: Order, opened: CheckoutOpened) -> None:
        """Write the order that shows a checkout as last opened."""
        self._orders.append(checkout_store.checkout_row(opened, order))

    def replace_lines(self, key: OrderKey) -> None:
        """Mark the lines that this order had as a checkout for deletion; new ones are inserted."""
        self._relined.add(key)

    async def save(self, orders: Mapping[OrderKey, Order], writes: Writer) -> None:
        """Write the checkouts and the orders that show them."""
        for key in self.causes:
            if key in orders and orders[key].stage is Stage.PLACED:
                self._known[key].settle_as_placed()
                self._unit.cancel_timer(TIMER, timer_key(key))
        if self.causes:
            await checkout_store.write_checkouts(writes, [_row_of(one) for one in self.touched])
        if self._orders:
            await checkout_store.write_orders(writes, self._orders, self._unit.now)
        if self._relined:
            await checkout_store.delete_lines(self._unit.connection, sorted(self._relined))


def timer_key(key: OrderKey) -> str:
    """Return the key of a checkout's timer."""
    return f"{key[0]}/{key[1]}"


def _checkout_of(row: Row) -> Checkout:
    return Checkout(
        shop=row["shop"],
        id=row["checkout_id"],
        module=row["module"],
        opened_at=row["opened_at"],
        snapshot_id=row["snapshot_id"],
        snapshot=row["body"],
        dropped_at=row["dropped_at"],
        timed_out_at=row["timed_out_at"],
        paid_at=row["paid_at"],
    )


def _row_of(checkout: Checkout) -> checkout_store.CheckoutRow:
    return checkout_store.CheckoutRow(
        shop=checkout.shop,
        checkout_id=checkout.id,
        module=checkout.module,
        opened_at=checkout.opened_at,
        snapshot_id=checkout.snapshot_id,
        body=checkout.snapshot,
        dropped_at=checkout.dropped_at,
        timed_out_at=checkout.timed_out_at,
        paid_at=checkout.paid_at,
    )
