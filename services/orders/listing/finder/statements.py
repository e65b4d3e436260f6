"""The SQL of lists, built from a selection: fragments of this module with every value as an argument. Pure.

Each statement returns rows (key, order_id) in the list's order, where `key` is the sort key. They differ in
the access path: `scan` walks all orders of the shop, `merge` reads the first of each kind and combines them,
`gather` reads all that fit and sorts. None counts, none skips rows by number.
"""

from dataclasses import dataclass, field
from typing import Any

from services.orders.listing.finder.scans import Scan, direction, farthest
from services.orders.listing.finder.selection import Selection
from services.orders.order.search.folding import pattern


@dataclass(slots=True)
class Statement:
    """A statement under construction: `put` adds an argument and returns its placeholder."""

    arguments: list[Any] = field(default_factory=list)

    def put(self, value: Any, kind: str) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}::{kind}"

    def period(self, selection: Selection, table: str = "o") -> str:
        """Return the condition that the time placed is within the period."""
        parts = []
        if selection.since is not None:
            parts.append(f" and {table}.placed_at >= {self.put(selection.since, 'timestamptz')}")
        if selection.until is not None:
            parts.append(f" and {table}.placed_at < {self.put(selection.until, 'timestamptz')}")
        return "".join(parts)

    def beyond(self, scan: Scan, table: str = "o") -> str:
        """Return the condition for rows after the place in the scan's order."""
        if scan.beyond is None:
            return ""
        kind = "bigint" if scan.is_by_total else "timestamptz"
        cursor = f"({self.put(scan.beyond.key, kind)}, {self.put(scan.beyond.order_id, 'uuid')})"
        return f" and ({table}.{scan.column}, {table}.order_id) {scan.sign} {cursor}"

    def amounts(self, selection: Selection, table: str = "o") -> str:
        """Return the condition that the total is within the amounts."""
        parts = []
        if selection.amount_min is not None:
            parts.append(f" and {table}.total_minor >= {self.put(selection.amount_min, 'bigint')}")
        if selection.amount_max is not None:
            parts.append(f" and {table}.total_minor <= {self.put(selection.amount_max, 'bigint')}")
        return "".join(parts)

    def facets(self, selection: Selection) -> str:
        """Return the condition that the order has any of the facets."""
        if not selection.facets:
            return ""
        return f""" and exists (select from order_facet f where f.order_id = o.order_id and f.shop = o.shop
                                and f.facet = any({self.put(list(selection.facets), "text[]")}))"""

    def words(self, selection: Selection, table: str = "s") -> str:
        """Return the condition that the document has all terms, or all of them as one word."""
        found = [f"{table}.document like {self.put(pattern(term), 'text')}" for term in selection.terms]
        return self.or_whole(selection, found, table)

    def or_whole(self, selection: Selection, conditions: list[str], table: str) -> str:
        """Return the condition that all of these conditions hold, or the text occurs as one word."""
        if not conditions:
            return ""
        both = " and ".join(conditions)
        if selection.whole is not None:
            both = f"(({both}) or {table}.document like {self.put(pattern(selection.whole), 'text')})"
        return f" and {both}"

    def text(self, selection: Selection, table: str = "o") -> str:
        """Return the condition that the order's document has all terms."""
        if not selection.terms:
            return ""
        return f""" and exists (select from order_search s where s.order_id = {table}.order_id and s.shop = {table}.shop
                                {self.words(selection)})"""

    def residue(self, selection: Selection) -> str:
        """Return the conditions that the kind does not cover: period, amounts, facets, text."""
        return (
            self.period(selection) + self.amounts(selection) + self.facets(selection) + self.text(selection)
        )


Sql = tuple[str, list[Any]]
NO_LIMIT = 2**62
"""The limit for a complete list."""


def order_of(table: str, shop: str | None = None) -> str:
    """Return the join to the order of each row of a table, by one probe of the primary key regardless of the
    planner's estimates.
    """
    return f"""cross join lateral (select * from orders o where o.order_id = {table}.order_id
                                   and o.shop || '' = {shop or f"{table}.shop"} offset 0) o"""


