"""How a customer's attempt to pay stands, from the set of things the provider said about it. Pure.

Nothing here depends on when we heard it. An attempt that ended, or whose money is sure, is what its highest-ranked
fact says. Before that the buyer may try again on the same payment (declined, then pending, then declined), which only
the provider's own clock can put in sequence; ranks alone would show a retried payment as declined for days.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.payments import AttemptState

_OPEN = (AttemptState.CREATED, AttemptState.REQUIRES_ACTION, AttemptState.PENDING, AttemptState.DECLINED)
_RANKED = (
    AttemptState.AUTHORISED,
    AttemptState.CANCELLED,
    AttemptState.EXPIRED,
    AttemptState.CAPTURED,
    AttemptState.SETTLED,
)
_NO_MOMENT = datetime.min.replace(tzinfo=UTC)
OVER = frozenset((AttemptState.CANCELLED, AttemptState.EXPIRED, AttemptState.SETTLED))
"""States after which nothing authorised is left to capture."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fact about one payment at a provider. Both times are the provider's; `started_at` is the payment's own."""

    provider: str
    object_id: str
    state: AttemptState
    occurred_at: datetime
    started_at: datetime


def rank(fact: Attempt) -> tuple[int, datetime, int]:
    """The greater one says how the attempt stands."""
    if fact.state in _OPEN:
        return (0, fact.occurred_at, _OPEN.index(fact.state))
    return (1 + _RANKED.index(fact.state), _NO_MOMENT, 0)


def latest_state(attempts: Iterable[Attempt]) -> AttemptState:
    """The state of the attempt that was started last; `none` without any."""
    facts = list(attempts)
    if not facts:
        return AttemptState.NONE
    latest = max((fact.started_at, fact.provider, fact.object_id) for fact in facts)
    return max(
        (fact for fact in facts if (fact.started_at, fact.provider, fact.object_id) == latest), key=rank
    ).state
