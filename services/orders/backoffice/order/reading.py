"""One order as its page needs it: all of orders' data about it, its history, its shop's labels and carriers.

Invariant: a form made from an older revision of the order sends nothing, unless that very form was sent
before: a double click gets the same answer, and two users do not undo each other's work unseen.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.api.actions import store as api_store
from services.orders.api.order_document import show
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.order import store
from services.orders.backoffice.web.actions.commanding import key_of
from services.orders.backoffice.web.visit import Deleted, Missing, PageContext
from services.orders.listing.documents import OrderResponse
from services.orders.order.history import HistoryEntry, Stale, changed_since, history
from services.orders.order.requests import OrderFacts
from services.orders.order.shop.settings import ShopSettings, settings_of
from services.orders.order.short_code import read_code
from services.orders.staff import tagging
from services.orders.staff.labels import Labels, labels_of
from services.orders.staff.tagging import Tag


@dataclass(frozen=True)
class OrderRead:
    """An order with everything about it. `browser` and `ip_address` only for users who may see them."""

    shown: OrderResponse
    history: Sequence[HistoryEntry]
    labels: Labels
    settings: ShopSettings
    tags: Sequence[Tag]
    ip_address: str | None
    browser: str | None

    @property
    def id(self) -> UUID:
        return self.shown.order_id

    @property
    def facts(self) -> OrderFacts:
        """Return the facts that commands about it are made with."""
        lines = frozenset(line.line for line in self.shown.lines)
        return OrderFacts(self.shop, self.id, self.shown.code, self.shown.currency, lines)

    shop: str = ""


async def read_order(context: PageContext, name: str | None = None) -> OrderRead:
    """Return the order named by `name`, or else by the path, by code or id. Raises Missing."""
    order_id, code = _named(context.path("order") if name is None else name)
    async with context.reading() as connection:
        row = await api_store.read_order_whole(connection, context.shop, order_id, code)
        if row is None:
            raise await _gone(connection, context.shop, order_id, code)
        labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
        shown = show(row, labels)
        told = _customer(row) if context.may(Permission.ORDERS_PERSONAL) else {}
        return OrderRead(
            shown=shown,
            history=await history(connection, context.shop, shown.order_id),
            labels=labels,
            settings=await settings_of.get(connection, context.app_state.hub.owner, context.shop),
            tags=await tagging.tags_of_shop(connection, context.shop),
            ip_address=told.get("ip_address"),
            browser=told.get("browser"),
            shop=context.shop,
        )


async def require_fresh(context: PageContext, order: OrderRead, form: Form) -> None:
    """Check that a form about to become a command shows the order's current state. Raises Stale, Invalid."""
    seen = form.revision
    if seen is None or seen == order.shown.revision:
        return
    async with context.reading() as connection:
        if await api_store.was_sent(connection, context.shop, key_of(form)):
            return
        since = await _since(connection, order, seen)
    raise Stale(order.shown.code, order.id, seen, order.shown.revision, since)


async def already_sent(context: PageContext, form: Form) -> bool:
    """Return whether this form has become a command: its repeat gets the same answer, whatever the order's
    state.
    """
    async with context.reading() as connection:
        return form.key is not None and await api_store.was_sent(connection, context.shop, key_of(form))


async def _since(connection: Connection, order: OrderRead, seen: int) -> list[HistoryEntry]:
    return await changed_since(connection, order.shop, order.id, seen)


async def _gone(connection: Connection, shop: str, order_id: UUID | None, code: str | None) -> Missing:
    """Return why there is no such order: it was deleted, or never existed."""
    found = await store.read_deleted(connection, shop, order_id, code)
    return Missing() if found is None else Deleted(found["code"], found["deleted_at"])


def _named(name: str) -> tuple[UUID | None, str | None]:
    try:
        return UUID(name), None
    except ValueError:
        code = read_code(name)
    if code is None:
        raise Missing
    return None, code


def _customer(row: Mapping[str, Any]) -> dict[str, Any]:
    customer: dict[str, Any] = json.loads(row["submission"] or "{}").get("customer") or {}
    return customer