def scan(selection: Selection, scan: Scan, window: int, limit: int) -> Sql:
    """Return the SQL for those that fit among the next `window` orders of the shop by time, read from the
    index only. It starts at the first order of any of the kinds, which may be far from the first of all.
    Yields fewer than there are when the window is too small: then another plan must answer.
    """
    statement = Statement()
    shop = statement.put(selection.shop, "text")
    bounds = statement.period(selection) + statement.beyond(scan)
    kinds = ""
    if not selection.has_every_kind:
        numbers = kinds_argument(statement, selection.kinds)
        kinds = f" and o.kind_id = any({numbers})"
        bounds += from_first(shop, numbers, scan)
    rest = statement.amounts(selection) + statement.facets(selection) + statement.text(selection)
    sql = f"""select o.placed_at as key, o.order_id
        from (select shop, order_id, placed_at, kind_id, total_minor from orders o where o.shop = {shop}{bounds}
              order by {scan.order} limit {window}) o
        where true{kinds}{rest} order by {scan.order} limit {limit}"""
    return sql, statement.arguments


def from_first(shop: str, kinds: str, scan: Scan, table: str = "o") -> str:
    """Return the condition that excludes orders before the first order of any of the kinds."""
    extreme, sign = ("max", "<=") if scan.is_descending else ("min", ">=")
    return f""" and {table}.placed_at {sign} (select {extreme}(f.placed_at) from unnest({kinds}) as k (kind_id)
        cross join lateral (select f.placed_at from orders f where f.shop = {shop} and f.kind_id = k.kind_id
                            order by f.placed_at {direction(scan)}, f.order_id {direction(scan)} limit 1) f)"""


def is_beyond_window(selection: Selection, scan: Scan, window: int) -> Sql:
    """Return whether there are orders behind the window of `scan`."""
    statement = Statement()
    shop = statement.put(selection.shop, "text")
    bounds = statement.period(selection) + statement.beyond(scan)
    if not selection.has_every_kind:
        bounds += from_first(shop, kinds_argument(statement, selection.kinds), scan)
    sql = f"""select true from orders o where o.shop = {shop}{bounds}
        order by {scan.order} offset {window} limit 1"""
    return sql, statement.arguments


def merge(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for the first orders of every kind, combined. Of many kinds only those can be on the
    page whose own first order is among the first `limit` firsts, and of them only orders not behind the last
    of these.
    """
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.kinds)
    where = (
        f"o.shop = {shop} and o.kind_id = k.kind_id" + statement.residue(selection) + statement.beyond(scan)
    )
    column, back = scan.column, "min" if scan.is_descending else "max"
    not_behind = ">=" if scan.is_descending else "<="
    sql = f"""with first as materialized (
            select k.kind_id, f.key from unnest({kinds}) as k (kind_id)
            cross join lateral (select o.{column} as key, o.order_id from orders o where {where}
                                order by o.{column} {direction(scan)}, o.order_id {direction(scan)} limit 1) f
            order by f.key {direction(scan)}, f.order_id {direction(scan)} limit {limit}),
        bound as materialized (select case when count(*) = {limit} then {back}(key) end as key from first)
        select o.key, o.order_id from bound cross join first k
        cross join lateral (select o.{column} as key, o.order_id from orders o where {where}
                            and o.{column} {not_behind} coalesce(bound.key, {farthest(scan)})
                            order by o.{column} {direction(scan)}, o.order_id {direction(scan)} limit {limit}) o
        order by o.key {direction(scan)}, o.order_id {direction(scan)} limit {limit}"""
    return sql, statement.arguments


def gather(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for all that fit, sorted: for few orders."""
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.kinds)
    where = (
        f"o.shop = {shop} and o.kind_id = any({kinds})"
        + statement.residue(selection)
        + statement.beyond(scan)
    )
    sql = f"""with found as materialized (select o.{scan.column}, o.order_id from orders o where {where})
        select o.{scan.column} as key, o.order_id from found o order by {scan.order} limit {limit}"""
    return sql, statement.arguments


