"""Text search: exact hits first, then every order whose words have all terms, newest first.

Common words are found by reading the newest orders, which is quick exactly when they are common; rare ones by
the trigram index, which is quick exactly when they are rare; a sample of the newest shows which they are. When
a filter leaves few orders, those are read.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.listing.finder.scans import Scan
from services.orders.listing.finder.selection import Selection
from services.orders.listing.finder.statements import Sql, Statement, from_first, order_of
from services.orders.order.search.folding import fold, joined, landmark, pattern
from services.orders.order.short_code import read_code

WINDOW = 10_000
"""Number of newest orders read before the index is used: a term in one of 200 orders fills a page there."""
SAMPLE = 1_000
"""Number of newest orders read first: they show whether WINDOW orders may fill a page."""
MOST_EXACT = 100
"""The largest number of orders of one mail address that count as exact hits; beyond it all are listed by
date.
"""

Row = tuple[datetime | int, UUID]


async def exact_hits(connection: Connection, selection: Selection, text: str) -> list[Row]:
    """Return orders whose code, mail, tracking number or payment reference is exactly the query, however it
    is spaced, newest first; none when they are more than MOST_EXACT.
    """
    word, reference = text.strip(), joined(text).upper()
    if len(reference) < 4:
        return []
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), statement.put(list(selection.kinds), "bigint[]")
    code, mail = statement.put(read_code(word), "text"), statement.put(fold(word), "text")
    reference = statement.put(reference, "text")
    rest = statement.period(selection) + statement.amounts(selection) + statement.facets(selection)
    sql = f"""with named as materialized (
            select order_id from orders where code = {code} and shop || '' = {shop}
            union (select order_id from order_search where shop = {shop} and mail = {mail}
                   order by placed_at desc limit {MOST_EXACT + 1})
            union (select order_id from shipment where shop = {shop} and joined_code(tracking_number) = {reference}
                   limit {MOST_EXACT + 1})
            union (select order_id from ledger_entry where shop = {shop}
                     and joined_code(provider_reference) = {reference} limit {MOST_EXACT + 1})
            union (select order_id from ledger_entry where shop = {shop}
                     and joined_code(reference) = {reference} limit {MOST_EXACT + 1}))
        select o.placed_at as key, o.order_id from named n
        {order_of("n", shop)}
        where o.kind_id = any({kinds}){rest}
        order by o.placed_at desc, o.order_id desc limit {MOST_EXACT + 1}"""
    found = await connection.fetch(sql, *statement.arguments)
    return [(row["key"], row["order_id"]) for row in found] if len(found) <= MOST_EXACT else []


def may_fill(limit: int, sampled: int) -> bool:
    """Return whether WINDOW orders may hold `limit` that fit, of which SAMPLE hold `sampled`: not if they are less
    than half as frequent as needed. A wrong estimate costs time only.
    """
    return sampled < limit <= 2 * sampled * WINDOW // SAMPLE


def newest(selection: Selection, scan: Scan, limit: int, without: Sequence[UUID], window: int) -> Sql:
    """Return the orders that fit among the next `window` orders. The scan starts at the first order of any of
    the kinds.
    """
    statement = Statement()
    shop = statement.put(selection.shop, "text")
    bounds = statement.period(selection, "s") + statement.beyond(scan, "s")
    if not selection.has_every_kind:
        kinds = statement.put(list(selection.kinds), "bigint[]")
        bounds += from_first(shop, kinds, scan, "s")
    rest = statement.words(selection) + _fits(statement, selection) + _without(statement, without)
    sql = f"""select s.placed_at as key, s.order_id
        from (select shop, order_id, placed_at, document from order_search s where s.shop = {shop}{bounds}
              order by {scan.order} limit {window}) s
        where true{rest} order by {scan.order} limit {limit}"""
    return sql, statement.arguments


def indexed(selection: Selection, scan: Scan, limit: int, without: Sequence[UUID]) -> Sql:
    """Return all orders that have the terms, by the index."""
    statement = Statement()
    hits = _hits(statement, selection, "" if scan.is_by_total else statement.beyond(scan, "s"))
    if scan.is_by_total:
        order = "desc" if scan.is_descending else "asc"
        kinds = statement.put(list(selection.kinds), "bigint[]")
        rest = (
            f"o.kind_id = any({kinds})"
            + statement.amounts(selection)
            + statement.facets(selection)
            + statement.beyond(scan)
        )
        sql = f"""with hit as materialized ({hits})
            select o.total_minor as key, o.order_id
            from hit s {order_of("s")}
            where {rest}{_without(statement, without)}
            order by o.total_minor {order}, o.order_id {order} limit {limit}"""
    else:
        sql = f"""with hit as materialized ({hits})
            select s.placed_at as key, s.order_id from (select * from hit order by {scan.order}) s
            where true{_fits(statement, selection)}{_without(statement, without)} limit {limit}"""
    return sql, statement.arguments


def counted(selection: Selection, most: int, without: Sequence[UUID]) -> Sql:
    """Return how many orders that fit have the terms, at most `most`, by the index."""
    statement = Statement()
    hits = _hits(statement, selection, "")
    sql = f"""with hit as materialized ({hits})
        select count(*) from (select from hit s where true{_fits(statement, selection)}{_without(statement, without)}
                              limit {most}) counted"""
    return sql, statement.arguments


def _hits(statement: Statement, selection: Selection, beyond: str) -> str:
    """Return the statement of search rows that have the terms. The index is queried for the terms'
    landmarks; adding nothing to shop and document keeps it from being queried for more, and other indexes
    from being used.
    """
    shop = statement.put(selection.shop, "text")
    marks = {landmark(term) for term in selection.terms}
    found = [f"s.document like {statement.put(pattern(mark), 'text')}" for mark in sorted(marks)]
    full = [term for term in selection.terms if landmark(term) != term]
    found += [f"s.document || '' like {statement.put(pattern(term), 'text')}" for term in full]
    conditions = statement.or_whole(selection, found, "s")
    return f"""select s.shop, s.order_id, s.placed_at from order_search s
        where s.shop || '' = {shop}{conditions}{statement.period(selection, "s")}{beyond}"""


def _fits(statement: Statement, selection: Selection) -> str:
    """Return the condition that the order itself fits the rest of the filter."""
    rest = statement.amounts(selection) + statement.facets(selection)
    if not selection.has_every_kind:
        rest += f" and o.kind_id = any({statement.put(list(selection.kinds), 'bigint[]')})"
    return f" and exists (select from orders o where o.order_id = s.order_id and o.shop || '' = s.shop{rest})"


def _without(statement: Statement, order_ids: Sequence[UUID]) -> str:
    return f" and s.order_id <> all({statement.put(list(order_ids), 'uuid[]')})" if order_ids else ""
