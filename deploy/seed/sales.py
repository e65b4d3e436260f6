"""Seeded sales: who bought what and when, each a function of its shop and its number alone.

Invariant: every database computes the same `sale` rows from the same numbers with the same hash, so the four databases
hold the same orders without seeing each other. Ids are made from shop and number, so that two shops never share one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from contracts.sale import PaymentMethod
from contracts.taxation import charges_of
from deploy.samples import habits, people
from deploy.seed import baskets, lives
from deploy.seed.baskets import NumberedBasket
from services.orders.order.search.folding import document, fold, joined
from services.orders.order.search.taxes import facts_of

OUTCOME = """basket int, life int, method text, state text, label text, automatic_state text, hand_state text,
    hand_label text, hand_over text, payment_status text, fulfilment_status text, flags text[],
    due bigint, credited bigint, received bigint, by_hand bigint, refunded bigint, balance bigint, payment_version int,
    fulfilment_version int,
    stock text, line_positions jsonb, ship_ordered int, ship_needed int, packed int, shipped int, delivered int,
    other_ordered int, other_needed int, to_pack int, to_ship int, is_archived boolean, is_cancelled boolean,
    stage int"""
TABLES: Mapping[str, str] = {
    "seed_first": "number int primary key, name text, folded text, joined text, words text",
    "seed_last": "number int primary key, name text, folded text, joined text, words text",
    "seed_town": "number int primary key, postal_code text, city text, country text, street text, words text",
    "seed_day": "number int primary key, day date",
    "seed_basket": """basket int primary key, module text, sale jsonb, tax_minor bigint, shipping_minor bigint,
        vat_rates int[], vat_minor bigint[], units jsonb, words text""",
    "seed_module": "module text primary key, first int, baskets int, is_free boolean[]",
    "seed_line": """basket int, line int, kind text, description text, sku text, quantity int, unit_price bigint,
        discount bigint, total bigint, vat_rate int, resource text, starts interval, ends interval,
        primary key (basket, line)""",
    "seed_life": "age int primary key, picks int[]",
    "seed_outcome": f"{OUTCOME}, primary key (basket, life, method)",
}

SALE = """
create temp table sale as
with numbered as (
    select n, (n - $before - 0.5) / $count::float8 as share, $shop::text || '/seed-' || n as key,
        hashint8extended(n, 1) & 9223372036854775807 as h1, hashint8extended(n, 2) & 9223372036854775807 as h2,
        hashint8extended(n, 3) & 9223372036854775807 as h3, hashint8extended(n, 4) & 9223372036854775807 as h4,
        hashint8extended(n, 5) & 9223372036854775807 as h5, hashint8extended(n, 6) & 9223372036854775807 as h6
    from generate_series($first::bigint, $last::bigint) n),
timed as (
    select s.*, (d.day + make_interval(secs => 3600 * hour + (h1 % 3600000) / 1000.0)) at time zone 'Europe/Paris'
               as placed_at,
        ($modules::text[])[1 + h2 % 100] as module, ($methods::text[])[1 + h3 % 1000] as chosen
    from numbered s
    cross join lateral (select least(width_bucket(s.share, $days::float8[]), $last_day::int) as number) b
    join seed_day d on d.number = b.number
    cross join lateral (select least(width_bucket((h2 / 1000 % 100000) / 100000.0::float8, $hours::float8[]), 23)
                        as hour) c),
filled as (
    select t.*, m.first + (h4 % m.baskets)::int as basket,
        case when m.is_free[1 + (h4 % m.baskets)::int] then 'free' else t.chosen end as method,
        case when t.placed_at > $until::timestamptz - interval '3 days' then 0
             when t.placed_at > $until::timestamptz - interval '14 days' then 1
             when t.placed_at > $until::timestamptz - interval '90 days' then 2 else 3 end as age,
        (h5 % $people::bigint) as person
    from timed t join seed_module m on m.module = t.module)
