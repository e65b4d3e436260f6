"""Disputes of an account's payments: what the provider reported, the money it moved, and what staff decided. Pure.

A dispute's state is a function of the set of reports: an end outranks whatever is open, otherwise the provider's
own clock decides, since an inquiry may become a dispute and a bank may ask for more after evidence was sent. So
neither the order nor the number of arrivals matters. A dispute never changes the state of its order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.payments.disputes import DisputeResolution, DisputeState

DISPUTED = "disputed"
INQUIRY = "dispute_inquiry"
DUE = "dispute_due"
TO_RESOLVE = "dispute_lost"
AWAITING = frozenset((DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE))
"""States in which the provider may wait for an answer, until the deadline."""
LOST = frozenset((DisputeState.LOST, DisputeState.ACCEPTED))
ENDED = LOST | {DisputeState.WON, DisputeState.CLOSED}
ALARM_BEFORE = timedelta(days=3)
"""How long before its deadline an unanswered dispute is flagged: evidence takes days to gather."""
_WITH_MONEY = frozenset((DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW)) | LOST
_PLACES = list(DisputeState)
Key = tuple[str, str]
"""Provider and the dispute's id there."""


class Direction(StrEnum):
    """Where a movement of disputed money went."""

    WITHDRAWN = "withdrawn"
    REINSTATED = "reinstated"


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a provider on a dispute: its state then, and until when an answer is expected.

    The amount is in minor units of the account's currency, 0 if none was reported in it.
    """

    provider: str
    object_id: str
    payment: str
    state: DisputeState
    amount_minor: int
    occurred_at: datetime
    reason: str = ""
    due_at: datetime | None = None

    @property
    def key(self) -> Key:
        return self.provider, self.object_id

    @property
    def rank(self) -> tuple[bool, datetime, int, datetime, str, int]:
        """Return the sort key of the report; the greatest decides the dispute's state."""
        place = _PLACES.index(self.state)
        due_at = self.due_at or datetime.min.replace(tzinfo=self.occurred_at.tzinfo)
        return self.state in ENDED, self.occurred_at, place, due_at, self.reason, self.amount_minor


@dataclass(frozen=True, slots=True)
class Movement:
    """Money of a dispute that the provider withdrew or gave back, named by its balance transaction.

    `amount_minor` is in the account's currency, 0 if it can't be stated in it; the fee is in the currency in which
    the provider settles, and negative when it was given back.
    """

    provider: str
    object_id: str
    dispute: str
    payment: str
    direction: Direction
    amount_minor: int
    fee_minor: int
    fee_currency: str
    occurred_at: datetime

    @property
    def key(self) -> Key:
        return self.provider, self.dispute


