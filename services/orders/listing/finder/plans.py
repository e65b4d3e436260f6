"""Query plans for the orders of a selection, and the choice between them.

Invariant: every plan returns the same rows; they differ only in time. Each is quick for some filters and slow
for others. PostgreSQL's statistics guide the choice; a wrong estimate costs time, for most plans one
bounded window, then another plan answers.
"""

from heapq import merge as merged
from itertools import islice
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.listing.finder import count_statements, searching, statements
from services.orders.listing.finder.facet_counts import FacetCounts
from services.orders.listing.finder.scans import Scan
from services.orders.listing.finder.selection import Selection
from services.orders.listing.finder.statements import Sql

WINDOW = 30_000
"""The number of orders a scan reads before it gives up."""
FEW = 4_000
"""The number of orders up to which all are read and sorted."""
FEW_WITH_WORDS = 1_500
"""The same limit when their words have to be read too."""
FEW_IN_INDEX = 30_000
"""The same limit when the index suffices and they lie beside each other."""
MERGE_COST = 10
"""The cost of a kind in a merge, in orders that a scan reads in the same time."""

Row = tuple[Any, UUID]


class Plans:
    """The plans of one selection on one connection."""

    def __init__(self, connection: Connection, known: FacetCounts, selection: Selection) -> None:
        self._connection, self._known, self._selection = connection, known, selection

    async def rows(self, scan: Scan, limit: int, without: tuple[UUID, ...] = ()) -> list[Row]:
        """Return the next `limit` (key, order id) of a scan, without some orders of a search."""
        selection = self._selection
        found: list[Row] = []
        if selection.kinds:
            found = await (
                self._searched(scan, limit, without) if selection.terms else self._listed(scan, limit)
            )
        if selection.troubled_kinds:
            troubled = await self._fetch(statements.troubled(selection, scan, limit))
            both = merged(
                found, [row for row in troubled if row[1] not in without], reverse=scan.is_descending
            )
            found = list(islice(both, limit))
        return found

    async def count(self, most: int, without: tuple[UUID, ...] = ()) -> int:
        """Return how many orders there are, at most about `most`, without some of a search."""
        number = await self._count_kinds(most, without) if self._selection.kinds else 0
        if self._selection.troubled_kinds and number < most:
            scan = Scan(is_by_total=False, is_descending=True)
            troubled = await self._fetch(statements.troubled(self._selection, scan, most))
            number += sum(row[1] not in without for row in troubled)
        return number

    async def _listed(self, scan: Scan, limit: int) -> list[Row]:
        selection = self._selection
        if selection.facets:
            return await self._faceted(scan, limit)
        if scan.is_by_total:
            if selection.has_period and await self._is_few(count_statements.count_period, FEW_IN_INDEX):
                return await self._fetch(statements.gather_period(selection, scan, limit))
            return await self._fetch(statements.merge(selection, scan, limit))
        if (
            selection.has_amounts
            and self._may_be_few()
            and await self._is_few(count_statements.count_kinds, FEW)
        ):
            return await self._fetch(statements.gather(selection, scan, limit))
        if self._prefers_scan(limit) or selection.has_amounts:
            found = await self._scanned(scan, limit)
            if found is not None:
                return found
        if selection.has_amounts and await self._is_few(count_statements.count_amounts, FEW):
            return await self._fetch(statements.gather_amounts(selection, scan, limit))
        return await self._fetch(statements.merge(selection, scan, limit))

    async def _faceted(self, scan: Scan, limit: int) -> list[Row]:
        selection = self._selection
        if await self._is_few(count_statements.count_facets, FEW_IN_INDEX):
            return await self._fetch(statements.gather_facets(selection, scan, limit))
        if scan.is_by_total:
            return await self._fetch(statements.merge(selection, scan, limit))
        found = await self._fetch(statements.merge_facets(selection, scan, limit))
        return list(dict.fromkeys(found))[:limit]

    async def _searched(self, scan: Scan, limit: int, without: tuple[UUID, ...]) -> list[Row]:
        selection = self._selection
        if self._may_be_few() and await self._is_few(count_statements.count_kinds, FEW_WITH_WORDS):
            found = await self._fetch(statements.gather(selection, scan, limit + len(without)))
            return [row for row in found if row[1] not in without][:limit]
        if not scan.is_by_total:
            found = await self._fetch(searching.newest(selection, scan, limit, without, searching.SAMPLE))
            if searching.may_fill(limit, len(found)):
                found = await self._fetch(searching.newest(selection, scan, limit, without, searching.WINDOW))
            if len(found) == limit:
                return found
        return await self._fetch(searching.indexed(selection, scan, limit, without))

    async def _scanned(self, scan: Scan, limit: int) -> list[Row] | None:
        """Return the rows of a scan, or None when its window was too small to decide."""
        found = await self._fetch(statements.scan(self._selection, scan, WINDOW, limit))
        if len(found) == limit:
            return found
        sql, arguments = statements.is_beyond_window(self._selection, scan, WINDOW)
        return None if await self._connection.fetchval(sql, *arguments) else found

    async def _count_kinds(self, most: int, without: tuple[UUID, ...]) -> int:
        selection = self._selection
        if selection.terms:
            if self._may_be_few() and await self._is_few(count_statements.count_kinds, FEW_WITH_WORDS):
                scan = Scan(is_by_total=False, is_descending=True)
                found = await self._fetch(statements.gather(selection, scan, most + len(without)))
                return sum(row[1] not in without for row in found)
            return await self._value(searching.counted(selection, most, without))
        if selection.facets:
            scan = Scan(is_by_total=False, is_descending=True)
            return await self._value(
                count_statements.counted(statements.gather_facets(selection, scan, most))
            )
        if not selection.has_amounts:
            return await self._value(count_statements.count_kinds(selection, most))
        if selection.has_period and await self._is_few(count_statements.count_period, FEW_IN_INDEX):
            scan = Scan(is_by_total=False, is_descending=True)
            return await self._value(
                count_statements.counted(statements.gather_period(selection, scan, most))
            )
        return await self._value(count_statements.count_amounts(selection, most))

    def _prefers_scan(self, limit: int) -> bool:
        """Return whether scanning all orders should fill a page sooner than reading the first orders of every
        kind.
        """
        share = self._share()
        kinds = len(self._selection.kinds)
        if share is None:
            return kinds > limit
        return share > 0 and limit / share < min(WINDOW, kinds * MERGE_COST)

    def _may_be_few(self) -> bool:
        """Return whether it is worth counting if there are few orders of these kinds."""
        share = self._share()
        return share is None or self._selection.has_period or share * self._known.orders < 4 * FEW

    def _share(self) -> float | None:
        return 1.0 if self._selection.has_every_kind else self._known.share(self._selection.kinds)

    async def _is_few(self, count: Any, most: int) -> bool:
        return await self._value(count(self._selection, most)) < most

    async def _fetch(self, sql: Sql) -> list[Row]:
        return [(row[0], row[1]) for row in await self._connection.fetch(sql[0], *sql[1])]

    async def _value(self, sql: Sql) -> int:
        return await self._connection.fetchval(sql[0], *sql[1])
