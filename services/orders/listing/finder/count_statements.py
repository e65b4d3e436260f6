"""The SQL of counts of a selection's orders, up to a limit. Pure."""

from services.orders.listing.finder.selection import Selection
from services.orders.listing.finder.statements import Sql, Statement, facet_conditions, kinds_argument


def counted(sql: Sql) -> Sql:
    """Return the SQL for the number of rows of a statement."""
    return f"select count(*) from ({sql[0]}) counted", sql[1]


def count_kinds(selection: Selection, most: int) -> Sql:
    """Return the SQL for how many orders of the kinds and the period there are, at most `most`; from the
    index only.
    """
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.kinds)
    where = f"o.shop = {shop} and o.kind_id = any({kinds})" + statement.period(selection)
    return (
        f"select count(*) from (select from orders o where {where} limit {most}) counted",
        statement.arguments,
    )


def count_amounts(selection: Selection, most: int) -> Sql:
    """Return the SQL for how many orders of the kinds, the amounts and the period there are, at most `most`;
    from the index by total.
    """
    statement = Statement()
    shop, kinds = statement.put(selection.shop, "text"), kinds_argument(statement, selection.kinds)
    where = (
        f"o.shop = {shop} and o.kind_id = k.kind_id"
        + statement.amounts(selection)
        + statement.period(selection)
    )
    sql = f"""select count(*) from (select from unnest({kinds}) as k (kind_id) cross join lateral
        (select o.total_minor from orders o where {where} order by o.total_minor desc, o.order_id desc
         limit {most}) o limit {most}) counted"""
    return sql, statement.arguments


def count_period(selection: Selection, most: int) -> Sql:
    """Return the SQL for how many orders of the shop were placed in the period, of any kind, at most
    `most`.
    """
    statement = Statement()
    where = f"o.shop = {statement.put(selection.shop, 'text')}" + statement.period(selection)
    sql = f"select count(*) from (select from orders o where {where} limit {most}) counted"
    return sql, statement.arguments


def count_facets(selection: Selection, most: int) -> Sql:
    """Return the SQL for how many rows of the facets, the kinds and the period there are, at most `most`."""
    statement = Statement()
    where = facet_conditions(statement, selection)
    return (
        f"select count(*) from (select from order_facet f where {where} limit {most}) counted",
        statement.arguments,
    )
