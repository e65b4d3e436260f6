"""What customers put into a sale, module by module: lines, shipping, charges and discounts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from contracts.sale import ExtraLine, LineKind, Module, Shipping, SubmittedLine
from deploy.samples.articles import EVENTS, GOODS, SERVICES, SLOTS, STANDARD, TABLES, Article
from deploy.samples.submissions import line


@dataclass(frozen=True)
class Basket:
    """The part of a submission that the customer filled."""

    lines: tuple[SubmittedLine, ...]
    shipping: Shipping | None = None
    extra_lines: tuple[ExtraLine, ...] = ()


SHIPPINGS = (
    Shipping(label="Colissimo, 48 h", carrier="Colissimo", amount_minor=690, vat_rate=STANDARD),
    Shipping(label="Point relais", carrier="Mondial Relay", amount_minor=450, vat_rate=STANDARD),
    Shipping(label="Port offert", carrier="Colissimo", amount_minor=0, vat_rate=STANDARD),
)
GIFT_WRAP = ExtraLine(label="Papier cadeau", amount_minor=350, vat_rate=STANDARD)
WELCOME = ExtraLine(label="Remise de bienvenue", amount_minor=-500, vat_rate=STANDARD)


def goods_line(article: Article, locale: str, quantity: int, discount_minor: int = 0) -> SubmittedLine:
    """Return a line of goods to ship."""
    return line(
        LineKind.SHIP,
        article.name(locale),
        quantity,
        article.price_minor,
        vat_rate=article.vat_rate,
        discount_minor=discount_minor,
        sku=article.key,
    )


def fill_shop(chance: Random, locale: str, now: datetime) -> Basket:
    """Return one to five articles; now and then a discount on a line, gift wrap, a welcome discount."""
    chosen = chance.sample(GOODS, chance.choices((1, 2, 3, 4, 5), (30, 30, 20, 12, 8))[0])
    lines = []
    for article in chosen:
        quantity = chance.choices((1, 2, 3, 6), (55, 25, 12, 8))[0]
        discount = article.price_minor * quantity // 10 if chance.random() < 0.15 else 0
        lines.append(goods_line(article, locale, quantity, discount))
    extras = [extra for extra, odds in ((GIFT_WRAP, 0.12), (WELCOME, 0.12)) if chance.random() < odds]
    return Basket(tuple(lines), chance.choice(SHIPPINGS), tuple(extras))


def fill_events(chance: Random, locale: str, now: datetime) -> Basket:
    """Return one to three tickets of one event."""
    event = chance.choice(EVENTS)
    starts_at = _at(now, days=chance.randint(7, 60), hour=10)
    ticket = line(
        LineKind.TICKET,
        event.name(locale),
        chance.choice((1, 1, 2, 3)),
        event.price_minor,
        vat_rate=event.vat_rate,
        resource=f"{event.key}-{starts_at:%Y%m%d}",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=7),
    )
    return Basket((ticket,))


def fill_price_table(chance: Random, locale: str, now: datetime) -> Basket:
    """Return a service by the price list; sometimes with an article that is sent along."""
    service = chance.choice(SERVICES)
    lines = [line(LineKind.SERVICE, service.name(locale), 1, service.price_minor, vat_rate=service.vat_rate)]
    if chance.random() < 0.2:
        lines.append(goods_line(chance.choice(GOODS), locale, 1))
        return Basket(tuple(lines), SHIPPINGS[0])
    return Basket(tuple(lines))


def fill_restaurant(chance: Random, locale: str, now: datetime) -> Basket:
    """Return a table at noon."""
    return Basket((_booking(chance, locale, chance.choice(TABLES), now, minutes=90),))


def fill_slots(chance: Random, locale: str, now: datetime) -> Basket:
    """Return an hour at the press, an afternoon at the bench, or free advice."""
    return Basket((_booking(chance, locale, chance.choice(SLOTS), now, minutes=60),))


def _booking(chance: Random, locale: str, what: Article, now: datetime, minutes: int) -> SubmittedLine:
    starts_at = _at(now, days=chance.randint(1, 30), hour=chance.choice((11, 12, 14, 15)))
    return line(
        LineKind.BOOKING,
        what.name(locale),
        1,
        what.price_minor,
        vat_rate=what.vat_rate,
        resource=what.key,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
    )


def _at(now: datetime, *, days: int, hour: int) -> datetime:
    return (now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)


FILL: dict[Module, Callable[[Random, str, datetime], Basket]] = {
    Module.SHOP: fill_shop,
    Module.EVENTS: fill_events,
    Module.PRICE_TABLE: fill_price_table,
    Module.RESTAURANT: fill_restaurant,
    Module.SLOTS: fill_slots,
}
