"""Text search: exact hits first, then every order whose words have all terms, newest first.

Common words are found by reading the newest orders, which is quick exactly when they are common; rare ones by
the trigram index, which is quick exactly when they are rare; and when a filter leaves few orders, those are
read.
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
MOST_EXACT = 100
"""The largest number of orders of one mail address that count as exact hits; beyond it all are listed by
date.
"""

Row = tuple[datetime | int, UUID]


async def exact_hits(connection: Connection, selection: Selection, asked: str) -> list[Row]:
    """Return orders whose code, mail, tracking number or payment reference is exactly the query, however it
    is spaced, newest first; none when they are more than MOST_EXACT.
    """
    word, reference = asked.strip(), joined(asked).upper()
    if len(reference) < 4:
        return []
    made = Statement()
    shop, kinds = made.put(selection.shop, "text"), made.put(list(selection.kinds), "bigint[]")
    code, mail = made.put(read_code(word), "text"), made.put(fold(word), "text")
    reference = made.put(reference, "text")
    rest = made.period(selection) + made.amounts(selection) + made.facets(selection)
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
    found = await connection.fetch(sql, *made.arguments)
    return [(row["key"], row["order_id"]) for row in found] if len(found) <= MOST_EXACT else []


def newest(selection: Selection, walk: Scan, limit: int, without: Sequence[UUID]) -> Sql:
    """Return the orders that fit among the next WINDOW orders. The scan starts at the first order of any of
    the kinds.
    """
    made = Statement()
    shop = made.put(selection.shop, "text")
    bounds = made.period(selection, "s") + made.beyond(walk, "s")
    if not selection.has_every_kind:
        kinds = made.put(list(selection.kinds), "bigint[]")
        bounds += from_first(shop, kinds, walk, "s")
    rest = made.words(selection) + _fits(made, selection) + _without(made, without)
    sql = f"""select s.placed_at as key, s.order_id
        from (select shop, order_id, placed_at, document from order_search s where s.shop = {shop}{bounds}
              order by {walk.order} limit {WINDOW}) s
        where true{rest} order by {walk.order} limit {limit}"""
    return sql, made.arguments


def indexed(selection: Selection, walk: Scan, limit: int, without: Sequence[UUID]) -> Sql:
    """Return all orders that have the terms, by the index."""
    made = Statement()
    hits = _hits(made, selection, "" if walk.is_by_total else made.beyond(walk, "s"))
    if walk.is_by_total:
        way = "desc" if walk.is_descending else "asc"
        kinds = made.put(list(selection.kinds), "bigint[]")
        rest = (
            f"o.kind_id = any({kinds})" + made.amounts(selection) + made.facets(selection) + made.beyond(walk)
        )
        sql = f"""with hit as materialized ({hits})
            select o.total_minor as key, o.order_id
            from hit s {order_of("s")}
            where {rest}{_without(made, without)} order by o.total_minor {way}, o.order_id {way} limit {limit}"""
    else:
        sql = f"""with hit as materialized ({hits})
            select s.placed_at as key, s.order_id from (select * from hit order by {walk.order}) s
            where true{_fits(made, selection)}{_without(made, without)} limit {limit}"""
    return sql, made.arguments


def counted(selection: Selection, most: int, without: Sequence[UUID]) -> Sql:
    """Return how many orders that fit have the terms, at most `most`, by the index."""
    made = Statement()
    hits = _hits(made, selection, "")
    sql = f"""with hit as materialized ({hits})
        select count(*) from (select from hit s where true{_fits(made, selection)}{_without(made, without)}
                              limit {most}) counted"""
    return sql, made.arguments


def _hits(made: Statement, selection: Selection, beyond: str) -> str:
    """Return the statement of search rows that have the terms. The index is queried for the terms'
    landmarks; adding nothing to shop and document keeps it from being queried for more, and other indexes
    from being used.
    """
    shop = made.put(selection.shop, "text")
    marks = {landmark(term) for term in selection.terms}
    found = [f"s.document like {made.put(pattern(mark), 'text')}" for mark in sorted(marks)]
    full = [term for term in selection.terms if landmark(term) != term]
    found += [f"s.document || '' like {made.put(pattern(term), 'text')}" for term in full]
    asked = made.or_whole(selection, found, "s")
    return f"""select s.shop, s.order_id, s.placed_at from order_search s
        where s.shop || '' = {shop}{asked}{made.period(selection, "s")}{beyond}"""


def _fits(made: Statement, selection: Selection) -> str:
    """Return the condition that the order itself fits the rest of the filter."""
    rest = made.amounts(selection) + made.facets(selection)
    if not selection.has_every_kind:
        rest += f" and o.kind_id = any({made.put(list(selection.kinds), 'bigint[]')})"
    return f" and exists (select from orders o where o.order_id = s.order_id and o.shop || '' = s.shop{rest})"


def _without(made: Statement, order_ids: Sequence[UUID]) -> str:
    return f" and s.order_id <> all({made.put(list(order_ids), 'uuid[]')})" if order_ids else ""
