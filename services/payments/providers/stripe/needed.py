"""Events that an endpoint at Stripe must send for a complete ledger. Source: Stripe's event reference."""

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
