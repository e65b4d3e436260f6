"""Maintenance of `order_search`: a worker rewrites the search words and export columns of changed orders.

It runs about a second behind. Invariant: every change of an order's words inserts a row into
`order_search_due` in the same transaction; the worker deletes it in the transaction that writes the words, so
none is lost when the process dies. One process works at a time: two could overwrite a newer state with an
older one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from contracts.taxation import charge_of
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.orders.order.search.folding import document, fold
from services.orders.order.search.taxes import Facts, facts_of

BATCH = 500
IDLE_SECONDS = 1.0
"""Interval within which all changes of an order are one write: the index of its words is the most expensive
write of all.
"""
_ONE_AT_A_TIME = 0x6F7264657273


def indexer() -> Worker:
    """Return the worker that writes the words of changed orders."""
    return Worker("order search", index_due, idle_seconds=IDLE_SECONDS)


async def index_due(process: Process) -> bool:
    """Write the words of some changed orders. Return whether there may be more."""
    async with process.acquire() as connection, connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _ONE_AT_A_TIME):
            return False
        due = await take_due(connection, BATCH)
        if due:
            await index(connection, [(row["shop"], row["order_id"]) for row in due])
    return len(due) == BATCH


async def index(connection: Connection, orders: Sequence[tuple[str, UUID]]) -> None:
    """Write the words of these orders and the names of their articles, and fix facets that a merge of tags
    may have left.
    """
    keys = sorted(set(orders))
    words = [(row, facts_in(row)) for row in await read_words(connection, keys)]
    if words:
        await write_words(connection, [_searched(row, facts) for row, facts in words])
    if rates := sorted({(row["shop"], rate) for row, facts in words for rate in facts.vat}):
        await write_rates(connection, rates)
    await write_article_names(connection, keys)
    await renew_facets(connection, keys)


async def note_changed(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> None:
    """Mark these orders for rewriting, for changes that no trigger sees (lines of an edited order)."""
    await connection.execute(
        "insert into order_search_due (shop, order_id) select $1, unnest($2::uuid[])", shop, list(order_ids)
    )


class SearchRow(NamedTuple):
    """Search row of an order.

    VAT rates are in millionths; rates and their amounts are passed as array literals.
    """

    shop: str
    order_id: UUID
    placed_at: datetime
    mail: str
    document: str
    country: str | None
    tax_minor: int | None
    shipping_minor: int | None
    vat_ppm: str
    vat_minor: str
    payment_references: Json


def _searched(row: Mapping[str, Any], facts: Facts) -> SearchRow:
    sale = _sale(row)
    addresses = [sale.get(name) or {} for name in ("shipping_address", "billing_address")]
    names = (
        row["code"],
        *(row[name] for name in ("customer_name", "customer_email", "customer_phone", "source_reference")),
        row["submitted_reference"],
        (sale.get("customer") or {}).get("company"),
        *(address.get(name) for address in addresses for name in ("name", "company", "phone", "city")),
        *row["skus"],
        *row["tracking_numbers"],
        *row["payment_references"],
        *row["invoice_numbers"],
    )
    streets = (address.get(name) for address in addresses for name in ("street", "street_2", "postal_code"))
    text = document(names, [*streets, *row["descriptions"]])
    return SearchRow(
        shop=row["shop"],
        order_id=row["order_id"],
        placed_at=row["placed_at"],
        mail=fold(row["customer_email"]),
        document=text,
        country=facts.country,
        tax_minor=facts.tax_minor,
        shipping_minor=facts.shipping_minor,
        vat_ppm=_array(facts.vat.keys()),
        vat_minor=_array(facts.vat.values()),
        payment_references=json.dumps(row["payment_references"]),
    )


def facts_in(row: Mapping[str, Any]) -> Facts:
    """Return the accounting facts from a row of `read_words`."""
    lines = [
        charge_of({"vat_rate": rate, "tax_minor": tax, "taxes": from_json(taxes) if taxes else None}, amount)
        for rate, tax, taxes, amount in zip(
            row["rates"], row["line_taxes"], row["several_taxes"], row["amounts"], strict=True
        )
    ]
    return facts_of(lines, row["total_minor"], _sale(row))


def _sale(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sale as submitted, with the changes that an edit made."""
    sale: dict[str, Any] = from_json(row["body"] or "{}") | from_json(row["amendment"] or "{}")
    return sale


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


async def take_due(connection: Connection, most: int) -> list[Mapping[str, Any]]:
    """Take some of the orders due: shop, order_id. Their rows are deleted when the transaction commits."""
    return await connection.fetch(
        """delete from order_search_due where ctid = any(array(select ctid from order_search_due limit $1))
           returning shop, order_id""",
        most,
    )


