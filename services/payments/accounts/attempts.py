"""The state of a customer's attempt to pay, from the set of facts the provider reported about it. Pure.

Nothing here depends on when a fact arrived. The state of an attempt that ended, or whose money is certain, is
its highest-ranked fact. Before that the buyer may try again on the same payment (declined, then pending, then
declined), and only the provider's own clock can order those facts; by ranks only, a retried payment would
show as declined for days.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.payments.accounts import AttemptState

_OPEN = (AttemptState.CREATED, AttemptState.REQUIRES_ACTION, AttemptState.PENDING, AttemptState.DECLINED)
_RANKED = (
    AttemptState.AUTHORISED,
    AttemptState.CANCELLED,
    AttemptState.EXPIRED,
    AttemptState.CAPTURED,
    AttemptState.SETTLED,
)
_NO_TIME = datetime.min.replace(tzinfo=UTC)
_OVER = frozenset((AttemptState.CANCELLED, AttemptState.EXPIRED, AttemptState.SETTLED))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fact about one payment. Both times are the provider's; `started_at` is when it created the object."""

    provider: str
    object_id: str
    state: AttemptState
    occurred_at: datetime
    started_at: datetime


def rank(fact: Attempt) -> tuple[int, datetime, int]:
    """Return the sort key of the fact; the greatest decides the state of the attempt."""
    if fact.state in _OPEN:
        return (0, fact.occurred_at, _OPEN.index(fact.state))
    return (1 + _RANKED.index(fact.state), _NO_TIME, 0)


def latest_state(attempts: Iterable[Attempt]) -> AttemptState:
    """Return the state of the attempt that was started last; `none` without any."""
    by_payment: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for fact in attempts:
        by_payment[fact.provider, fact.object_id].append(fact)
    if not by_payment:
        return AttemptState.NONE
    latest = max(by_payment, key=lambda payment: (min(f.started_at for f in by_payment[payment]), payment))
    return max(by_payment[latest], key=rank).state


def over_since(attempts: Iterable[Attempt], provider: str, object_id: str) -> datetime | None:
    """Return since when nothing more can be captured of this payment, by the provider's clock."""
    ends = [
        f.occurred_at
        for f in attempts
        if f.state in _OVER and (f.provider, f.object_id) == (provider, object_id)
    ]
    return min(ends, default=None)
