"""Orders that wait for stock, a limited number at a time: a message never loads more of them than `AT_ONCE`
of a shop.

The rest are retried by a timer for each SKU that was raised and still has units, in further transactions, the
oldest first. Until it has reached them, its units are theirs: an order that is younger than those tried finds
none of the SKU, even if there is stock, and waits behind them. So the order of service is the one in which all
would have been tried at once, and the messages in between are not held up.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from contracts.envelope import Envelope
from services.chassis.messaging.unit import Unit
from services.fulfillment.order.order import Age, Key, Order
from services.fulfillment.order.unit import stock_store

AT_ONCE = 500
TIMER = stock_store.BACKORDERS


class Backorders:
    """The waiting orders of one unit, and the SKUs for which others are still to be tried."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._loaded_to: dict[str, Age] = {}
        self._tried_to: dict[tuple[str, str], Age] = {}
        self._with_timer: set[tuple[str, str]] = set()

    async def find(self, skus: Collection[tuple[str, str]], after: Age | None = None) -> set[Key]:
        """Find the oldest orders, of each shop at most `AT_ONCE`, that wait for one of these (shop, SKU)."""
        found = await stock_store.read_orders_missing(self._unit.connection, skus, after, AT_ONCE)
        for shop, ages in found.items():
            if len(ages) == AT_ONCE:
                self._loaded_to[shop] = ages[-1]
        return {(shop, order_id) for shop, ages in found.items() for _, order_id in ages}

    def note(self, tried_to: Mapping[tuple[str, str], Age]) -> None:
        """Record what other units left to timers."""
        self._tried_to.update(tried_to)
        self._with_timer.update(tried_to)

    def are_before(self, order: Order, sku: str) -> bool:
        """Return whether the units of a SKU belong to orders that wait and are older than this one."""
        tried_to = self._tried_to.get((order.shop, sku))
        return tried_to is not None and order.age > tried_to

    def begin(self, shop: str, skus: Iterable[str]) -> None:
        """Begin to try the orders found for these SKUs."""
        for sku in skus:
            if shop in self._loaded_to:
                self._tried_to[shop, sku] = self._loaded_to[shop]
            else:
                self._tried_to.pop((shop, sku), None)

    def end(self, shop: str, sku: str, units: int, cause: Envelope) -> None:
        """Record that they were tried and how many units of a SKU are left, for other orders if there may be any."""
        tried_to = self._tried_to.get((shop, sku))
        if tried_to is not None and units:
            self._unit.set_timer(
                TIMER,
                stock_store.timer_key(shop, sku),
                self._unit.now,
                payload_of(shop, sku, tried_to, cause),
            )
            return
        self._tried_to.pop((shop, sku), None)
        if (shop, sku) in self._with_timer:
            self._unit.cancel_timer(TIMER, stock_store.timer_key(shop, sku))


def payload_of(shop: str, sku: str, tried_to: Age, cause: Envelope) -> dict[str, Any]:
    """Return the timer's payload."""
    placed_at, order_id = tried_to
    after = [placed_at.isoformat(), str(order_id)]
    return {"shop": shop, "sku": sku, "after": after, "cause": cause.headers()}
