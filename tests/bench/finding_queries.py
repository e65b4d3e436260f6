"""What the bench asks of lists: filters that people combine, and those that hurt. The same in every run.

Among them are rare kinds, kinds that live far from the newest orders (archived), combinations that hardly occur, single
days and whole years, amounts, tags, every sequence, first pages and pages deep inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from contracts.orders.lifecycle import OrderState
from contracts.sale import Module, PaymentMethod
from deploy.samples.habits import CARRIERS
from services.orders.listing.cursor import PageCursor
from services.orders.listing.filters import Filters
from services.orders.listing.words import UNPLACED, PaymentWord, Sort, StatusWord, Tab
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus

SPAN = timedelta(days=3 * 365)
HARD: Sequence[dict[str, Any]] = (
    {},
    {"tab": "archived"},
    {"tab": "archived", "sort": "lowest"},
    {"tab": "all", "state": ["cancelled"], "payment": ["refunded"]},
    {"tab": "archived", "payment_status": ["overpaid"]},
    {"tab": "to_refund"},
    {"tab": "problems"},
    {"tab": "archived", "module": ["slots"], "payment_method": ["other"]},
    {"state": ["awaiting_payment"], "sort": "oldest"},
    {"tab": "all", "sort": "highest"},
    {"amount_min": 60000, "currency": "EUR"},
    {"amount_min": 60000, "currency": "EUR", "tab": "to_process"},
    {"amount_max": 300, "currency": "EUR", "tab": "archived"},
    {"carrier": ["DHL"], "tab": "archived", "sort": "oldest"},
    {"tab": "to_collect", "payment_method": ["cheque"]},
    {"fulfilment": ["packed"], "payment": ["unpaid"]},
    {"status": ["new"], "carrier": ["DHL"]},
)


@dataclass(frozen=True)
class Requested:
    """A list and where its page begins."""

    filters: Filters
    after: str | None = None


def list_queries(count: int, newest: datetime, tags: Sequence[UUID]) -> list[Requested]:
    """So many random lists, the hard ones among them, a third of them deep inside."""
    chance = Random("lists")
    found = [Requested(Filters.model_validate(hard)) for hard in HARD]
    while len(found) < count:
        filters = _random(chance, newest, tags)
        found.append(Requested(filters, _deep(chance, filters, newest) if chance.random() < 0.33 else None))
    return found[:count]


def _random(chance: Random, newest: datetime, tags: Sequence[UUID]) -> Filters:
    chosen: dict[str, Any] = {"tab": chance.choice([None, None, *Tab]), "sort": _sort(chance)}
    for name in chance.sample(list(_CHOICES), chance.choice((0, 1, 1, 2, 3))):
        chosen[name] = chance.sample(_CHOICES[name], chance.choice((1, 1, 2)))
    if chance.random() < 0.3:
        days = chance.choice((1, 7, 31, 365))
        last = (newest - SPAN * chance.random() ** 2).date()
        chosen |= {"from": last - timedelta(days=days - 1), "to": last}
    if chance.random() < 0.2:
        low = chance.choice((0, 1000, 5000, 20000, 50000))
        chosen |= {
            "amount_min": low,
            "amount_max": low + chance.choice((100, 5000, 10**7)),
            "currency": "EUR",
        }
    if tags and chance.random() < 0.15:
        chosen["tag"] = chance.sample(list(tags), chance.choice((1, 1, 2)))
    return Filters.model_validate({name: value for name, value in chosen.items() if value is not None})


def _sort(chance: Random) -> Sort:
    return chance.choices(list(Sort), (70, 10, 10, 10))[0]


_CHOICES: dict[str, list[Any]] = {
    "state": [state for state in OrderState if state not in UNPLACED],
    "status": list(StatusWord),
    "payment": list(PaymentWord),
    "payment_status": list(PaymentStatus),
    "fulfilment": list(FulfilmentStatus),
    "module": list(Module),
    "payment_method": list(PaymentMethod),
    "carrier": list(CARRIERS),
    "label": ["payments_received", "in_progress_order", "completed"],
}


def _deep(chance: Random, filters: Filters, newest: datetime) -> str:
    if filters.sort.is_by_total:
        return str(PageCursor(chance.randrange(500, 30_000), UUID(int=chance.getrandbits(128))))
    return str(PageCursor(newest - SPAN * chance.random(), UUID(int=chance.getrandbits(128))))


async def search_queries(connection: Any, count: int, newest: datetime) -> list[Requested]:
    """Searches: words common, rare, missing, accented, partial; names, codes, mails, phones, SKUs, numbers."""
    chance = Random("searches")
    rows = await connection.fetch(
        """select o.code, o.customer_name, o.customer_email, o.customer_phone, l.sku, s.tracking_number,
                  e.provider_reference
           from orders o
           join lateral (select sku from order_line l
                         where l.shop = o.shop and l.order_id = o.order_id limit 1) l on true
           left join lateral (select tracking_number from shipment s
                              where s.shop = o.shop and s.order_id = o.order_id limit 1) s on true
           left join lateral (select provider_reference from ledger_entry e where e.shop = o.shop
                              and e.order_id = o.order_id and provider_reference is not null limit 1) e on true
           where o.placed_at > $1 order by o.order_id limit $2""",
        newest - SPAN * 0.9,
        count,
    )
    found = [Requested(Filters(q=word)) for word in COMMON]
    while rows and len(found) < count:
        text = _words(chance, chance.choice(rows))
        if text:
            more: dict[str, Any] = {"q": text}
            if chance.random() < 0.3:
                more["tab"] = chance.choice(list(Tab))
            if chance.random() < 0.1:
                more["module"] = [chance.choice(list(Module))]
            found.append(Requested(Filters.model_validate(more)))
    return found[:count]


COMMON = """martin|example.org|zoé|zoe|ZOÉ|é|a|colissimo|nowhere-to-be-found|xqzkw|+33 6|carnet|car-a5|marie robin
thérèse da-silva|336|6a0|pi_|w-1|org zoe martin|%|--""".replace("\n", "|").split("|")


def _words(chance: Random, row: Any) -> str:
    name = row["customer_name"]
    start = chance.randrange(max(1, len(name) - 4))
    return chance.choice(
        [
            row["code"],
            row["code"].replace("-", "").lower(),
            name,
            name.split()[-1],
            name.split()[0][:4],
            name[start : start + 4],
            row["customer_email"],
            row["customer_email"].split("@")[0],
            row["customer_phone"] or "",
            (row["customer_phone"] or "").replace("+33 ", "0").replace(" ", ""),
            row["sku"] or "",
            row["tracking_number"] or "",
            (row["tracking_number"] or "")[-5:],
            row["provider_reference"] or "",
            (row["provider_reference"] or "")[3:10],
            f"{name.split()[0]} {row['sku'] or 'x'}",
            f"{name[::-1]}",
        ]
    )
