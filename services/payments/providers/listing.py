"""Lists that a provider offers: events, movements of money, payouts. The second half of the port.

A provider that can be asked for its lists implements `Listing` beside `Provider`; reconciliation compares the lists
with the ledger. Lists are read with the credentials of an endpoint.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """An event as the provider lists it; its body is read like that of a webhook."""

    event_id: str
    event_type: str
    body: bytes
    created_at: datetime


class MoneyKind(StrEnum):
    """What a listed movement of money is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class ListedMoney:
    """Money that the provider reports as moved: under the id by which the ledger knows it, in minor units."""

    kind: MoneyKind
    object_id: str
    amount_minor: int
    currency: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ListedPayout:
    """A payout to the merchant's bank, and the sum of the movements that it consists of, if that is stated."""

    object_id: str
    state: str
    amount_minor: int
    currency: str
    created_at: datetime
    arrives_on: date
    sum_minor: int | None
    movements: int


@runtime_checkable
class Listing(Protocol):
    """The lists of a provider. Every list is from `since`, included, to `until`; both aware.

    All of them raise ProviderUnavailable, ProviderRefused, AnswerUnreadable.
    """

    def can_list(self, slug: str) -> bool:
        """Return whether the endpoint has the credentials to be asked with."""

    def list_events(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedEvent]:
        """Yield the events of the types that the endpoint needs, oldest first."""

    def list_money(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedMoney]:
        """Yield the movements of money of customers' payments, in any order."""

    def list_payouts(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedPayout]:
        """Yield the payouts that were created, in any order; none where the provider has no such list."""
