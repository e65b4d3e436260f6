"""Request of an erasure: the customer of an order, the orders that are erased with it, and its beginning.

A customer is known by the mail address, without regard to case; without one, by the order alone, since names
and telephone numbers are shared. Orders with open goods, money or disputes need the data: they are erased
only on express request.
"""

from collections.abc import Sequence
from uuid import UUID

from contracts.envelope import uuid7
from contracts.orders.erasure import MOST_ORDERS, CustomerErased
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.orders.order.erasure import store
from services.orders.order.erasure.store import CustomerOrder
from services.orders.order.short_code import read_code

find_orders = store.orders_of_customer
find_order = store.order_of_code
erasure_of = store.erasure_of_order
list_erasures = store.list_erasures
read_erasure = store.read_erasure
read_reports = store.read_reports


class NothingToErase(Exception):
    """All orders of the customer are erased already."""

    def __init__(self) -> None:
        super().__init__("nothing to erase: every order of this customer was erased before")


class OrdersRunning(Exception):
    """Orders of the customer are still running, and their erasure was not expressly requested."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(
            f"{len(codes)} order(s) still running: {', '.join(codes[:10])}; finish or cancel them, "
            "or erase them expressly"
        )
        self.codes = codes


async def find_named(connection: Connection, shop: str, name: str) -> tuple[UUID | None, str]:
    """Return the id and the code of the order with this code; no id when there is none."""
    code = read_code(name) or ""
    return await store.order_of_code(connection, shop, code), code


def running(orders: Sequence[CustomerOrder]) -> list[str]:
    """Return the codes of the orders that are still running."""
    return [one.code for one in orders if one.is_running]


async def request(
    unit: Unit, shop: str, order_id: UUID, actor: str, reason: str, *, with_running: bool = False
) -> list[UUID]:
    """Begin the erasure of an order's customer; return its id. Raises NothingToErase, OrdersRunning.

    A customer with more orders than one erasure may have gets several, each with a proof of its own.
    """
    connection = unit.connection
    found = await _locked(connection, shop, order_id)
    if not found:
        raise NothingToErase
    if (codes := running(found)) and not with_running:
        raise OrdersRunning(codes)
    parts = [found[at : at + MOST_ORDERS] for at in range(0, len(found), MOST_ORDERS)]
    return [await _begin(unit, shop, part, actor, reason) for part in parts]


async def _begin(unit: Unit, shop: str, orders: Sequence[CustomerOrder], actor: str, reason: str) -> UUID:
    """Begin one erasure; return its id."""
    erasure_id, ids, had_running = uuid7(), [one.order_id for one in orders], bool(running(orders))
    await store.insert_erasure(
        unit.connection, (erasure_id, shop, actor, reason, len(ids), had_running, unit.now)
    )
    erasing.plan(unit, erasure_id, shop, ids)
    unit.emit(CustomerErased(erasure_id=erasure_id, shop=shop, order_ids=ids), subject=erasure_id)
    return erasure_id


async def _locked(connection: Connection, shop: str, order_id: UUID) -> list[CustomerOrder]:
    first = await store.orders_of_customer(connection, shop, order_id)
    await store.lock_orders(connection, shop, sorted(one.order_id for one in first))
    return await store.orders_of_customer(connection, shop, order_id)
