"""The demo's sales: some hundred and seventy over the five modules and the last two months, the same for the same seed.

Only event ids and times differ from run to run. `mistakes.py` adds what must be refused.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockLevel
from contracts.sale import Module
from deploy.demo.sales.mistakes import mistakes
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.stories import deliver_everything, with_fitting_story
from deploy.samples.articles import GOODS
from deploy.samples.habits import HABITS, HOURS, WEEKDAYS, days_before
from deploy.samples.orders import submitted_order

SEED = 20261141
ON_HAND = 400
"""Stock of each SKU at the start; no demo order is short of it."""
COPIED_EVERY = 14
"""Every so-many-th sale is published twice, as by a storefront that lost a confirm."""
DAYS = 60
NOTES = ("Merci de sonner deux fois.", "Leave it with the neighbour, please.", "C’est pour un anniversaire !")


def demo_sales(seed: int = SEED, opened_at: datetime | None = None) -> list[Sale]:
    """All sales of the demo in the sequence in which they are published, the mistakes last."""
    chance = Random(seed)
    opened_at = opened_at or datetime.now(UTC).replace(microsecond=0)
    modules = [module for module, habit in HABITS.items() for _ in range(habit.orders)]
    chance.shuffle(modules)
    timestamps = past_timestamps(chance, opened_at, len(modules))
    sales = [
        a_sale(chance, module, number, timestamp)
        for number, (module, timestamp) in enumerate(zip(modules, timestamps, strict=True), start=1)
    ]
    first_of_shop = modules.index(Module.SHOP)
    sales[first_of_shop] = deliver_everything(chance, sales[first_of_shop])
    published = [
        replace(sale, copies=2) if rank % COPIED_EVERY == 0 else sale for rank, sale in enumerate(sales)
    ]
    return published + mistakes(published)


def demo_stock() -> list[StockLevel]:
    """What the merchant has on the shelves before the first order."""
    return [StockLevel(sku=article.key, on_hand=ON_HAND) for article in GOODS]


def past_timestamps(chance: Random, opened_at: datetime, count: int) -> list[datetime]:
    """When so many customers came, oldest first: more on some days and hours, a seventh of them in the last six."""
    days = days_before(opened_at.date(), DAYS)
    today = max(1, count // 7)
    earlier = [
        datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 3599))
        for day, hour in zip(
            chance.choices(days, [WEEKDAYS[day.weekday()] for day in days], k=count - today),
            chance.choices(range(24), HOURS, k=count - today),
            strict=True,
        )
    ]
    lately = [opened_at - timedelta(seconds=chance.randint(1, 6 * 3600)) for _ in range(today)]
    return sorted([*earlier, *lately])


def a_sale(chance: Random, module: Module, number: int, submitted_at: datetime) -> Sale:
    """One sale of a module with its story; `number` makes its key."""
    note = chance.choice(NOTES) if chance.random() < 0.2 else None
    methods = HABITS[module].methods
    submitted = submitted_order(chance, number, submitted_at, module=module, methods=methods, note=note)
    return with_fitting_story(chance, Sale(uuid7(), submitted))