select f.n, f.placed_at, f.module, f.basket, f.method, f.key,
    (translate(lpad(to_hex((extract(epoch from f.placed_at) * 1000)::bigint), 12, '0'), '', '') || '7'
     || substr(md5(f.key), 1, 3) || '8' || substr(md5(f.key), 4, 15))::uuid as order_id,
    (select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
                              1 + (((f.n * 238204997451 + 77777777777) % 1099511627776) >> (5 * (8 - i)) & 31)::int, 1)
                       || case when i = 4 then '-' else '' end, '' order by i)
     from generate_series(1, 8) i) as code,
    l.picks[1 + h6 % 1000] as life, 'W-' || (100000 + f.n) as reference,
    first.name || ' ' || last.name as name, town.words as address_words,
    first.words || last.words || first.joined || last.joined as name_words,
    replace(first.folded, ' ', '-') || '.' || last.folded || '.' || f.person || '@example.org' as mail,
    case when f.person % 4 < 3 then '+33 6 ' || substr(lpad((f.person % 100000000)::text, 8, '0'), 1, 2) || ' '
        || substr(lpad((f.person % 100000000)::text, 8, '0'), 3, 2) || ' '
        || substr(lpad((f.person % 100000000)::text, 8, '0'), 5, 2) || ' '
        || substr(lpad((f.person % 100000000)::text, 8, '0'), 7, 2) end as phone,
    '336' || lpad((f.person % 100000000)::text, 8, '0') as phone_digits,
    1 + f.person % 120 as house, town.postal_code, town.city, town.country, town.street,
    case f.method when 'card' then 'stripe' when 'paypal' then 'paypal' end as provider,
    case f.method when 'card' then 'pi_' || substr(md5('p' || f.key), 1, 24)
                  when 'paypal' then upper(substr(md5('p' || f.key), 1, 17)) end as provider_reference,
    '6A' || lpad((h1 % 100000000000)::text, 11, '0') as tracking_number,
    ($carriers::text[])[1 + h3 / 1000 % $carrier_count::int] as carrier,
    f.placed_at + make_interval(secs => 60 + h6 / 1000 % 300) as paid_at,
    f.placed_at + make_interval(hours => (2 + h6 / 7 % 30)::int) as packed_at,
    f.placed_at + make_interval(hours => (33 + h6 / 11 % 20)::int) as shipped_at,
    f.placed_at + make_interval(hours => (60 + h6 / 13 % 72)::int) as delivered_at,
    h5 / 100000 % 1000 as luck
from filled f
join seed_life l on l.age = f.age
join seed_first first on first.number = f.person % $firsts::int
join seed_last last on last.number = f.person / $firsts::int % $lasts::int
join seed_town town on town.number = f.person % $towns::int
"""
OF_ONE_ORDER = (
    "shop",
    "idempotency_key",
    "source_reference",
    "submitted_at",
    "payment",
    "customer",
    "billing_address",
    "shipping_address",
)
"""Fields of a basket's sale that differ from order to order."""


class NameRow(NamedTuple):
    """A first or last name, with the words by which it is found."""

    number: int
    name: str
    folded: str
    joined: str
    words: str


class TownRow(NamedTuple):
    """A town and a street in it."""

    number: int
    postal_code: str
    city: str
    country: str
    street: str
    words: str


class BasketRow(NamedTuple):
    """What a sale contains; `sale` and `units` are JSON."""

    basket: int
    module: str
    sale: str
    tax_minor: int
    shipping_minor: int
    vat_rates: list[int]
    vat_minor: list[int]
    units: str
    words: str


class ModuleRow(NamedTuple):
    """The baskets of a module, which are numbered consecutively."""

    module: str
    first: int
    baskets: int
    is_free: list[bool]


class LineRow(NamedTuple):
    """A line of a basket; `starts` and `ends` count from the vocabulary's moment."""

    basket: int
    line: int
    kind: str
    description: str
    sku: str | None
    quantity: int
    unit_price: int
    discount: int
    total: int
    vat_rate: int
    resource: str | None
    starts: timedelta | None
    ends: timedelta | None


class NumberedRow(NamedTuple):
    """A value under its number: a day, or the lives picked for an age."""

    number: int
    value: date | list[int]


SeedRow = NameRow | TownRow | BasketRow | ModuleRow | LineRow | NumberedRow | lives.OutcomeRow
Vocabulary = Sequence[tuple[str, Sequence[SeedRow]]]
"""Rows by the name of their table."""