def gather_amounts(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for all of the kinds and the amounts that fit, sorted: for few of them. Reads the index
    by total, kind by kind.
    """
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.kinds)
    where = (
        f"o.shop = {shop} and o.kind_id = k.kind_id"
        + statement.amounts(selection)
        + statement.period(selection)
    )
    rest = statement.beyond(scan)
    sql = f"""with found as materialized (
            select o.placed_at, o.order_id from unnest({kinds}) as k (kind_id) cross join lateral
                (select o.placed_at, o.order_id from orders o where {where}
                 order by o.total_minor desc, o.order_id desc) o)
        select o.placed_at as key, o.order_id from found o where true{rest} order by {scan.order} limit {limit}"""
    return sql, statement.arguments


def gather_period(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for all of the period that fit, sorted: for a short period with many kinds."""
    statement = Statement()
    shop = statement.put(selection.shop, "text")
    kinds = (
        ""
        if selection.has_every_kind
        else f" and o.kind_id = any({kinds_argument(statement, selection.kinds)})"
    )
    rest = (
        statement.amounts(selection)
        + statement.facets(selection)
        + statement.text(selection)
        + statement.beyond(scan)
    )
    sql = f"""select o.{scan.column} as key, o.order_id
        from (select o.shop, o.order_id, o.placed_at, o.kind_id, o.total_minor from orders o
              where o.shop = {shop}{statement.period(selection)} order by o.placed_at desc, o.order_id desc offset 0) o
        where true{kinds}{rest} order by {scan.order} limit {limit}"""
    return sql, statement.arguments


def gather_facets(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for all orders with any of the facets that fit, sorted: for few of them."""
    statement = Statement()
    where = (
        facet_conditions(statement, selection) + statement.beyond(scan, "f") + statement.text(selection, "f")
    )
    sql = f"""select distinct f.{scan.column} as key, f.order_id from order_facet f where {where}
        order by key {direction(scan)}, f.order_id {direction(scan)} limit {limit}"""
    return sql, statement.arguments


def merge_facets(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for the first orders of every facet and kind, combined; by time only. An order with
    several of the facets has a row for each, so `limit` rows may be fewer orders.
    """
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.kinds)
    facets = statement.put(list(selection.facets), "text[]")
    order = direction(scan)
    rest = statement.period(selection, "f") + statement.amounts(selection, "f") + statement.beyond(scan, "f")
    rest += statement.text(selection, "f")
    sql = f"""with recursive present as (
            (select f.facet, f.kind_id from unnest({facets}) as w (facet) cross join lateral
                (select f.facet, f.kind_id from order_facet f where f.shop = {shop} and f.facet = w.facet
                 order by f.kind_id limit 1) f)
            union all
            select n.facet, n.kind_id from present p cross join lateral
                (select f.facet, f.kind_id from order_facet f
                 where f.shop = {shop} and f.facet = p.facet and f.kind_id > p.kind_id
                 order by f.kind_id limit 1) n)
        select o.key, o.order_id from present p cross join lateral (
            select f.placed_at as key, f.order_id from order_facet f
            where f.shop = {shop} and f.facet = p.facet and f.kind_id = p.kind_id{rest}
            order by f.placed_at {order}, f.order_id {order} limit {limit}) o
        where p.kind_id = any({kinds}) order by o.key {order}, o.order_id {order}
        limit {limit * len(selection.facets)}"""
    return sql, statement.arguments


def troubled(selection: Selection, scan: Scan, limit: int) -> Sql:
    """Return the SQL for the orders with a mail that failed or a command that waits for staff."""
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.troubled_kinds)
    where = f"o.kind_id = any({kinds})" + statement.residue(selection) + statement.beyond(scan)
    sql = f"""with trouble as materialized (
            select m.order_id from mail m
            where m.shop = {shop} and m.state <> 'sent' and m.state <> 'withdrawn' and m.order_id is not null
            union
            select c.order_id from command c
            where c.shop = {shop} and c.state = 'parked' and c.order_id is not null)
        select o.{scan.column} as key, o.order_id
        from trouble t {order_of("t", shop)}
        where {where} order by o.{scan.column} {direction(scan)}, o.order_id {direction(scan)} limit {limit}"""
    return sql, statement.arguments


def facet_conditions(statement: Statement, selection: Selection) -> str:
    kinds = (
        ""
        if selection.has_every_kind
        else f" and f.kind_id = any({kinds_argument(statement, selection.kinds)})"
    )
    shop, facets = statement.put(selection.shop, "text"), statement.put(list(selection.facets), "text[]")
    limits = statement.period(selection, "f") + statement.amounts(selection, "f")
    return f"f.shop = {shop} and f.facet = any({facets}){kinds}{limits}"


def kinds_argument(statement: Statement, kinds: tuple[int, ...]) -> str:
    return statement.put(list(kinds), "bigint[]")
