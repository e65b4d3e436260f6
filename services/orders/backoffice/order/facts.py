"""The facts of an order that the commands of its forms are made from, and the address that a POST leads to.

A POST reads these facts, not the whole page.

Invariant: a form made from an older revision of the order sends nothing, unless the same form was sent before: a
double click gets the same answer, and two users cannot silently overwrite each other's work. It is checked here before
anything else, and again when the commands are stored, with those that have no outcome yet (`carry_out_as_seen`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.backoffice.order import store, words
from services.orders.backoffice.order.form_requests import Shipment, Shipping, id_typed, incomplete
from services.orders.backoffice.web.actions.action import key_of, was_sent
from services.orders.backoffice.web.page_context import Deleted, Missing, PageContext
from services.orders.backoffice.web.security import is_local_path
from services.orders.order.history import Stale, changed_since
from services.orders.order.requests import OrderFacts
from services.orders.order.shipment_days import read_days
from services.orders.order.shop.settings import settings_of
from services.orders.order.short_code import read_code


@dataclass(frozen=True, slots=True)
class FormFacts:
    """The facts of an order that its forms need; `balance_minor` in minor units, `payment_method` as the customer
    chose.
    """

    facts: OrderFacts
    revision: int
    payment_method: str | None
    balance_minor: int

    @property
    def id(self) -> UUID:
        """Return the order's id."""
        return self.facts.order_id

    @property
    def code(self) -> str:
        """Return the order's code."""
        return self.facts.code


async def read_facts(context: PageContext) -> FormFacts:
    """Return the facts of the order in the path, and record it in the audit. Raises Missing."""
    context.field_labels = {**words.FIELD_LABELS, **context.field_labels}
    order_id, code = order_named(context.path("order"))
    async with context.reading() as connection:
        row = await store.read_facts(connection, context.shop, order_id, code)
        if row is None:
            raise await gone(connection, context.shop, order_id, code)
    facts = OrderFacts(context.shop, row["order_id"], row["code"], row["currency"], frozenset(row["lines"]))
    context.about(facts.order_id)
    return FormFacts(facts, row["revision"], row["payment_method"], row["balance_minor"])


async def read_fresh_facts(context: PageContext) -> FormFacts:
    """Return the facts of the order in the path, at the form's revision. Raises Missing, Stale, Invalid."""
    order = await read_facts(context)
    await require_fresh(context, order.facts, order.revision)
    return order


async def read_shipping(context: PageContext, order: FormFacts) -> Shipping:
    """Return what shipments of the order are made from. Raises Missing."""
    async with context.reading() as connection:
        row = await store.read_shipping(connection, context.shop, order.id)
        settings = await settings_of.get(connection, context.app_state.hub.owner, context.shop)
    if row is None:
        raise Missing
    return Shipping(order.facts.currency, frozenset(row["parcel_ids"]), row["postal_code"] or None, settings)


async def find_shipment(context: PageContext, order: FormFacts, shipment_id: UUID) -> Shipment | None:
    """Return a shipment of the order with its days in the shop's zone; None when the order has no such shipment."""
    async with context.reading() as connection:
        row = await store.read_tracking(connection, context.shop, order.id, shipment_id)
        days = await read_days(connection, context.shop, order.id, shipment_id, context.locale.zone)
    if row is None or days is None:
        return None
    return Shipment(shipment_id, row["carrier"], row["tracking_number"], row["tracking_url"], days)


async def read_shipment(context: PageContext, order: FormFacts) -> Shipment:
    """Return the order's shipment that the form is about. Raises Invalid."""
    shipment = await find_shipment(context, order, id_typed(context.form_read, "shipment"))
    if shipment is None:
        raise incomplete()
    return shipment


async def require_fresh(context: PageContext, order: OrderFacts, revision: int) -> None:
    """Check that a form about to become a command shows the order's current state. Raises Stale, Invalid."""
    seen = context.form_read.revision
    if seen is None or seen == revision:
        return
    key_of(context.form_read)
    if await was_sent(context):
        return
    async with context.reading() as connection:
        since = await changed_since(connection, order.shop, order.order_id, seen)
    raise Stale(order.code, order.order_id, seen, revision, since)


async def gone(connection: Connection, shop: str, order_id: UUID | None, code: str | None) -> Missing:
    """Return the error for an order that was deleted (Deleted) or never existed (Missing)."""
    found = await store.read_deleted(connection, shop, order_id, code)
    return Missing() if found is None else Deleted(found["code"], found["deleted_at"])


def order_named(name: str) -> tuple[UUID | None, str | None]:
    """Return the id or code in an address. Raises Missing."""
    try:
        return UUID(name), None
    except ValueError:
        code = read_code(name)
    if code is None:
        raise Missing
    return None, code


def back_of(values: Mapping[str, str]) -> str:
    """Return the address of the queue that the user came from; "" when it is not a local path."""
    back = values.get("back", "")
    return back if is_local_path(back) else ""


def page_of(context: PageContext, code: str, anchor: str) -> str:
    """Return the address to redirect to after an action: the queue that the user came from, or the page's section."""
    return back_of(context.form_read) or f"/orders/{code}#{anchor}"
