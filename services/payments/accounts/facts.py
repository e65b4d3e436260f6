"""Facts from a provider's webhook in the terms of our own ledger, whichever provider sent it. Pure.

Every fact is about one payment object (Stripe's intent or a charge without one, PayPal's capture), never
about the event: several events describe the same money, and only the object's id makes them one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.payments.accounts import AttemptState
from services.payments.accounts.disputes import Key, Movement, Report
from services.payments.accounts.ledger import Kind
from services.payments.accounts.refund_matching import ProviderRefund
from services.payments.accounts.remarks import Remark, Topic


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about one payment. A target is the whole sum of that kind so far: the part missing from it is
    posted.

    `other_ids` are further names of the same payment (a checkout session); `order_id` and `order_shop` are
    what the storefront wrote into the object.
    """

    provider: str
    object_id: str
    currency: str | None
    occurred_at: datetime
    started_at: datetime
    targets: tuple[tuple[Kind, int], ...] = ()
    attempts: tuple[AttemptState, ...] = ()
    other_ids: tuple[str, ...] = ()
    order_id: UUID | None = None
    order_shop: str | None = None
    names_order_badly: bool = False
    """Whether the storefront named an order in a way by which no order can be found."""
    is_final: bool = False
    """Whether the amounts never change for this object: another amount later is a contradiction."""
    also: tuple["Facts", ...] = ()
    """Further payments of the same order that the same event is about."""

    @property
    def received_minor(self) -> int:
        """Return the money received according to these facts, 0 when they are not about received money."""
        own = max((target for kind, target in self.targets if kind is Kind.PAYMENT_RECEIVED), default=0)
        return own + sum(one.received_minor for one in self.also)

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.object_id, *self.other_ids, *(name for one in self.also for name in one.ids))

    @property
    def own_ids(self) -> tuple[str, ...]:
        """Return the names that identify the order in any event that contains them."""
        return self.ids


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """Facts about money that went back from one payment: refunds, disputes, and the remarks beside them."""

    provider: str
    object_id: str
    """The payment."""
    currency: str
    occurred_at: datetime
    made: tuple[ProviderRefund, ...]
    order_id: UUID | None = None
    order_shop: str | None = None
    received_minor: int = 0
    remarks: tuple[Remark, ...] = ()
    reports: tuple[Report, ...] = ()
    """On disputes of the payment."""
    movements: tuple[Movement, ...] = ()
    """Of disputed money."""
    names_order_badly: bool = False

    @property
    def has_amounts(self) -> bool:
        """Return whether the facts contain refunded amounts, and not only remarks."""
        return bool(self.made) or any(one.topic is Topic.REFUNDED_SUM for one in self.remarks)

    @property
    def disputes(self) -> frozenset[Key]:
        """Return the disputes that the facts are about."""
        return frozenset((*(one.key for one in self.reports), *(one.key for one in self.movements)))

    def remarks_in(self, currency: str) -> Iterator[Remark]:
        """Return the remarks as an account in this currency keeps them: without an amount in another
        currency.
        """
        for one in self.remarks:
            yield one if self.currency == currency else replace(one, amount_minor=0)

    @property
    def own_ids(self) -> tuple[str, ...]:
        """Return the names by which only these refunds and disputes are identified."""
        named = [one.object_id for one in self.made]
        return (*named, *dict.fromkeys(one.object_id for one in self.reports))

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.own_ids, self.object_id)


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """An event that changes nothing in our ledger and needs no attention."""

    reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that may matter and that staff should see."""

    reason: str
    detail: str


Reading = Facts | RefundFacts | Irrelevant | Parked
