"""What the load generators sell: card orders of three articles, numbered, so that everybody knows each one's money.

Bodies are written once as JSON with marks in them; a generator only fills in what differs from order to order.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random

from contracts.fulfillment.stock import StockLevel
from contracts.sale import Module, PaymentChoice, PaymentMethod
from deploy.samples.articles import GOODS
from deploy.samples.baskets import SHIPPINGS, Basket, goods_line
from deploy.samples.merchants import GARANCE
from deploy.samples.orders import submitted_order

SHOP = GARANCE.shop
MODULE = Module.SHOP
LINES = 3
MODELS = 60
ON_HAND = 1_000_000
_KEY, _INTENT = "mark-of-the-key", "mark-of-the-intent"


@dataclass(frozen=True, slots=True)
class Model:
    """An order to be repeated under ever new numbers. `body` holds the two marks."""

    body: bytes
    total_minor: int
    quantities: tuple[int, ...]

    def submitted(self, number: int) -> bytes:
        """The OrderSubmitted of the order with this number, as JSON."""
        return self.body.replace(_KEY.encode(), b"bench-%d" % number).replace(
            _INTENT.encode(), intent_of(number).encode()
        )


def intent_of(number: int) -> str:
    """The payment intent of an order."""
    return f"pi_{number:024x}"


def model_of(number: int) -> Model:
    """What the order with this number is made after."""
    made = models()
    return made[number % len(made)]


@cache
def models() -> tuple[Model, ...]:
    """Sixty different orders of three articles each, French and English, the same ones in every run."""
    chance = Random(20261122)
    return tuple(_model(chance, number) for number in range(MODELS))


def stock() -> list[StockLevel]:
    """Enough of everything."""
    return [StockLevel(sku=article.key, on_hand=ON_HAND) for article in GOODS]


def _model(chance: Random, number: int) -> Model:
    locale = chance.choice(("fr", "fr-FR", "en"))
    lines = [
        goods_line(article, locale, chance.choice((1, 1, 2, 3))) for article in chance.sample(GOODS, LINES)
    ]
    made = submitted_order(
        chance,
        number,
        datetime.now(UTC).replace(microsecond=0),
        basket=Basket(tuple(lines), chance.choice(SHIPPINGS)),
        locale=locale,
        shop=SHOP,
        idempotency_key=_KEY,
        payment=PaymentChoice(method=PaymentMethod.CARD, provider="stripe", provider_reference=_INTENT),
    )
    body = made.model_dump_json(exclude_none=True).encode()
    return Model(body, made.totals.total_minor, tuple(line.quantity for line in lines))