_READ_WORDS = Bulk(
    tuple[str, UUID],
    """select o.shop, o.order_id, o.placed_at, o.code, o.customer_name, o.customer_phone, o.total_minor,
           coalesce(o.customer_email, '') as customer_email, o.source_reference, b.body,
           (select a.content from amendment a where a.shop = o.shop and a.order_id = o.order_id) as amendment,
           b.body -> 'payment' ->> 'provider_reference' as submitted_reference,
           l.skus, l.descriptions, l.rates, l.line_taxes, l.several_taxes, l.amounts,
           array(select x.tracking_number from shipment x where x.shop = o.shop and x.order_id = o.order_id
                 and x.tracking_number is not null order by x.dispatched_at, x.shipment_id) as tracking_numbers,
           array(select r.reference from ledger_entry e
                 cross join lateral (values (1, e.provider_reference), (2, e.reference)) r (place, reference)
                 where e.shop = o.shop and e.order_id = o.order_id and r.reference is not null
                 order by e.number, r.place) as payment_references,
           array(select i.number from invoice i where i.shop = o.shop and i.order_id = o.order_id
                 order by i.issued_at, i.invoice_id) as invoice_numbers
       from {rows} as k (shop, order_id)
       cross join lateral (select * from orders o
                           where o.order_id = k.order_id and o.shop || '' = k.shop offset 0) o
       left join lateral (
           select s.body from submission s
           where o.stage = 'placed' and s.shop = o.shop and s.module = o.module
             and s.idempotency_key = o.idempotency_key
           union all
           select c.body from checkout c
           where o.stage <> 'placed' and c.shop = o.shop and c.checkout_id = o.order_id) b on true
       cross join lateral (
           select coalesce(array_agg(l.sku order by l.line) filter (where l.sku is not null), '{}') as skus,
                  coalesce(array_agg(l.description order by l.line), '{}') as descriptions,
                  coalesce(array_agg(l.vat_rate order by l.line), '{}') as rates,
                  coalesce(array_agg(l.tax_minor order by l.line), '{}') as line_taxes,
                  coalesce(array_agg(l.taxes::text order by l.line), '{}') as several_taxes,
                  coalesce(array_agg(l.total_minor order by l.line), '{}') as amounts
           from order_line l where l.shop = o.shop and l.order_id = o.order_id) l""",
)


async def read_words(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> list[Mapping[str, Any]]:
    """Return all searched and derived data of these orders; deleted orders are missing."""
    return await _READ_WORDS.fetch(connection, keys)


_WRITE_WORDS = Bulk(
    SearchRow,
    """insert into order_search as s ({columns})
       select shop, order_id, placed_at, mail, document, country, tax_minor, shipping_minor,
           vat_ppm::integer[], vat_minor::bigint[],
           array(select jsonb_array_elements_text(payment_references))
       from {rows} as r ({columns})
       on conflict (order_id, shop) do update
       set placed_at = excluded.placed_at, mail = excluded.mail, document = excluded.document,
           country = excluded.country, tax_minor = excluded.tax_minor, shipping_minor = excluded.shipping_minor,
           vat_ppm = excluded.vat_ppm, vat_minor = excluded.vat_minor,
           payment_references = excluded.payment_references
       where (s.placed_at, s.mail, s.document, s.country, s.tax_minor, s.shipping_minor, s.vat_ppm, s.vat_minor,
              s.payment_references)
           is distinct from (excluded.placed_at, excluded.mail, excluded.document, excluded.country,
              excluded.tax_minor, excluded.shipping_minor, excluded.vat_ppm, excluded.vat_minor,
              excluded.payment_references)""",
)


async def write_words(connection: Connection, rows: Sequence[SearchRow]) -> None:
    """Write search rows; unchanged rows are not touched."""
    await _WRITE_WORDS.execute(connection, rows)


_WRITE_RATES = Bulk(
    tuple[str, Integer],
    """insert into vat_rate (shop, rate_ppm) select * from {rows}
       on conflict do nothing""",
)


async def write_rates(connection: Connection, rows: Sequence[tuple[str, int]]) -> None:
    """Write the VAT rates that occur in shops: shop, rate in millionths. Idempotent."""
    await _WRITE_RATES.execute(connection, rows)


_WRITE_ARTICLE_NAMES = Bulk(
    tuple[str, UUID],
    """insert into article_name as a (shop, sku, language, name, placed_at)
       select distinct on (l.shop, l.sku, o.language) l.shop, l.sku, o.language, l.description, o.placed_at
       from {rows} as k (shop, order_id)
       cross join lateral (select x.placed_at, left(x.locale, 2) as language from orders x
                           where x.order_id = k.order_id and x.shop || '' = k.shop offset 0) o
       join order_line l on l.shop = k.shop and l.order_id = k.order_id
       where l.sku is not null and l.kind = 'ship'
       order by l.shop, l.sku, o.language, o.placed_at desc, l.order_id
       on conflict (shop, sku, language) do update set name = excluded.name, placed_at = excluded.placed_at
       where excluded.placed_at > a.placed_at
          or (excluded.placed_at = a.placed_at and excluded.name <> a.name)""",
)


async def write_article_names(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> None:
    """Write the names of the articles that these orders ship: per language, the name in the latest order
    wins.
    """
    await _WRITE_ARTICLE_NAMES.execute(connection, keys)


async def read_article_names(
    connection: Connection, shop: str, skus: Sequence[str], language: str
) -> dict[str, str]:
    """Return the names of these articles by article number, in the given language if possible; articles in no
    order are missing.
    """
    rows = await connection.fetch(
        """select distinct on (sku) sku, name from article_name where shop = $1 and sku = any($2::text[])
           order by sku, (language = $3) desc, placed_at desc""",
        *(shop, list(skus), language),
    )
    return {row["sku"]: row["name"] for row in rows}


_RENEW_FACETS = Bulk(
    tuple[str, UUID],
    """update order_facet f set kind_id = o.kind_id, placed_at = o.placed_at, total_minor = o.total_minor
       from {rows} as k (shop, order_id)
       cross join lateral (select x.shop, x.order_id, x.kind_id, x.placed_at, x.total_minor from orders x
                           where x.order_id = k.order_id and x.shop || '' = k.shop
                             and exists (select from order_facet g
                                         where g.order_id = x.order_id and g.shop = x.shop)
                           for share) o
       where f.order_id = o.order_id and f.shop = o.shop
         and (f.kind_id, f.placed_at, f.total_minor) is distinct from (o.kind_id, o.placed_at, o.total_minor)""",
)


async def renew_facets(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> None:
    """Set the kind of these orders' facets to that of the orders."""
    await _RENEW_FACETS.execute(connection, keys)
