"""Remarks about an account that move no money in this ledger, and the flags they raise. Pure.

A remark of a provider or an order is a fact like an entry: kept permanently, the same whichever source reported
it first. Whether it still needs attention is derived: a sum of refunds until the refunds themselves are recorded,
the rest while the customer still owes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.payments.accounts.refunds import Refunds


class Topic(StrEnum):
    """The subject of a remark."""

    REFUNDED_SUM = "refunded_sum"
    """The sum the provider refunded of a payment, reported without naming the refunds."""
    PARTLY_FUNDED = "partly_funded"
    """A bank transfer covered a part of a payment; the provider returns the amount only on request."""
    PAYMENT_SHARED = "payment_shared"
    """The order names a payment that belongs to another order."""


REFUND_NOT_BOOKED = "refund_not_booked"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark. `object_id` is what it is about (a charge, a payment), `payment` the payment; the amount is in
    minor units of the account's currency, 0 if none was reported in it. `occurred_at` is the provider's clock.
    """

    topic: Topic
    provider: str
    object_id: str
    payment: str
    state: str
    amount_minor: int
    occurred_at: datetime


def flags(remarks: Iterable[Remark], refunds: Refunds, balance_minor: int) -> list[str]:
    """Return the flags that staff should look at."""
    remarks = list(remarks)
    topics = {one.topic for one in remarks}
    raised = {
        REFUND_NOT_BOOKED: _lacks_refunds(remarks, refunds),
        "partly_funded": balance_minor > 0 and Topic.PARTLY_FUNDED in topics,
        "payment_shared": balance_minor > 0 and Topic.PAYMENT_SHARED in topics,
    }
    return [flag for flag, is_raised in raised.items() if is_raised]


def _lacks_refunds(remarks: Iterable[Remark], refunds: Refunds) -> bool:
    amounts: dict[tuple[str, str], int] = {}
    for one in remarks:
        if one.topic is Topic.REFUNDED_SUM:
            key = (one.provider, one.payment)
            amounts[key] = max(amounts.get(key, 0), one.amount_minor)
    return any(amount > _known_minor(refunds, *key) for key, amount in amounts.items())


def _known_minor(refunds: Refunds, provider: str, payment: str) -> int:
    """Return the recorded refunds of a payment: by the provider's refunds, or entered by staff."""
    provider_refunds = [
        one for one in refunds.made.values() if (one.provider, one.payment) == (provider, payment)
    ]
    matching = refunds.matching()
    marks = [
        one
        for one in refunds.requested.values()
        if ((one.is_mark and matching.is_active(one)) or refunds.counts_by_word(one))
        and (one.provider, one.payment) in ((provider, payment), (None, None))
    ]
    return sum(one.amount_minor for one in provider_refunds) + sum(one.amount_minor for one in marks)
