"""Events an endpoint must send for a complete ledger, and those that never arrived. Pure.

Source: Stripe's event reference. A missing event is reported only when another event that arrived proves that
it was due: a shop that never refunded gets no refund's event.
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
"""Each required event, and the types whose arrival proves that it should have arrived as well."""

ASKED_FOR = tuple(sorted({*NEEDED, *(proof for proofs in NEEDED.values() for proof in proofs)}))
"""All types whose last arrival must be looked up."""


def missing(last: Mapping[str, datetime]) -> list[str]:
    """Return the required types that never arrived although they were due. `last`: the last arrival of each
    type that did.
    """
    return [
        needed
        for needed, proofs in NEEDED.items()
        if needed not in last and any(one in last for one in proofs)
    ]
