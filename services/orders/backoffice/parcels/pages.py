"""Queues of parcels and shipments: to be packed, to be shipped, in transit, delivered.

Their actions (`action_pages.py`) and documents (`print_pages.py`) are in separate files.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_, number, pgettext
from services.orders.backoffice.order import words
from services.orders.backoffice.orders import store as order_list_store
from services.orders.backoffice.parcels import reading
from services.orders.backoffice.parcels.reading import Queue
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing.finder.finder import Count

pages = Pages()
pages.in_menu("/parcels", N_("Parcels"), "parcels", 30, Permission.ORDERS_VIEW)


@pages.get("/parcels", Permission.ORDERS_VIEW)
async def show_to_pack(context: PageContext) -> Response:
    """Show orders with something to pack, those that have waited longest first."""
    return await show_queue(context, Queue.TO_PACK)


@pages.get("/parcels/to-ship", Permission.ORDERS_VIEW)
async def show_to_ship(context: PageContext) -> Response:
    """Show packed parcels that have not been shipped."""
    return await show_queue(context, Queue.TO_SHIP)


@pages.get("/parcels/on-the-way", Permission.ORDERS_VIEW)
async def show_on_the_way(context: PageContext) -> Response:
    """Show shipments without a recorded delivery."""
    return await show_queue(context, Queue.ON_THE_WAY)


@pages.get("/parcels/delivered", Permission.ORDERS_VIEW)
async def show_delivered(context: PageContext) -> Response:
    """Show delivered shipments."""
    return await show_queue(context, Queue.DELIVERED)


async def show_queue(context: PageContext, queue: Queue, status: int = 200, problem: str = "") -> Response:
    """Show a page of one of the four lists; `problem`: why an action from it was rejected."""
    queue_request = reading.request_of(context, queue)
    async with context.reading() as connection:
        listed = await reading.read_queue(context, connection, queue_request)
        counts = await reading.count_queues(context, connection)
        known = await order_list_store.read_vocabulary(connection, context.shop)
        is_new = not listed.rows and not await order_list_store.has_orders(connection, context.shop)
    return context.render(
        "parcels/list.html",
        status,
        queue_request=queue_request,
        queue=queue.value,
        listed=listed,
        is_new=is_new,
        problem=problem,
        carriers=known["carriers"],
        tabs_shown=_tabs(queue, counts),
        words=words,
        today=datetime.now(UTC).astimezone(context.locale.zone).date(),
    )


def queue_names() -> dict[Queue, str]:
    """Return the lists, in the order of their tabs."""
    return {
        Queue.TO_PACK: pgettext("parcels tab", "To pack"),
        Queue.TO_SHIP: pgettext("parcels tab", "To ship"),
        Queue.ON_THE_WAY: pgettext("parcels tab", "On the way"),
        Queue.DELIVERED: pgettext("parcels tab", "Delivered"),
    }


def _tabs(here: Queue, counts: Mapping[Queue, Count]) -> list[tuple[str, str, bool, Any]]:
    return [
        (queue.path, text, queue is here, _counted(counts.get(queue)))
        for queue, text in queue_names().items()
    ]


def _counted(count: Count | None) -> str | None:
    if count is None:
        return None
    return number(count.number) + ("" if count.is_exact else "+")
