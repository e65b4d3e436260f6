"""One page of a parcels queue: its orders (from the finder), and what each has to pack, ship or deliver.

Invariant: only `../../finding` decides which orders wait, so these pages and the orders list agree; the
columns come from orders' own copy, so they are available also while fulfillment is not.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from services.chassis.http.paging import CursorInvalid
from services.chassis.storage.database import Connection
from services.orders.backoffice.orders.reading import zone_of
from services.orders.backoffice.parcels import store as parcels_store
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Count
from services.orders.listing.finder.rows import read_listed
from services.orders.listing.words import Sort, Tab
from services.orders.order.fulfilment_status import FulfilmentStatus

PAGE = 50
Row = Mapping[str, Any]


class Queue(StrEnum):
    """The four lists, by the last segment of their path."""

    TO_PACK = "to-pack"
    TO_SHIP = "to-ship"
    ON_THE_WAY = "on-the-way"
    DELIVERED = "delivered"

    @property
    def path(self) -> str:
        """Return the list's path."""
        return "/parcels" if self is Queue.TO_PACK else f"/parcels/{self}"

    @property
    def is_of_shipments(self) -> bool:
        """Return whether its rows are shipments."""
        return self in (Queue.ON_THE_WAY, Queue.DELIVERED)


ORDERS_OF: dict[Queue, Filters] = {
    Queue.TO_PACK: Filters(tab=Tab.TO_PACK, sort=Sort.OLDEST),
    Queue.TO_SHIP: Filters(tab=Tab.TO_SHIP, sort=Sort.OLDEST),
    Queue.ON_THE_WAY: Filters(
        fulfilment=[
            FulfilmentStatus.PARTIALLY_SHIPPED,
            FulfilmentStatus.SHIPPED,
            FulfilmentStatus.PARTIALLY_DELIVERED,
        ]
    ),
    Queue.DELIVERED: Filters(
        fulfilment=[
            FulfilmentStatus.PARTIALLY_DELIVERED,
            FulfilmentStatus.DELIVERED,
            FulfilmentStatus.PARTIALLY_RETURNED,
            FulfilmentStatus.RETURNED,
        ]
    ),
}
"""The finder's queue of each list."""


@dataclass(frozen=True)
class QueueRequest:
    """The view an address requests. `carrier` only where something was shipped."""

    queue: Queue
    q: str
    carrier: str
    after: str | None
    before: str | None

    @property
    def filters(self) -> Filters:
        """Return the filters of the view."""
        carrier = [self.carrier] if self.carrier else []
        return ORDERS_OF[self.queue].model_copy(update={"q": self.q, "carrier": carrier})

    @property
    def is_filtered(self) -> bool:
        """Return whether the user filtered the list."""
        return bool(self.q or self.carrier)

    def href(self, **more: object) -> str:
        """Return the address of this list with a cursor in it."""
        params = {"q": self.q, "carrier": self.carrier, **{name: str(value) for name, value in more.items()}}
        query = urlencode({name: value for name, value in params.items() if value})
        return f"{self.queue.path}?{query}" if query else self.queue.path


@dataclass(frozen=True)
class Listed:
    """One page: `rows` are orders (with `lines` or `parcels`) or shipments; addresses of the adjacent pages."""

    rows: Sequence[Row]
    before: str
    after: str


def request_of(context: PageContext, queue: Queue) -> QueueRequest:
    """Return the view that the address requests."""
    query = context.query
    carrier = query.get("carrier", "").strip()[:100] if queue.is_of_shipments else ""
    return QueueRequest(
        queue,
        query.get("q", "").strip()[:200],
        carrier,
        query.get("after") or None,
        query.get("before") or None,
    )


async def read_queue(context: PageContext, connection: Connection, queue_request: QueueRequest) -> Listed:
    """Return the requested page. Raises Missing for a cursor of another list."""
    try:
        page = await context.app_state.finder.page(
            connection,
            context.shop,
            queue_request.filters,
            zone_of(context),
            limit=PAGE,
            after=queue_request.after,
            before=queue_request.before,
        )
    except CursorInvalid:
        raise Missing from None
    return Listed(
        await _rows(context, connection, queue_request.queue, page.order_ids),
        queue_request.href(before=page.previous) if page.previous else "",
        queue_request.href(after=page.next) if page.next else "",
    )


async def first_of_queue(context: PageContext, connection: Connection, queue: Queue, most: int) -> list[UUID]:
    """Return the ids of the orders that have waited longest."""
    page = await context.app_state.finder.page(
        connection, context.shop, ORDERS_OF[queue], zone_of(context), limit=most
    )
    return list(page.order_ids)


async def count_queues(context: PageContext, connection: Connection) -> dict[Queue, Count]:
    """Return the number of orders in each queue that waits for the staff."""
    waiting = (Queue.TO_PACK, Queue.TO_SHIP, Queue.ON_THE_WAY)
    return {
        queue: await context.app_state.finder.count(
            connection, context.shop, ORDERS_OF[queue], zone_of(context)
        )
        for queue in waiting
    }


async def _rows(
    context: PageContext, connection: Connection, queue: Queue, order_ids: Sequence[UUID]
) -> list[Row]:
    orders = await read_listed(connection, context.shop, order_ids)
    if queue.is_of_shipments:
        shipments = await parcels_store.read_shipments(connection, context.shop, order_ids)
        return _shipments(orders, shipments, is_delivered=queue is Queue.DELIVERED)
    lines = by_order(await parcels_store.read_lines(connection, context.shop, order_ids))
    if queue is Queue.TO_PACK:
        left = {order: [line for line in of if line["left"]] for order, of in lines.items()}
        return [{**order, "lines": left.get(order["order_id"], [])} for order in orders]
    parcels = by_order(await parcels_store.read_waiting(connection, context.shop, order_ids))
    return [
        {
            **order,
            "parcels": [
                {**parcel, "contents": _contents(parcel, lines[order["order_id"]])}
                for parcel in parcels[order["order_id"]]
            ],
        }
        for order in orders
    ]


def _shipments(orders: Iterable[Row], shipments: Iterable[Row], *, is_delivered: bool) -> list[Row]:
    known = {order["order_id"]: order for order in orders}
    return [
        {**known[one["order_id"]], **one}
        for one in shipments
        if one["order_id"] in known and (one["delivered_at"] is not None) == is_delivered
    ]


def _contents(parcel: Row, lines: Sequence[Row]) -> list[tuple[int, str]]:
    """Return quantities with their descriptions."""
    names = {line["line"]: line["description"] for line in lines}
    return [
        (one["quantity"], names.get(one["line"], str(one["line"]))) for one in json.loads(parcel["lines"])
    ]


def by_order(rows: Iterable[Row]) -> defaultdict[UUID, list[Row]]:
    """Return the rows of several orders grouped by the order's id."""
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["order_id"]].append(row)
    return found
