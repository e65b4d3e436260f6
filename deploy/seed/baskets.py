"""Baskets of seeded orders: made up once by the generator, the same in every run, and bought again and again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from contracts.sale import LineKind, Module
from contracts.storefront import OrderSubmitted
from deploy.samples.orders import submitted_order

BASKETS = {
    Module.SHOP: 160,
    Module.EVENTS: 24,
    Module.PRICE_TABLE: 24,
    Module.RESTAURANT: 16,
    Module.SLOTS: 16,
}
"""Different baskets by module."""
SAMPLED_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""When the baskets were filled; an order's own times are as long after its placing."""


@dataclass(frozen=True)
class NumberedBasket:
    """A basket and the sale it is taken from; customer, payment, key and times differ from order to order."""

    number: int
    module: Module
    sale: OrderSubmitted

    @property
    def goods(self) -> int:
        """Return the units to ship."""
        return sum(line.quantity for line in self.sale.lines if line.kind is LineKind.SHIP)


def baskets(shop: str) -> list[NumberedBasket]:
    """Return all baskets, module by module."""
    chance = Random("baskets")
    modules = [module for module, count in BASKETS.items() for _ in range(count)]
    return [
        NumberedBasket(
            number, module, submitted_order(chance, number, SAMPLED_AT, module=module, locale="fr", shop=shop)
        )
        for number, module in enumerate(modules)
    ]
