"""Orders of every imaginable kind, written into the tables, and the plain filter the engine must agree with."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.orders.lifecycle import OrderState
from contracts.sale import Module, PaymentMethod
from services.orders.listing.filters import Filters
from services.orders.listing.finder.selection import midnight
from services.orders.listing.words import PAYMENT_OF, STATUS_OF, UNPLACED, PaymentWord, Sort, Tab
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus
from services.orders.order.search.folding import occurs
from services.orders.order.search.indexing import index

SHOP, OTHER = "maison", "atelier"
PARIS = ZoneInfo("Europe/Paris")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = [UUID(int=number) for number in range(1, 5)]
CARRIERS = ["Colissimo", "DHL", "Mondial Relay"]
FLAGS = ["stock_missing", "disputed"]
NAMES = ["Zoé Martin", "Łukasz Œuvrard", "Ann Martinez", "Ελένη Παππά", "o'Neil %_\\ Bob"]
LABELS = ["completed", "cancelled", "gift_wrap"]
CURRENCIES = ["EUR", "CHF"]


@dataclass(frozen=True)
class Sample:
    """An order as the plain filter sees it."""

    row: Mapping[str, Any]
    tags: frozenset[UUID] = frozenset()
    troubled: bool = False
    document: str = field(default="", compare=False)

    def __getattr__(self, name: str) -> Any:
        return self.row[name]


COLUMNS = """shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
    customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state, label,
    automatic_state, payment_status, fulfilment_status, flags, payment_version, due_minor, balance_minor,
    fulfilment_version, ship_ordered, ship_needed, ship_delivered, other_ordered, other_needed, units_to_pack,
    units_to_ship, carriers, archived_at, received_at, changed_at""".replace("\n", " ")


def random_row(chance: random.Random, number: int, shop: str = SHOP) -> dict[str, Any]:
    """An order of random columns; many share a moment and a total."""
    name = chance.choice(NAMES)
    needed = chance.choice([0, 2])
    return {
        "shop": shop,
        "order_id": UUID(int=chance.getrandbits(128)),
        "code": f"K{number:03d}-{chance.choice('QZ')}9MX",
        "sequence": 1,
        "module": chance.choice(list(Module)).value,
        "idempotency_key": f"key-{shop}-{number}",
        "source_reference": chance.choice([None, f"W-{number}"]),
        "locale": "fr",
        "placed_at": FIRST_DAY + timedelta(hours=chance.randrange(24 * 20)),
        "customer_name": name,
        "customer_email": f"{chance.choice(['zoe', 'ann'])}{number % 7}@client.example",
        "customer_phone": chance.choice([None, "+33 6 12 34 56 78", f"06 99 {number:06d}"]),
        "payment_method": chance.choice(list(PaymentMethod)).value,
        "currency": chance.choice(CURRENCIES),
        "total_minor": chance.randrange(12) * 500,
        "state": chance.choice(list(OrderState)).value,
        "label": chance.choice(LABELS),
        "automatic_state": "ready",
        "payment_status": chance.choice(list(PaymentStatus)).value,
        "fulfilment_status": chance.choice(list(FulfilmentStatus)).value,
        "flags": chance.choice([[], [], [], [chance.choice(FLAGS)], FLAGS]),
        "payment_version": 1,
        "due_minor": 0,
        "balance_minor": chance.choice([-500, 0, 500]),
        "fulfilment_version": 1,
        "ship_ordered": 2,
        "ship_needed": needed,
        "ship_delivered": chance.choice([0, needed]),
        "other_ordered": 0,
        "other_needed": 0,
        "units_to_pack": chance.choice([0, 2]),
        "units_to_ship": chance.choice([0, 1]),
        "carriers": sorted(chance.sample(CARRIERS, chance.choice([0, 0, 1, 2]))),
        "archived_at": chance.choice([None, None, FIRST_DAY]),
        "received_at": FIRST_DAY,
        "changed_at": FIRST_DAY,
    }


async def insert_rows(connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write orders."""
    places = ", ".join(f"${number}" for number in range(1, len(COLUMNS.split(",")) + 1))
    await connection.executemany(
        f"insert into orders ({COLUMNS}) values ({places})",  # noqa: S608
        [tuple(row.values()) for row in rows],
    )


