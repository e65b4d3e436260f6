"""A received mail as it came, and where it ended.

Invariant: a mail that was answered with 250 is stored, and ends exactly once: posted, automatic, bounce, own, to be
filed, or parked. Staff may then file one that is to be filed or parked.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.notifier.conversation import InboundOutcome

INBOUND = "inbound"
"""The kind of the effect that reads a received mail; its key is the mail's id, or that with `:filed`."""


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A stored mail with its envelope. `order_id`: the order of its reply address, or the one it was filed under."""

    inbound_id: UUID
    shop: str
    received_at: datetime
    envelope_from: str
    envelope_to: str
    raw: bytes
    order_id: UUID | None = None
    outcome: InboundOutcome | None = None
    reason: str | None = None
    filed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a received mail ended, why (a code), and the order it belongs to."""

    outcome: InboundOutcome
    reason: str | None = None
    order_id: UUID | None = None


def filing_key(inbound_id: UUID) -> str:
    """Return the key of the effect that posts a mail which staff filed."""
    return f"{inbound_id}:filed"
