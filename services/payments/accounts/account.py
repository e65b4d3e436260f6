"""One order's account in memory: its entries, attempts, refunds and remarks, and which of them are new. Pure.

Posting is idempotent: an entry whose key exists already changes nothing, so every path (webhook, manual
entry, resend) may post without checking who was first. Invariant: whenever an account is returned, or its
position read, the ledger contains everything its refunds come to; a decision never depends on entries that
only saving would post.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from contracts.payments.accounts import Position
from contracts.sale import PaymentMethod
from services.payments.accounts import dispute_entries, ledger, refund_entries
from services.payments.accounts.attempts import Attempt, over_since
from services.payments.accounts.chain import FIRST
from services.payments.accounts.disputes import Decision, Disputes, Key, Movement, Report
from services.payments.accounts.ledger import RULES, Entry, Kind, Origin, Sum
from services.payments.accounts.refund_matching import ProviderRefund, RequestedRefund
from services.payments.accounts.refunds import Refunds, RefundStatus
from services.payments.accounts.remarks import Remark


@dataclass(slots=True)
class Account:
    """The account of order `id`. `sequence` counts the events published about it; its versions are above
    `version_floor`; `edits` are loaded for an edit only.
    """

    shop: str
    id: UUID
    code: str
    currency: str
    method: PaymentMethod
    opened_at: datetime
    sequence: int = 0
    version_floor: int = 0
    is_new: bool = False
    entries: list[Entry] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    entries_stored: int = 0
    head: bytes = FIRST
    """The hash of the last stored entry."""
    attempts_stored: int = 0
    remarks: list[Remark] = field(default_factory=list)
    remarks_stored: int = 0
    refunds: Refunds = field(default_factory=Refunds)
    disputes: Disputes = field(default_factory=Disputes)
    published_refunds: dict[UUID, RefundStatus] = field(default_factory=dict)
    cause: Envelope | None = None
    closed_at: datetime | None = None
    edits: set[UUID] = field(default_factory=set)
    origin: Origin | None = None
    causes: dict[UUID, Envelope] = field(default_factory=dict)
    _position: Position | None = None
    _is_squared: bool = True

    @property
    def position(self) -> Position:
        """Return the current sum of entries and attempts, refunds included."""
        self.square()
        if self._position is None:
            self._position = ledger.position(
                self.currency,
                self.entries,
                self.attempts,
                self.refunds,
                self.remarks,
                self.disputes,
                self.version_floor,
            )
        return self._position

    @property
    def has_changed(self) -> bool:
        return (
            len(self.entries) > self.entries_stored
            or len(self.attempts) > self.attempts_stored
            or len(self.remarks) > self.remarks_stored
            or self.refunds.facts > self.refunds.stored
            or self.disputes.has_changed
        )

    @property
    def new_entries(self) -> Sequence[tuple[int, Entry]]:
        """Return the entries that are not stored yet, with their numbers within the account."""
        return [
            (number, entry) for number, entry in enumerate(self.entries, 1) if number > self.entries_stored
        ]

    @property
    def new_remarks(self) -> Sequence[Remark]:
        return self.remarks[self.remarks_stored :]

    @property
    def new_attempts(self) -> Sequence[Attempt]:
        return self.attempts[self.attempts_stored :]

    def square(self) -> None:
        """Post the entries that the ledger lacks for refunds and disputes. Posts nothing when nothing changed
        since the last time.
        """
        if self._is_squared:
            return
        self._is_squared = True  # before: squaring reads the position itself
        if self.refunds.facts:
            refund_entries.square(self, self._origin_of_change())
        if self.disputes.movements or self.disputes.decisions:
            dispute_entries.post_disputes(self, self._origin_of_change())
        self._is_squared = True  # after: its own entries need no second look

    def post(self, entry: Entry, cause: Envelope | None = None) -> bool:
        """Add an entry; return False when its money is in the ledger already."""
        if any(known.key == entry.key for known in self.entries):
            return False
        self.entries.append(entry)
        self._changed(cause)
        return True

    def learn(self, attempt: Attempt) -> bool:
        """Add a fact about an attempt to pay; return False when it is recorded already."""
        if attempt in self.attempts:
            return False
        self.attempts.append(attempt)
        self._changed(None)
        return True

    def remark(self, remark: Remark, cause: Envelope | None = None) -> bool:
        """Add a remark; return False when it is recorded already."""
        if remark in self.remarks:
            return False
        self.remarks.append(remark)
        self._changed(cause)
        return True

    def ask_refund(self, refund: RequestedRefund, cause: Envelope | None = None) -> None:
        """Add a refund that staff requested."""
        self.refunds.ask(refund)
        self._changed(cause)

    def fill_refund(self, refund_id: UUID, cause: Envelope | None = None, **facts: Any) -> None:
        """Fill in new information about a requested refund."""
        self.refunds.fill(refund_id, **facts)
        self._changed(cause)

    def learn_refund(self, provider_refund: ProviderRefund) -> bool:
        """Add the provider's report of a refund; return False when it is recorded already."""
        is_new = self.refunds.learn(provider_refund)
        if is_new:
            self._changed(None)
        return is_new

    def report_dispute(self, report: Report) -> bool:
        """Add a provider's report on a dispute; return False when it is recorded already."""
        return self._changed_if(self.disputes.report(report))

    def move_disputed(self, movement: Movement) -> bool:
        """Add a movement of disputed money; return False when it is recorded already."""
        return self._changed_if(self.disputes.move(movement))

    def decide_dispute(self, decision: Decision, cause: Envelope) -> None:
        """Add a staff decision on a lost dispute."""
        self.disputes.decisions.append(decision)
        self.causes[decision.command_id] = cause
        self._changed(cause)

    def alarm_of_dispute(self, key: Key, due_at: datetime) -> None:
        """Add that this deadline of a dispute is about to pass. Moves no money."""
        self.disputes.alarms.add((key, due_at))
        self._position = None

    def net_received(self, payment: str) -> int:
        """Return what this account has of a payment: received less reversed, moved in less moved out. Refunds
        not counted.
        """
        return sum(
            RULES[entry.kind].sign * entry.amount_minor
            for entry in self.entries
            if RULES[entry.kind].sum is Sum.RECEIVED and entry.payment_key == payment
        )

    def posted(self, provider: str, object_id: str, kind: Kind) -> tuple[int, int]:
        """Return the posted sum of a kind for one object (minor units), and in how many steps it was posted."""
        amounts = [
            entry.amount_minor
            for entry in self.entries
            if (entry.provider, entry.object_id, entry.kind) == (provider, object_id, kind)
        ]
        return sum(amounts), len(amounts)

    def authorisation_to_release(self, provider: str, object_id: str) -> int:
        """Return the used part of a payment's authorisation that is not yet released: the received amount, or
        all once it is over.
        """
        authorised, _ = self.posted(provider, object_id, Kind.AUTHORISED)
        received, _ = self.posted(provider, object_id, Kind.PAYMENT_RECEIVED)
        released, _ = self.posted(provider, object_id, Kind.AUTHORISATION_RELEASED)
        is_over = over_since(self.attempts, provider, object_id) is not None
        return max(0, (authorised if is_over else min(authorised, received)) - released)

    def _origin_of_change(self) -> Origin:
        if self.origin is not None:
            return self.origin
        if self.cause is None:
            raise ValueError(f"account of order {self.id} was changed by neither a message nor a provider")
        return Origin("manual", self.cause.id, self.cause.time, "payments")

    def _changed_if(self, is_new: bool) -> bool:
        if is_new:
            self._changed(None)
        return is_new

    def _changed(self, cause: Envelope | None) -> None:
        self._position = None
        self._is_squared = False
        self.cause = cause
