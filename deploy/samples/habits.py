"""When customers come, what they buy by which module and how they pay: the weights behind every made-up order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from contracts.sale import Module, PaymentMethod

T = TypeVar("T")


@dataclass(frozen=True)
class Habit:
    """How many customers a module has in two months of a small shop, and how they pay, by weight."""

    orders: int
    methods: Mapping[PaymentMethod, int]


HABITS: Mapping[Module, Habit] = {
    Module.SHOP: Habit(
        90,
        {
            PaymentMethod.CARD: 42,
            PaymentMethod.PAYPAL: 13,
            PaymentMethod.CHEQUE: 15,
            PaymentMethod.TRANSFER: 20,
            PaymentMethod.CASH: 10,
        },
    ),
    Module.EVENTS: Habit(
        26,
        {
            PaymentMethod.CARD: 55,
            PaymentMethod.PAYPAL: 15,
            PaymentMethod.CHEQUE: 15,
            PaymentMethod.TRANSFER: 15,
        },
    ),
    Module.PRICE_TABLE: Habit(
        20, {PaymentMethod.TRANSFER: 50, PaymentMethod.CARD: 30, PaymentMethod.CHEQUE: 20}
    ),
    Module.RESTAURANT: Habit(18, {PaymentMethod.CASH: 60, PaymentMethod.CARD: 40}),
    Module.SLOTS: Habit(18, {PaymentMethod.CARD: 50, PaymentMethod.CASH: 50}),
}
MODULE_PERCENT: Mapping[Module, int] = {
    Module.SHOP: 62,
    Module.EVENTS: 13,
    Module.PRICE_TABLE: 7,
    Module.RESTAURANT: 11,
    Module.SLOTS: 7,
}
"""Shares of a large shop's orders."""
METHOD_PERMILLE: Mapping[PaymentMethod, int] = {
    PaymentMethod.CARD: 560,
    PaymentMethod.PAYPAL: 160,
    PaymentMethod.TRANSFER: 120,
    PaymentMethod.CHEQUE: 85,
    PaymentMethod.CASH: 55,
    PaymentMethod.OTHER: 20,
}
"""Shares of a large shop's orders."""
CARRIERS = ("Colissimo", "Mondial Relay", "Chronopost", "DHL", "DPD", "Lettre suivie")
WEEKDAYS = (8, 10, 11, 11, 13, 16, 14)
"""How much is sold on Mondays, Tuesdays, …, by weight."""
HOURS = (2, 1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 13, 11, 11, 12, 12, 13, 14, 15, 17, 16, 11, 5)
"""How much is sold in each hour of a day, by weight."""


def days_before(until: date, days: int) -> list[date]:
    """Return the days before `until`, oldest first."""
    return [until - timedelta(days=days - number) for number in range(days)]


def day_shares(days: Sequence[date]) -> list[float]:
    """Return the share of all orders placed up to the end of each day; business grows slowly to its double."""
    return _cumulated([WEEKDAYS[day.weekday()] * (1 + number / len(days)) for number, day in enumerate(days)])


def hour_shares() -> list[float]:
    """Return the share of a day's orders placed before the end of each hour."""
    return _cumulated(HOURS)


def picks(shares: Mapping[T, int], size: int) -> list[T]:
    """Return each value as often as its share of `size`; the first one fills up."""
    found = [value for value, share in shares.items() for _ in range(share)]
    return [*found, *[next(iter(shares))] * (size - len(found))][:size]


def _cumulated(weights: Sequence[float]) -> list[float]:
    total, reached, shares = sum(weights), 0.0, []
    for weight in weights:
        reached += weight
        shares.append(reached / total)
    return shares
