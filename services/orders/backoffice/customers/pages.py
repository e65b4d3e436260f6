"""Customers: the list by latest order with a search, and a page per customer.

A customer is identified by the code of any of their orders, so that no mail address appears in a URL, a browser's
history or a log.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from services.chassis.storage.database import Connection
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.customers import store
from services.orders.backoffice.customers.customer import Customer, customer_of
from services.orders.backoffice.language.activity_texts import MAILS
from services.orders.backoffice.language.translating import N_
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing.filters import Filters
from services.orders.order.erasure import requesting
from services.orders.order.short_code import read_code
from services.orders.staff.labels import labels_of

pages = Pages()
pages.in_menu("/customers", N_("Customers"), "person", 55, Permission.ORDERS_PERSONAL)
PAGE = 50
MOST_FOUND = 200
"""Latest orders whose customers a search shows."""
MOST_MAILS = 50
LONGEST_TEXT = 200
MAIL_STATES = {
    "sent": (N_("Mail sent"), "good"),
    "failed": (N_("Mail failed"), "danger"),
    "bounced": (N_("Bounced"), "danger"),
    "suppressed": (N_("Held"), "warning"),
    "withdrawn": (N_("No longer needed"), "neutral"),
    "uncertain": (N_("To check"), "warning"),
}
"""Label and badge tone by state of a mail."""
THREAD_STATES = {
    "waiting_staff": (N_("Waiting for the shop"), "warning"),
    "waiting_customer": (N_("Waiting for the customer"), "waiting"),
    "closed": (N_("Conversation closed"), "neutral"),
}
"""Label and badge tone by state of a conversation."""


@pages.get("/customers", Permission.ORDERS_PERSONAL)
async def show_customers(context: PageContext) -> Response:
    """Show a page of customers, or those that match a search."""
    text = context.query.get("q", "").strip()[:LONGEST_TEXT]
    back_links = BackLinks.of(context.query, "before")
    async with context.reading() as connection:
        if text:
            rows = await _found(context, connection, text)
        else:
            rows = await store.list_customers(connection, context.shop, _place(back_links.here), PAGE + 1)
    shown = rows if text else rows[:PAGE]
    more = not text and len(rows) > PAGE
    next_place = f"{shown[-1]['placed_at'].isoformat()}~{shown[-1]['order_id']}" if more else ""
    return context.render(
        "customers/list.html",
        customers=shown,
        text=text,
        most_counted=store.MOST_COUNTED,
        next_href=_href(back_links.on(next_place)) if next_place else "",
        previous_href=_href(back_links.back) if back_links.back is not None and not text else "",
    )


async def _found(context: PageContext, connection: Connection, text: str) -> Sequence[Mapping[str, Any]]:
    zone = context.locale.zone
    assert isinstance(zone, ZoneInfo)
    found = await context.app_state.finder.page(
        connection, context.shop, Filters(q=text), zone, limit=MOST_FOUND
    )
    return await store.customers_of(connection, context.shop, found.order_ids)


@pages.get("/customers/{order}", Permission.ORDERS_PERSONAL)
async def show_customer(context: PageContext) -> Response:
    """Show the customer of an order."""
    async with context.reading() as connection:
        customer = await read_customer(context, connection)
        ids = [order["order_id"] for order in customer.orders]
        return context.render(
            "customers/customer.html",
            customer=customer,
            code=customer.orders[0]["code"],
            labels=await labels_of.get(connection, context.app_state.hub.owner, context.shop),
            mails=await store.read_mails(connection, context.shop, ids, MOST_MAILS),
            threads=await store.read_threads(connection, context.shop, ids),
            thread_states=THREAD_STATES,
            mail_kinds=MAILS,
            mail_states=MAIL_STATES,
            most_counted=store.MOST_COUNTED,
            erasure=await requesting.erasure_of(connection, context.shop, ids[0]),
        )


async def read_customer(context: PageContext, connection: Connection) -> Customer:
    """Return the customer of the order in the path. Raises Missing."""
    code = read_code(context.path("order"))
    orders = await store.orders_of_customer(connection, context.shop, code) if code else []
    if not orders:
        raise Missing
    return customer_of(orders)


def _place(text: str) -> store.CustomerCursor | None:
    """Return the cursor of the page. Raises Missing for a forged link."""
    if not text:
        return None
    timestamp, _, order_id = text.partition("~")
    try:
        place = datetime.fromisoformat(timestamp), UUID(order_id)
    except ValueError:
        raise Missing from None
    if place[0].tzinfo is None:
        raise Missing
    return place


def _href(values: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in values.items() if value})
    return f"/customers?{query}" if query else "/customers"