async def insert_samples(connection: Any, seed: int, count: int) -> list[Sample]:
    """Write random orders of two shops with tags and troubled mails, indexed; those of the first shop come back."""
    chance = random.Random(seed)
    rows = [random_row(chance, number, SHOP if number % 10 else OTHER) for number in range(count)]
    await insert_rows(connection, rows)
    samples = []
    for row in rows:
        tags = frozenset(chance.sample(TAGS, chance.choice([0, 0, 0, 1, 2])))
        samples.append(Sample(row, tags, chance.random() < 0.1))
    await connection.executemany(
        "insert into order_tag (shop, order_id, tag_id, added_by, added_at) values ($1, $2, $3, 'a', now())",
        [(one.shop, one.order_id, tag) for one in samples for tag in one.tags],
    )
    await connection.executemany(
        """insert into mail (shop, mail_id, order_id, template, recipient, cause_id, state, at)
           values ($1, gen_random_uuid(), $2, 'recap', 'a@b.example', gen_random_uuid(), 'failed', now())""",
        [(one.shop, one.order_id) for one in samples if one.troubled],
    )
    await index(connection, [(one.shop, one.order_id) for one in samples])
    documents = {
        row["order_id"]: row["document"] for row in await connection.fetch("select * from order_search")
    }
    return [
        Sample(one.row, one.tags, one.troubled, documents[one.order_id])
        for one in samples
        if one.shop == SHOP
    ]


def plainly(samples: Sequence[Sample], filters: Filters, zone: ZoneInfo) -> list[Sample]:
    """The samples a filter means, in its sequence: the specification, written a second time and simply."""
    found = [one for one in samples if _fits(one, filters, zone)]
    column = "total_minor" if filters.sort.is_by_total else "placed_at"
    found.sort(key=lambda one: (one.row[column], one.order_id), reverse=filters.sort.is_descending)
    if filters.q and filters.sort is Sort.NEWEST:
        found.sort(key=lambda one: filters.q.strip().lower() not in _names(one))
    return found


def _names(one: Sample) -> set[str]:
    code = one.code.lower()
    return {code, code.replace("-", ""), one.customer_email}


def _fits(one: Sample, filters: Filters, zone: ZoneInfo) -> bool:
    requested = filters.state or filters.status or filters.payment or filters.payment_status
    trouble = bool(one.flags) or (filters.tab is Tab.PROBLEMS and one.troubled)
    if one.state in UNPLACED and not requested and not (filters.tab is Tab.PROBLEMS and one.flags):
        return False
    return (
        _in_tab(one, filters.tab, trouble)
        and all(
            not wanted or value in wanted
            for value, wanted in (
                (one.state, filters.state),
                (STATUS_OF.get(one.state), filters.status),
                (one.label, filters.label),
                (one.payment_status, filters.payment_status),
                (PAYMENT_OF[one.payment_status], filters.payment),
                (one.fulfilment_status, filters.fulfilment),
                (one.module, filters.module),
                (one.payment_method, filters.payment_method),
            )
        )
        and (not filters.carrier or bool(set(filters.carrier) & set(one.carriers)))
        and (not filters.tag or bool(set(filters.tag) & one.tags))
        and (filters.currency is None or one.currency == filters.currency)
        and (filters.amount_min is None or one.total_minor >= filters.amount_min)
        and (filters.amount_max is None or one.total_minor <= filters.amount_max)
        and (filters.from_ is None or one.placed_at >= midnight(filters.from_, zone))
        and (filters.to is None or one.placed_at < midnight(filters.to + timedelta(days=1), zone))
        and occurs(filters.q, one.document)
    )


def _in_tab(one: Sample, tab: Tab | None, trouble: bool) -> bool:
    placed, worked_on = one.state not in UNPLACED, one.state in ("ready", "processing")
    live = one.archived_at is None
    can_be_packed = one.units_to_pack > 0 and "stock_missing" not in one.flags
    left = can_be_packed or one.units_to_ship > 0
    return {
        None: True,
        Tab.EVERYTHING: True,
        Tab.ALL: live,
        Tab.ARCHIVED: not live,
        Tab.TO_PROCESS: live and worked_on and left,
        Tab.TO_COLLECT: live
        and placed
        and one.state != "cancelled"
        and PAYMENT_OF[one.payment_status] == PaymentWord.UNPAID,
        Tab.TO_REFUND: live and placed and one.balance_minor < 0,
        Tab.TO_PACK: live and worked_on and one.units_to_pack > 0,
        Tab.TO_SHIP: live and placed and one.units_to_ship > 0,
        Tab.PROBLEMS: live and trouble,
    }[tab]
