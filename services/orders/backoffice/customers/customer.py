"""The view model of a customer: sums per currency, the first and the latest order. Pure.

Only placed orders count as ordered: an abandoned cart was never a sale.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PLACED = "placed"


@dataclass
class Sums:
    """Amounts ordered, paid, refunded, still due and to be refunded, in minor units of one currency."""

    ordered: int = 0
    paid: int = 0
    refunded: int = 0
    owed: int = 0
    to_refund: int = 0


@dataclass(frozen=True)
class Customer:
    """A customer of a shop; `orders` are newest first."""

    name: str | None
    email: str | None
    phone: str | None
    orders: Sequence[Mapping[str, Any]]

    @property
    def placed(self) -> int:
        """Return the number of placed orders."""
        return sum(order["stage"] == PLACED for order in self.orders)

    @property
    def first_at(self) -> datetime:
        """Return when the first order was placed or opened."""
        found: datetime = self.orders[-1]["placed_at"]
        return found

    @property
    def sums(self) -> dict[str, Sums]:
        """Return the sums by currency, in alphabetical order."""
        found: dict[str, Sums] = defaultdict(Sums)
        for order in self.orders:
            if order["stage"] == PLACED:
                _add(found[order["currency"]], order)
        return dict(sorted(found.items()))


def _add(sums: Sums, order: Mapping[str, Any]) -> None:
    if order["state"] != "cancelled":
        sums.ordered += order["total_minor"]
    sums.paid += order["received_minor"]
    sums.refunded += order["returned_minor"]
    sums.owed += max(0, order["balance_minor"])
    sums.to_refund += max(0, -order["balance_minor"])


def customer_of(orders: Sequence[Mapping[str, Any]]) -> Customer:
    """Return the customer of these orders (newest first), with the latest name and phone number."""
    return Customer(
        name=_last(orders, "customer_name"),
        email=_last(orders, "customer_email"),
        phone=_last(orders, "customer_phone"),
        orders=orders,
    )


def _last(orders: Sequence[Mapping[str, Any]], column: str) -> str | None:
    return next((order[column] for order in orders if order[column]), None)
