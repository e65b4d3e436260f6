"""Checkout before it is an order: the known facts, and the values derived from them. Pure.

Invariant: every fact folds by the highest (or the first) of its kind, so opened, resumed, dropped, timed out
and paid give the same checkout in any order and number. A checkout that stored only "is over" would stay over
when the customer's return was received before the end it outlives.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from contracts.orders.lifecycle import Abandonment
from contracts.storefront import CheckoutOpened, OrderSubmitted
from services.orders.order.state import Stage
from services.orders.order.validation.sale import reasons_against

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Maximum lead of a storefront's clock before its checkouts are rejected."""


@dataclass(slots=True)
class Checkout:
    """Facts of a checkout. `snapshot` is the last opened basket (JSON of CheckoutOpened) and its event's id."""

    shop: str
    id: UUID
    module: str | None = None
    opened_at: datetime | None = None
    snapshot_id: UUID | None = None
    snapshot: str | None = None
    dropped_at: datetime | None = None
    timed_out_at: datetime | None = None
    paid_at: datetime | None = None

    def open(self, opened_at: datetime, event_id: UUID, snapshot: str) -> None:
        """Record that it was opened or resumed; the highest `opened_at` wins, then the later event."""
        if self._newest is None or (opened_at, event_id) > self._newest:
            self.opened_at, self.snapshot_id, self.snapshot = opened_at, event_id, snapshot

    def drop(self, dropped_at: datetime) -> None:
        """Record that the customer dropped it."""
        self.dropped_at = max(self.dropped_at or dropped_at, dropped_at)

    def time_out(self, opened_at: datetime) -> None:
        """Record that its timer ran out, counted from this opening."""
        self.timed_out_at = max(self.timed_out_at or opened_at, opened_at)

    def pay(self, received_at: datetime) -> None:
        """Record that money with its reference was received."""
        self.paid_at = min(self.paid_at or received_at, received_at)

    def settle_as_placed(self) -> None:
        """Record that it was placed as an order: the submission defines what was sold, and timers no longer
        apply.
        """
        self.snapshot = self.timed_out_at = None

    @property
    def ended_as(self) -> Abandonment | None:
        """Return how it ended since it was last opened; None while it runs."""
        if self.opened_at is None:
            return None
        if self.dropped_at is not None and self.dropped_at >= self.opened_at:
            return Abandonment.DROPPED
        if self.timed_out_at is not None and self.timed_out_at >= self.opened_at:
            return Abandonment.TIMED_OUT
        return None

    @property
    def stage(self) -> Stage:
        """Return the stage of its order while it is not placed."""
        return Stage.CHECKOUT if self.ended_as is None else Stage.CHECKOUT_OVER

    @property
    def _newest(self) -> tuple[datetime, UUID] | None:
        return (self.opened_at, self.snapshot_id) if self.opened_at and self.snapshot_id else None


def sale_of(opened: CheckoutOpened, paid_at: datetime, now: datetime) -> OrderSubmitted | None:
    """Return the checkout as a sale, submitted when it was paid; None when it is not complete."""
    fields: dict[str, Any] = opened.model_dump(exclude_none=True, exclude={"opened_at"})
    try:
        sale = OrderSubmitted.model_validate({**fields, "submitted_at": paid_at})
    except ValidationError:
        return None
    return None if reasons_against(sale, now) else sale
