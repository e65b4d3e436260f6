"""The back office with the real fulfillment service behind it: read over HTTP, commanded through its own pipeline.

Only the broker is left out: `do` carries a message to fulfillment and what it says back to orders.
"""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from contracts.catalogue import CATALOGUE
from contracts.envelope import Envelope
from contracts.fulfillment.stock import SetStock, StockLevel
from contracts.message import Message
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import BalanceChanged, Position
from contracts.storefront import OrderSubmitted
from deploy.local.ports import free_ports
from services.chassis.testing import Desk
from services.fulfillment.api.app import build_app
from tests.backoffice.browser import Backoffice, Shown
from tests.builders.shipments import pack
from tests.orders.rest_client import patiently, place, sent
from tests.serving import serving


class Warehouse:
    """Orders with its back office, and fulfillment with its HTTP."""

    def __init__(self, backoffice: Backoffice, shelves: Desk) -> None:
        self.backoffice, self.shelves = backoffice, shelves

    async def count(self, *levels: tuple[str, str, int]) -> None:
        """What a count found: SKU, location, units."""
        counted = [StockLevel(sku=sku, location=place, on_hand=units) for sku, place, units in levels]
        await self.do(SetStock(shop="maison", levels=counted, actor="api:erp"))

    async def order(self, sold: OrderSubmitted) -> OrderPlaced:
        """A sale that is placed and paid, so that it may be prepared."""
        order = await place(self.backoffice.desk, sold)
        await self.do(order)
        due = order.totals.total_minor
        paid = Position(version=2, currency="EUR", due_minor=due, received_minor=due, balance_minor=0)
        await self.backoffice.desk.deliver(
            BalanceChanged(shop=order.shop, order_id=order.order_id, code=order.code, position=paid)
        )
        return order

    async def pack(self, order: OrderPlaced, parcel_id: Any, units: dict[int, int]) -> None:
        """A parcel of these units by line."""
        await self.do(pack(order, units, parcel_id))

    async def do(self, message: Message, **more: Any) -> None:
        """Have fulfillment hear a message, and orders what fulfillment says about it."""
        for envelope, events in (await self.shelves.deliver(message, **more)).emitted:
            if _receive(envelope):
                await self.backoffice.desk.deliver(events, envelope=envelope)

    async def carry_out(self, request: Coroutine[Any, Any, Shown]) -> Shown:
        """Send a form, have fulfillment do what it asks, and give the page that comes then."""
        before = await self.backoffice.desk.fetchval("select count(*) from command")
        waiting = patiently(request)
        command_id, command = (await sent(self.backoffice.desk, before + 1))[-1]
        await self.do(command, id=command_id)
        return await waiting


def _receive(envelope: Envelope) -> bool:
    return "orders" in CATALOGUE[envelope.type].listeners


PATIENCE_SECONDS = 30.0
"""Both sides share one busy loop here: an answer that takes its time is no absence."""


@asynccontextmanager
async def a_warehouse(backoffices: Any, desks: Any) -> AsyncIterator[Warehouse]:
    """A back office that reads from a fulfillment service of its own."""
    (port,) = free_ports(1)
    shelves = await desks("fulfillment")
    backoffice = await backoffices(fulfillment_url=f"http://127.0.0.1:{port}")
    backoffice.app_state.clients.seconds = PATIENCE_SECONDS
    async with serving(build_app(shelves.hub), port):
        yield Warehouse(backoffice, shelves)
