"""The data of an order's page: all of orders' data about it, its history, its shop's labels and carriers.

A POST reads `facts.py` instead, unless it shows the page again; one that shows effects on money or goods reads
the order's document besides.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.notifier.conversation import ThreadState
from services.chassis.storage.database import Connection
from services.orders.api.actions import store as api_store
from services.orders.api.order_document import show
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation.store import read_thread
from services.orders.backoffice.order import store as order_store
from services.orders.backoffice.order.facts import gone, order_named
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.listing.documents import OrderResponse
from services.orders.order.history import (
    GOODS,
    MONEY,
    WITHOUT_OUTCOME,
    HistoryEntry,
    OpenCommand,
    history,
    open_commands,
)
from services.orders.order.shop.settings import ShopSettings, settings_of
from services.orders.staff import tagging
from services.orders.staff.labels import Labels, labels_of
from services.orders.staff.tagging import Tag


@dataclass(frozen=True)
class OrderRead:
    """An order with all its data. `browser` and `ip_address` are set only for users who may see them."""

    shown: OrderResponse
    history: Sequence[HistoryEntry]
    labels: Labels
    settings: ShopSettings
    tags: Sequence[Tag]
    ip_address: str | None
    browser: str | None
    invoices: Sequence[Mapping[str, Any]] = ()
    is_awaiting_answer: bool = False
    """Whether its conversation waits for the staff."""
    open_commands: Sequence[OpenCommand] = ()

    @property
    def id(self) -> UUID:
        return self.shown.order_id

    @property
    def open_money(self) -> list[OpenCommand]:
        """Return the commands about its money that have no outcome yet."""
        return [one for one in self.open_commands if one.type in MONEY]

    @property
    def open_goods(self) -> list[OpenCommand]:
        """Return the commands about its parcels and shipments that have no outcome yet."""
        return [one for one in self.open_commands if one.type in GOODS]


async def read_order(context: PageContext, name: str | None = None) -> OrderRead:
    """Return the order named by `name`, or else by the path, by code or id. Raises Missing."""
    order_id, code = order_named(context.path("order") if name is None else name)
    async with context.reading() as connection:
        row = await api_store.read_order_whole(connection, context.shop, order_id, code)
        if row is None:
            raise await gone(connection, context.shop, order_id, code)
        labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
        shown = show(row, labels)
        customer = _customer(row) if context.may(Permission.ORDERS_PERSONAL) else {}
        return OrderRead(
            shown=shown,
            history=await history(connection, context.shop, shown.order_id),
            labels=labels,
            settings=await settings_of.get(connection, context.app_state.hub.owner, context.shop),
            tags=await tagging.tags_of_shop(connection, context.shop),
            ip_address=customer.get("ip_address"),
            browser=customer.get("browser"),
            invoices=await order_store.read_invoices(connection, context.shop, shown.order_id),
            is_awaiting_answer=await _is_awaiting_answer(connection, context.shop, shown.order_id),
            open_commands=await open_commands(connection, _without_outcome(shown)),
        )


async def read_open_money(context: PageContext, order: OrderResponse) -> list[OpenCommand]:
    """Return the commands about the order's money that have no outcome in this document."""
    rows = [row for row in _without_outcome(order) if row["type"] in MONEY]
    async with context.reading() as connection:
        return await open_commands(connection, rows)


def _without_outcome(order: OrderResponse) -> list[dict[str, Any]]:
    return [dict(one) for one in order.commands if one.state in WITHOUT_OUTCOME]


async def _is_awaiting_answer(connection: Connection, shop: str, order_id: UUID) -> bool:
    thread = await read_thread(connection, shop, order_id)
    return thread is not None and (thread["state"] == ThreadState.WAITING_STAFF or thread["unread"] > 0)


async def read_document(context: PageContext, order_id: UUID) -> OrderResponse:
    """Return an order's document, without the further data of its page. Raises Missing."""
    async with context.reading() as connection:
        row = await api_store.read_order_whole(connection, context.shop, order_id, None)
        labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
    if row is None:
        raise Missing
    return show(row, labels)


def _customer(row: Mapping[str, Any]) -> dict[str, Any]:
    customer: dict[str, Any] = json.loads(row["submission"] or "{}").get("customer") or {}
    return customer
