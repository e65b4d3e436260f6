"""Random lives of orders end in the same tables and answers, one by one or in one batch."""

import random
from typing import Any
from uuid import UUID

from contracts.fulfillment.stock import StockLevelChanged
from contracts.message import Message
from contracts.orders.changes import ChangeCause
from contracts.orders.lifecycle import OrderPlaced
from services.chassis.testing import Desk
from tests.builders import shipments
from tests.builders.envelopes import answers, deliver, enveloped
from tests.builders.orders import deleted
from tests.conftest import Desks
from tests.fulfillment import builders
from tests.fulfillment.builders import a_shop, adjustment, goods, placed, stock_at, ticket
from tests.fulfillment.changes.test_returning import refunded
from tests.fulfillment.counting import assert_counts_agree

SEEDS = range(40)
TABLES = (
    """SELECT line, ordered, cancelled, packed, shipped, delivered, lost, returned FROM order_line WHERE shop = $1
       ORDER BY order_id, line""",
    "SELECT sku, location, on_hand, reserved FROM stock_level WHERE shop = $1 ORDER BY sku, location",
    """SELECT line, location, taken, shipped, released FROM reservation WHERE shop = $1
       ORDER BY order_id, line, location""",
    """SELECT order_id, parcel_id, unpacked_at IS NULL, lost_at IS NULL FROM parcel WHERE shop = $1
       ORDER BY order_id, parcel_id""",
    """SELECT order_id, shipment_id, version, tracking_number, cancelled_at IS NULL FROM shipment WHERE shop = $1
       ORDER BY order_id, shipment_id""",
)


class Story:
    """What happens in one shop: orders, and what is done with them."""

    def __init__(self, seed: int) -> None:
        self.shop = a_shop()
        self._chance = random.Random(seed)
        self._orders: list[OrderPlaced] = []
        self._parcels: list[tuple[OrderPlaced, UUID]] = []
        self._shipments: list[tuple[OrderPlaced, UUID]] = []
        first = [(sku, place, self._number(0, 8)) for sku in "AB" for place in ("main", "back")]
        self.messages: list[Message] = [stock_at(self.shop, *first)]
        for _ in range(self._number(6, 26)):
            self.messages.append(self._next())

    def _number(self, least: int, most: int) -> int:
        return self._chance.randint(least, most)

    def _units(self, order: OrderPlaced) -> dict[int, int]:
        lines = range(1, len(order.lines) + 1)
        return {line: self._number(1, 3) for line in self._chance.sample(lines, self._number(1, len(lines)))}

    def _next(self) -> Message:
        kind = self._chance.random()
        if kind < 0.2 or not self._orders:
            return self._place()
        order = self._chance.choice(self._orders)
        if kind < 0.4:
            parcel = shipments.pack(order, self._units(order))
            self._parcels.append((order, parcel.parcel_id))
            return parcel
        if kind < 0.64 and self._parcels:
            return self._of_a_parcel(kind)
        if kind < 0.74 and self._shipments:
            act = self._chance.choice([shipments.deliver, shipments.correct, shipments.call_off])
            return act(*self._chance.choice(self._shipments))
        if kind < 0.9:
            return self._change(order, kind)
        return self._of_the_stock(order, kind)

    def _place(self) -> OrderPlaced:
        lines = [goods(sku, self._number(1, 4)) for sku in self._chance.sample("AB", self._number(1, 2))]
        if self._chance.random() < 0.3:
            lines.append(ticket(2))
        order = placed(self.shop, *lines)
        self._orders.append(order)
        return order

    def _of_a_parcel(self, kind: float) -> Message:
        order, parcel_id = self._chance.choice(self._parcels)
        if kind < 0.46:
            return shipments.unpack(order, parcel_id)
        if kind < 0.5:
            return shipments.lose(order, parcel_id)
        shipment = shipments.dispatch(order, [parcel_id])
        self._shipments.append((order, shipment.shipment_id))
        return shipment

    def _change(self, order: OrderPlaced, kind: float) -> Message:
        if kind < 0.8:
            cause = self._chance.choice([ChangeCause.CANCELLED, ChangeCause.EDITED])
            return builders.reduce(order, self._units(order), cause=cause)
        if kind < 0.85:
            back: Message = refunded(order, self._units(order), 1)
            return back
        line = self._chance.choice(order.lines)
        wanted = {line.line: (line.kind, line.sku, self._number(1, 2))}
        return builders.add(order, wanted, all_or_nothing=self._chance.random() < 0.3)

    def _of_the_stock(self, order: OrderPlaced, kind: float) -> Message:
        sku = self._chance.choice("AB")
        if kind < 0.94:
            return adjustment(self.shop, sku, self._chance.choice([-3, -1, 1, 2, 5]))
        if kind < 0.97:
            return stock_at(self.shop, (sku, self._chance.choice(["main", "back"]), self._number(0, 9)))
        return deleted(order)


async def _tables(desk: Desk, shop: str) -> list[list[tuple[Any, ...]]]:
    return [[tuple(row) for row in await desk.fetch(query, shop)] for query in TABLES]


async def test_a_batch_is_as_one_by_one(desks: Desks) -> None:
    one, other = await desks("fulfillment"), await desks("fulfillment")
    different = []
    for seed in SEEDS:
        story = Story(seed)
        batch = enveloped("fulfillment", story.messages)
        alone = answers(await deliver(one, batch, together=False), but=(StockLevelChanged,))
        together = answers(await deliver(other, batch, together=True), but=(StockLevelChanged,))
        if alone != together or await _tables(one, story.shop) != await _tables(other, story.shop):
            different.append(seed)
    await assert_counts_agree(other)
    assert different == []
