"""The engine: one page of any list, and its count.

Pages are delimited by the sort key and the order's id, forwards and backwards: a reader who follows them sees
exactly once every order that was there at the start and still fits, regardless of orders placed meanwhile. A search
for one word, newest first, lists exact hits before all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.http.paging import CursorInvalid
from services.chassis.storage.database import Connection
from services.orders.listing.cursor import PageCursor
from services.orders.listing.filters import Filters
from services.orders.listing.finder import searching
from services.orders.listing.finder.facet_counts import FacetCounts, Statistics
from services.orders.listing.finder.plans import Plans
from services.orders.listing.finder.scans import Scan
from services.orders.listing.finder.selection import Selection, select
from services.orders.listing.words import Sort

COUNTED = 1_000
"""The largest exact count."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the orders' ids in order; `next` and `previous` are the cursors of the pages beside it.

    `exact_hits`: how many of the orders, the first ones, have exactly the requested code, mail address or
    reference.
    """

    order_ids: tuple[UUID, ...]
    next: PageCursor | None
    previous: PageCursor | None
    exact_hits: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """The number of orders a filter has; beyond COUNTED only that there are more."""

    number: int
    is_exact: bool


class Finder:
    """A finder of orders. One per process: it caches the shops' kinds."""

    def __init__(self) -> None:
        self._facet_counts = Statistics()

    async def page(
        self,
        connection: Connection,
        shop: str,
        filters: Filters,
        zone: ZoneInfo,
        *,
        limit: int = 50,
        after: str | None = None,
        before: str | None = None,
    ) -> Page:
        """Return the page after a place, or before one, or the first. Raises CursorInvalid."""
        context = await self._list_request(connection, shop, filters, zone)
        cursor = read_cursor(before or after, filters.sort)
        scan = Scan(filters.sort.is_by_total, filters.sort.is_descending, cursor)
        if before:
            found = await context.cursors(scan.reversed(cursor), limit + 1)
            return _page(found[:limit][::-1], has_more=True, has_less=len(found) > limit)
        found = await context.cursors(scan, limit + 1)
        return _page(found[:limit], has_more=len(found) > limit, has_less=cursor is not None)

    async def count(self, connection: Connection, shop: str, filters: Filters, zone: ZoneInfo) -> Count:
        """Return how many orders the filters have, exactly up to COUNTED."""
        context = await self._list_request(connection, shop, filters, zone)
        number = await context.count(COUNTED + 1)
        return Count(min(number, COUNTED), number <= COUNTED)

    async def choose(
        self, connection: Connection, shop: str, filters: Filters, zone: ZoneInfo
    ) -> tuple[FacetCounts, Selection]:
        """Return the current meaning of filters: the shop's kinds, and the selection among them."""
        known = await self._facet_counts.of(connection, shop)
        return known, select(shop, filters, known.kinds, zone)

    async def _list_request(
        self, connection: Connection, shop: str, filters: Filters, zone: ZoneInfo
    ) -> "_ListRequest":
        known, selection = await self.choose(connection, shop, filters, zone)
        text = filters.q if filters.sort is Sort.NEWEST else ""
        return _ListRequest(connection, selection, Plans(connection, known, selection), text)


class _ListRequest:
    """One selection on one connection, exact hits of a search first."""

    def __init__(self, connection: Connection, selection: Selection, plans: Plans, text: str) -> None:
        self._connection, self._selection, self._plans, self._text = connection, selection, plans, text

    async def cursors(self, scan: Scan, limit: int) -> list[PageCursor]:
        """Return the next places of the scan."""
        if self._selection.is_hopeless:
            return []
        exact = await self._exact()
        without = tuple(cursor.order_id for cursor in exact)
        if not scan.is_descending and exact:  # backwards: the exact hits come last
            rest = [] if scan.beyond and scan.beyond.is_exact else await self._rest(scan, limit, without)
            return (rest + _beyond(exact[::-1], scan))[:limit]
        first = _beyond(exact, scan)[:limit]
        if len(first) == limit:
            return first
        if scan.beyond is not None and scan.beyond.is_exact:
            scan = Scan(scan.is_by_total, scan.is_descending)
        return first + await self._rest(scan, limit - len(first), without)

    async def count(self, most: int) -> int:
        """Return how many orders there are, at most about `most`."""
        if self._selection.is_hopeless:
            return 0
        exact = await self._exact()
        return len(exact) + await self._plans.count(most, tuple(cursor.order_id for cursor in exact))

    async def _exact(self) -> list[PageCursor]:
        if not (self._text and self._selection.terms):
            return []
        found = await searching.exact_hits(self._connection, self._selection, self._text)
        return [PageCursor(key, order_id, is_exact=True) for key, order_id in found]

    async def _rest(self, scan: Scan, limit: int, without: tuple[UUID, ...]) -> list[PageCursor]:
        return [PageCursor(key, order_id) for key, order_id in await self._plans.rows(scan, limit, without)]


def _beyond(exact: list[PageCursor], scan: Scan) -> list[PageCursor]:
    """Return the exact hits that a scan still meets: forwards from a place among the others it has passed
    them all, backwards from there it meets all.
    """
    cursor = scan.beyond
    if cursor is None or (not cursor.is_exact and not scan.is_descending):
        return exact
    if not cursor.is_exact:
        return []
    at = (cursor.key, cursor.order_id)
    if scan.is_descending:
        return [one for one in exact if (one.key, one.order_id) < at]
    return [one for one in exact if (one.key, one.order_id) > at]


def read_cursor(text: str | None, sort: Sort) -> PageCursor | None:
    """Return the place in a cursor of a list with this sort. Raises CursorInvalid."""
    if not text:
        return None
    cursor = PageCursor.read(text)
    if isinstance(cursor.key, int) is not sort.is_by_total or (cursor.is_exact and sort is not Sort.NEWEST):
        raise CursorInvalid
    return cursor


def _page(cursors: Sequence[PageCursor], *, has_more: bool, has_less: bool) -> Page:
    return Page(
        tuple(cursor.order_id for cursor in cursors),
        cursors[-1] if cursors and has_more else None,
        cursors[0] if cursors and has_less else None,
        sum(cursor.is_exact for cursor in cursors),
    )