@dataclass(frozen=True, slots=True)
class Decision:
    """A staff decision on a lost dispute."""

    provider: str
    object_id: str
    resolution: DisputeResolution
    command_id: UUID
    actor: str
    note: str | None
    decided_at: datetime

    @property
    def key(self) -> Key:
        return self.provider, self.object_id


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as all facts about it show it."""

    provider: str
    object_id: str
    payment: str
    state: DisputeState
    amount_minor: int
    reason: str
    due_at: datetime | None
    is_due_soon: bool
    opened_at: datetime
    updated_at: datetime
    withdrawn_minor: int
    reinstated_minor: int
    fees: tuple[tuple[str, int], ...]
    has_moved: bool
    decision: Decision | None

    @property
    def key(self) -> Key:
        return self.provider, self.object_id

    @property
    def is_lost(self) -> bool:
        return self.state in LOST

    @property
    def is_awaiting(self) -> bool:
        """Return whether the provider waits for an answer."""
        return self.state in AWAITING and self.due_at is not None

    @property
    def is_to_resolve(self) -> bool:
        """Return whether it was lost and it is not decided yet who bears the loss."""
        return self.is_lost and self.decision is None

    @property
    def held_minor(self) -> int:
        """Return the money that the provider has withdrawn and not given back."""
        return self.withdrawn_minor - self.reinstated_minor

    @property
    def loss_minor(self) -> int:
        """Return what a lost dispute costs; its amount where no movement of money was reported."""
        if not self.is_lost:
            return 0
        return self.held_minor if self.has_moved else self.amount_minor


@dataclass(slots=True)
class Disputes:
    """The facts about an account's disputes; only ever added to."""

    reports: list[Report] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    alarms: set[tuple[Key, datetime]] = field(default_factory=set)
    """Deadlines that were about to pass unanswered."""
    published: dict[Key, Dispute] = field(default_factory=dict)
    """The disputes as they were published last."""
    reports_stored: int = 0
    movements_stored: int = 0
    facts_stored: int = 0
    former: int = 0
    """How many reports an earlier version stored as remarks."""

    @property
    def facts(self) -> int:
        """Return the number of facts that the account's version counts."""
        return len(self.reports) + len(self.movements) + len(self.decisions) + len(self.alarms)

    @property
    def has_changed(self) -> bool:
        """Return whether there is a fact that is not stored, or something to publish."""
        return self.facts > self.facts_stored or self.has_news

    @property
    def has_news(self) -> bool:
        """Return whether a dispute is not as it was published last."""
        return bool(self.reports) and {one.key: one for one in self.all()} != self.published

    def stored(self) -> None:
        """Note that everything so far is stored."""
        self.reports_stored, self.movements_stored = len(self.reports), len(self.movements)
        self.facts_stored = self.facts

    def report(self, report: Report) -> bool:
        """Add a report; return False when it is recorded already."""
        if report in self.reports:
            return False
        self.reports.append(report)
        return True

    def move(self, movement: Movement) -> bool:
        """Add a movement; return False when its balance transaction is recorded already."""
        names = {(one.provider, one.object_id) for one in self.movements}
        if (movement.provider, movement.object_id) in names:
            return False
        self.movements.append(movement)
        return True

    def all(self) -> list[Dispute]:
        """Return the disputes, in the order of their keys."""
        keys = {one.key for one in self.reports}
        return [self._dispute(key) for key in sorted(keys)]

    def find(self, key: Key) -> Dispute | None:
        """Return one dispute."""
        return self._dispute(key) if any(one.key == key for one in self.reports) else None

    def is_disputed(self, payment: str | None = None) -> bool:
        """Return whether money of the payment, or of any, is held back or lost. An inquiry moves none."""
        return any(one.state in _WITH_MONEY for one in self.all() if payment in (None, one.payment))

    def undecided(self, payment: str) -> Dispute | None:
        """Return a dispute or inquiry of the payment that has not ended, or of whose loss nobody has decided."""
        of_payment = (one for one in self.all() if one.payment == payment)
        return next((one for one in of_payment if one.state not in ENDED or one.is_to_resolve), None)

    def flags(self) -> Iterator[str]:
        """Yield the flags that staff should look at."""
        disputes = self.all()
        raised = {
            DISPUTED: any(one.state in _WITH_MONEY and not _is_settled(one) for one in disputes),
            INQUIRY: any(one.state is DisputeState.INQUIRY for one in disputes),
            DUE: any(one.is_due_soon for one in disputes),
            TO_RESOLVE: any(one.is_to_resolve for one in disputes),
        }
        return (flag for flag, is_raised in raised.items() if is_raised)

    def _dispute(self, key: Key) -> Dispute:
        reports = [one for one in self.reports if one.key == key]
        latest = max(reports, key=lambda one: one.rank)
        due_at = latest.due_at if latest.state in AWAITING else None
        moved = [one for one in self.movements if one.key == key]
        return Dispute(
            provider=latest.provider,
            object_id=latest.object_id,
            payment=latest.payment,
            state=latest.state,
            amount_minor=latest.amount_minor,
            reason=latest.reason,
            due_at=due_at,
            is_due_soon=due_at is not None and (key, due_at) in self.alarms,
            opened_at=min(one.occurred_at for one in reports),
            updated_at=latest.occurred_at,
            withdrawn_minor=_sum(moved, Direction.WITHDRAWN),
            reinstated_minor=_sum(moved, Direction.REINSTATED),
            fees=_fees(moved),
            has_moved=bool(moved),
            decision=next((one for one in self.decisions if one.key == key), None),
        )


def in_currency(
    reports: Iterable[Report], movements: Iterable[Movement], *, is_same: bool
) -> tuple[list[Report], list[Movement]]:
    """Return the facts as an account keeps them: without amounts when they are in another currency than its own."""
    if is_same:
        return list(reports), list(movements)
    return (
        [replace(one, amount_minor=0) for one in reports],
        [replace(one, amount_minor=0) for one in movements],
    )


def _is_settled(dispute: Dispute) -> bool:
    return dispute.is_lost and dispute.decision is not None


def _sum(movements: Iterable[Movement], direction: Direction) -> int:
    return sum(one.amount_minor for one in movements if one.direction is direction)


def _fees(movements: Iterable[Movement]) -> tuple[tuple[str, int], ...]:
    fees: dict[str, int] = {}
    for one in movements:
        fees[one.fee_currency] = fees.get(one.fee_currency, 0) + one.fee_minor
    return tuple(sorted((currency, fee) for currency, fee in fees.items() if fee))
