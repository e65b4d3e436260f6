"""Which events an endpoint must send for the books to be whole, and which of them never came. Pure.

Source: Stripe's event reference. That an event never came is told only when something else that came proves that
there was reason for it: a shop that never refunded gets no refund's event.
"""

from collections.abc import Mapping
from datetime import datetime

NEEDED: dict[str, tuple[str, ...]] = {
    "payment_intent.succeeded": ("charge.succeeded", "charge.captured", "checkout.session.completed"),
    "payment_intent.payment_failed": ("charge.failed",),
    "payment_intent.processing": (),
    "payment_intent.amount_capturable_updated": (),
    "payment_intent.canceled": (),
    "checkout.session.completed": ("checkout.session.async_payment_succeeded",),
    "checkout.session.async_payment_succeeded": (),
    "checkout.session.async_payment_failed": (),
    "checkout.session.expired": (),
    "refund.created": ("charge.refunded", "charge.refund.updated", "refund.updated", "refund.failed"),
    "refund.updated": (),
    "refund.failed": (),
    "charge.dispute.created": (
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
    ),
    "charge.dispute.updated": (),
    "charge.dispute.closed": ("charge.dispute.funds_reinstated",),
}
"""Each event that is needed, and the types that prove, when they came, that it should have come, too."""

ASKED_FOR = tuple(sorted({*NEEDED, *(proof for proofs in NEEDED.values() for proof in proofs)}))
"""All types of which must be known when they came last."""


def missing(last: Mapping[str, datetime]) -> list[str]:
    """The needed types that never came although there was reason. `last` is when each type that came did so last."""
    return [
        needed
        for needed, proofs in NEEDED.items()
        if needed not in last and any(one in last for one in proofs)
    ]
