"""One page of the list, read in a few statements: its rows, their total, and the available filter values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.http.paging import CursorInvalid
from services.chassis.storage.database import Connection
from services.orders.backoffice.order.actions import facts_of_row, offered_beside
from services.orders.backoffice.orders import store
from services.orders.backoffice.orders.filter_form import ListRequest, page_href
from services.orders.backoffice.orders.words import tab_names
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.listing.cursor import PageCursor
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Count
from services.orders.listing.finder.rows import read_rows
from services.orders.listing.views import View, read_views
from services.orders.listing.words import Sort, Tab
from services.orders.order.short_code import read_code
from services.orders.staff.labels import Labels, labels_of

PAGE = 50
MOST_NEWS = 50
MOST_COUNTED = 12
"""Maximum saved views whose orders are counted; the others are counted when they are opened."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Listed:
    """One page. `first` is the cursor of its first row; `after`, `before`: addresses of the adjacent pages;
    `archived`: the number of matching archived orders that are left out; `only`: the code of the only requested order.
    """

    rows: Sequence[Row]
    count: Count
    first: str
    before: str
    after: str
    archived: Count | None = None
    only: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """The filter values of a shop: tags, labels, carriers, currencies, and the saved views."""

    tags: Sequence[Row]
    labels: Labels
    carriers: Sequence[str]
    currencies: Sequence[str]
    views: Sequence[View]

    @property
    def currency(self) -> str:
        """Return the currency of amounts without one."""
        return "EUR" if "EUR" in self.currencies or not self.currencies else self.currencies[0]


def zone_of(context: PageContext) -> ZoneInfo:
    """Return the shop's time zone."""
    zone = context.locale.zone
    assert isinstance(zone, ZoneInfo)
    return zone


async def read_vocabulary(context: PageContext, connection: Connection) -> Vocabulary:
    """Return the filter values of the user's shop."""
    known = await store.read_vocabulary(connection, context.shop)
    return Vocabulary(
        await store.read_tag_names(connection, context.shop),
        await labels_of.get(connection, context.app_state.hub.owner, context.shop),
        known["carriers"],
        known["currencies"],
        await read_views(connection, context.shop, str(context.person.staff_id)),
    )


async def read_list(context: PageContext, connection: Connection, list_request: ListRequest) -> Listed:
    """Return the requested page. Raises Missing for a cursor of another list."""
    finder, zone = context.app_state.finder, zone_of(context)
    try:
        page = await finder.page(
            connection,
            context.shop,
            list_request.filters,
            zone,
            limit=PAGE,
            after=list_request.after,
            before=list_request.before,
        )
    except CursorInvalid:
        raise Missing from None
    rows = await rows_of(context, connection, page.order_ids)
    return Listed(
        rows,
        await finder.count(connection, context.shop, list_request.filters, zone),
        str(PageCursor(rows[0]["placed_at"], rows[0]["order_id"])) if rows else "",
        page_href(list_request.filters, "before", page.previous) if page.previous else "",
        page_href(list_request.filters, "after", page.next) if page.next else "",
        await count_archived(context, connection, list_request.filters),
        rows[0]["code"] if len(rows) == page.exact_hits == 1 and not page.previous else None,
    )


async def rows_of(context: PageContext, connection: Connection, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the row data of these orders of the user's shop."""
    return [
        {
            **row,
            "tags": json.loads(row["tags"]),
            "actions": offered_beside(facts_of_row(row), context.may),
        }
        for row in await read_rows(connection, context.shop, order_ids)
    ]


async def count_tabs(context: PageContext, connection: Connection) -> dict[Tab, Count]:
    """Return the number of orders per tab."""
    finder, zone = context.app_state.finder, zone_of(context)
    return {tab: await finder.count(connection, context.shop, Filters(tab=tab), zone) for tab in tab_names()}


async def count_archived(context: PageContext, connection: Connection, filters: Filters) -> Count | None:
    """Return the number of archived orders that match the filters of «Toutes», which omits them; None for
    other lists.
    """
    if filters.tab is not Tab.ALL or not filters.url(tab=None, sort=None):
        return None
    archived = filters.model_copy(update={"tab": Tab.ARCHIVED})
    return await context.app_state.finder.count(connection, context.shop, archived, zone_of(context))


async def count_views(
    context: PageContext, connection: Connection, views: Sequence[View]
) -> dict[UUID, Count]:
    """Return the number of orders in each of the first saved views; none for one with unknown filter values."""
    finder, zone, found = context.app_state.finder, zone_of(context), {}
    for view in views[:MOST_COUNTED]:
        try:
            filters = view.filters
        except ValueError:
            continue
        found[view.view_id] = await finder.count(connection, context.shop, filters, zone)
    return found


def can_have_news(list_request: ListRequest) -> bool:
    """Return whether new orders would appear at the top of this page."""
    return (
        list_request.filters.sort is Sort.NEWEST
        and not list_request.filters.q
        and not (list_request.after or list_request.before)
    )


async def count_news(context: PageContext, connection: Connection, filters: Filters, first: str) -> int:
    """Count matching orders placed after the page's first one, at most MOST_NEWS. Raises Missing."""
    finder, zone = context.app_state.finder, zone_of(context)
    if not first:
        return min((await finder.count(connection, context.shop, filters, zone)).number, MOST_NEWS)
    try:
        page = await finder.page(connection, context.shop, filters, zone, limit=MOST_NEWS, before=first)
    except CursorInvalid:
        raise Missing from None
    return len(page.order_ids)


async def order_named(context: PageContext, connection: Connection) -> UUID:
    """Return the order whose code is in the path. Raises Missing."""
    code = read_code(context.path("code"))
    found = await store.find_order(connection, context.shop, code) if code else None
    if found is None:
        raise Missing
    return found