def vocabulary_rows(shop: str, until: date, days: int) -> Iterator[tuple[str, Sequence[SeedRow]]]:
    """Return the rows of the tables that sales are put together from."""
    filled = baskets.baskets(shop)
    towns = [*people.TOWNS, *people.TOWNS_ABROAD]
    yield "seed_first", [_name_row(n, name) for n, name in enumerate(people.FIRST)]
    yield "seed_last", [_name_row(n, name) for n, name in enumerate(people.LAST)]
    yield (
        "seed_town",
        [_town_row(n, *town, people.STREETS[n % len(people.STREETS)]) for n, town in enumerate(towns)],
    )
    yield "seed_day", [NumberedRow(*day) for day in enumerate(habits.days_before(until, days))]
    yield "seed_basket", [_basket_row(basket) for basket in filled]
    yield "seed_module", list(_module_rows(filled))
    yield "seed_line", [row for basket in filled for row in _line_rows(basket)]
    names = [life.name for life in lives.LIVES]
    yield (
        "seed_life",
        [
            NumberedRow(number, [names.index(name) for name in habits.picks(lives.SHARES[age], 1000)])
            for number, age in enumerate(lives.AGES)
        ],
    )
    yield "seed_outcome", list(lives.outcomes(filled, shop))


def settings(before: int, count: int, until: datetime, days: int) -> dict[str, Any]:
    """Return what SALE's names stand for, but for `first` and `last`, the numbers of the sales to make."""
    methods = [method.value for method in habits.picks(habits.METHOD_PERMILLE, 1000)]
    return {
        "before": before,
        "count": count,
        "until": until,
        "days": habits.day_shares(habits.days_before(until.date(), days)),
        "last_day": days - 1,
        "hours": habits.hour_shares(),
        "modules": [module.value for module in habits.picks(habits.MODULE_PERCENT, 100)],
        "methods": methods,
        "people": max(10, count * 2 // 5),
        "carriers": list(habits.CARRIERS),
        "carrier_count": len(habits.CARRIERS),
        "firsts": len(people.FIRST),
        "lasts": len(people.LAST),
        "towns": len(people.TOWNS) + len(people.TOWNS_ABROAD),
    }


def _name_row(number: int, name: str) -> NameRow:
    return NameRow(number, name, fold(name), joined(name), document([], [name]))


def _town_row(number: int, postal_code: str, city: str, country: str, street: str) -> TownRow:
    return TownRow(number, postal_code, city, country, street, document([city], [postal_code, street]))


def _basket_row(basket: NumberedBasket) -> BasketRow:
    sale = json.loads(basket.sale.model_dump_json(exclude_none=True))
    for name in OF_ONE_ORDER:
        sale.pop(name, None)
    facts = facts_of(charges_of(basket.sale.lines, None, ()), basket.sale.totals.total_minor, sale)
    rates, amounts = list(facts.vat), list(facts.vat.values())
    lines = basket.sale.lines
    return BasketRow(
        basket=basket.number,
        module=basket.module.value,
        sale=json.dumps(sale),
        tax_minor=facts.tax_minor,
        shipping_minor=facts.shipping_minor,
        vat_rates=rates,
        vat_minor=amounts,
        units=json.dumps({str(number): line.quantity for number, line in enumerate(lines, 1)}),
        words=document([line.sku for line in lines], [line.description for line in lines]),
    )


def _module_rows(filled: Sequence[NumberedBasket]) -> Iterator[ModuleRow]:
    for module in baskets.BASKETS:
        own = [basket for basket in filled if basket.module is module]
        is_free = [lives.methods_of(basket) == [PaymentMethod.FREE] for basket in own]
        yield ModuleRow(module.value, own[0].number, len(own), is_free)


def _line_rows(basket: NumberedBasket) -> Iterator[LineRow]:
    for number, line in enumerate(basket.sale.lines, 1):
        yield LineRow(
            basket=basket.number,
            line=number,
            kind=line.kind.value,
            description=line.description,
            sku=line.sku,
            quantity=line.quantity,
            unit_price=line.unit_price_minor,
            discount=line.discount_minor,
            total=line.total_minor,
            vat_rate=line.vat_rate,
            resource=line.resource,
            starts=line.starts_at - baskets.SAMPLED_AT if line.starts_at else None,
            ends=line.ends_at - baskets.SAMPLED_AT if line.ends_at else None,
        )
