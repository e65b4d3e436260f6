"""The demo's sales: some hundred and seventy over the five modules and the last two months, the same for the same seed.

Only event ids and times differ from run to run. `mistakes.py` adds what must be refused.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from contracts.envelope import uuid7
from contracts.fulfillment import StockLevel
from contracts.storefront import Module, PaymentChoice, PaymentMethod
from deploy.demo.sales.baskets import FILL
from deploy.demo.sales.customers import address, customer
from deploy.demo.sales.merchant import GARANCE, GOODS
from deploy.demo.sales.mistakes import mistakes
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.stories import deliver_everything, tell
from deploy.demo.sales.submitting import submission, totals

SEED = 20261122
ON_HAND = 400
"""Stock of each SKU at the start; no demo order is short of it."""
COPIED_EVERY = 14
"""Every so-many-th sale is published twice, as by a storefront that lost a confirm."""


@dataclass(frozen=True)
class Habit:
    """How many customers a module has and how they pay, by weight."""

    orders: int
    methods: dict[PaymentMethod, int]


HABITS = {
    Module.SHOP: Habit(
        90,
        {
            PaymentMethod.CARD: 55,
            PaymentMethod.CHEQUE: 15,
            PaymentMethod.TRANSFER: 20,
            PaymentMethod.CASH: 10,
        },
    ),
    Module.EVENTS: Habit(26, {PaymentMethod.CARD: 70, PaymentMethod.CHEQUE: 15, PaymentMethod.TRANSFER: 15}),
    Module.PRICE_TABLE: Habit(
        20, {PaymentMethod.TRANSFER: 50, PaymentMethod.CARD: 30, PaymentMethod.CHEQUE: 20}
    ),
    Module.RESTAURANT: Habit(18, {PaymentMethod.CASH: 60, PaymentMethod.CARD: 40}),
    Module.SLOTS: Habit(18, {PaymentMethod.CARD: 50, PaymentMethod.CASH: 50}),
}
DAYS = 60
WEEKDAYS = (8, 9, 10, 12, 17, 20, 9)
"""How many customers come on a Monday, a Tuesday, …, by weight."""
NOTES = ("Merci de sonner deux fois.", "Leave it with the neighbour, please.", "C’est pour un anniversaire !")


def demo_sales(seed: int = SEED, opened_at: datetime | None = None) -> list[Sale]:
    """All sales of the demo in the sequence in which they are published, the mistakes last."""
    chance = Random(seed)
    opened_at = opened_at or datetime.now(UTC).replace(microsecond=0)
    modules = [module for module, habit in HABITS.items() for _ in range(habit.orders)]
    chance.shuffle(modules)
    moments = past_moments(chance, opened_at, len(modules))
    sales = [
        a_sale(chance, module, number, moment)
        for number, (module, moment) in enumerate(zip(modules, moments, strict=True), start=1)
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


def card(chance: Random) -> PaymentChoice:
    """A card payment that the storefront has begun at Stripe."""
    return PaymentChoice(
        method=PaymentMethod.CARD, provider="stripe", provider_reference=f"pi_{chance.getrandbits(96):024x}"
    )


def past_moments(chance: Random, opened_at: datetime, count: int) -> list[datetime]:
    """When so many customers came, oldest first: more on Fridays and Saturdays, a seventh of them today."""
    first_day = (opened_at - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0)
    days = [first_day + timedelta(days=number) for number in range(DAYS)]
    weights = [WEEKDAYS[day.weekday()] for day in days]
    today = max(1, count // 7)
    earlier = [
        day + timedelta(seconds=chance.randint(8 * 3600, 22 * 3600))
        for day in chance.choices(days, weights, k=count - today)
    ]
    lately = [opened_at - timedelta(seconds=chance.randint(1, 6 * 3600)) for _ in range(today)]
    return sorted([*earlier, *lately])


def a_sale(chance: Random, module: Module, number: int, submitted_at: datetime) -> Sale:
    """One sale of a module with its story; `number` makes its key."""
    locale = chance.choices(("fr", "fr-FR", "en"), (60, 15, 25))[0]
    buyer = customer(chance, number, locale)
    home = address(chance, buyer, locale)
    basket = FILL[module](chance, locale, submitted_at)
    due = totals(basket.lines, basket.shipping, basket.extra_lines).total_minor
    submitted = submission(
        lines=basket.lines,
        shipping=basket.shipping,
        extra_lines=basket.extra_lines,
        submitted_at=submitted_at,
        shop=GARANCE.shop,
        module=module,
        idempotency_key=f"{module}-{number:05d}",
        source_reference=f"{module[:2].upper()}{number:06d}",
        locale=locale,
        currency="EUR",
        payment=_payment(chance, module, due),
        customer=buyer,
        billing_address=home,
        shipping_address=home if basket.shipping else None,
        note=chance.choice(NOTES) if chance.random() < 0.2 else None,
    )
    return tell(chance, Sale(uuid7(), submitted))


def _payment(chance: Random, module: Module, due_minor: int) -> PaymentChoice:
    if not due_minor:
        return PaymentChoice(method=PaymentMethod.FREE)
    methods = HABITS[module].methods
    method = chance.choices(list(methods), list(methods.values()))[0]
    return card(chance) if method is PaymentMethod.CARD else PaymentChoice(method=method)
