"""Labels of the order page's fixed values, each in the request's language by the stored value."""

from services.orders.backoffice.language.statuses import method_words
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.steps import RECEIVE

LEDGER_KINDS = {
    "order_total": N_("Total of the order"),
    "due_increased": N_("Amount due increased"),
    "credit_granted": N_("Credit granted"),
    "credit_reversed": N_("Credit reversed"),
    "payment_received": N_("Payment received"),
    "payment_reversed": N_("Payment reversed"),
    "refund_paid": N_("Refund paid"),
    "refund_failed": N_("Refund failed"),
    "refund_marked": N_("Refund recorded here only"),
    "refund_mark_reversed": N_("Recorded refund reversed"),
    "transfer_in": N_("Moved from another order"),
    "transfer_out": N_("Moved to another order"),
    "disputed": N_("Disputed by the customer"),
    "dispute_won": N_("Dispute won"),
    "dispute_lost": N_("Dispute lost"),
    "authorised": N_("Authorised"),
    "authorisation_released": N_("Authorisation released"),
    "pending": N_("Payment in progress"),
    "fee": N_("Fee of the provider"),
}
"""Label by kind of ledger entry."""
SIGNS = {
    "payment_received": 1,
    "payment_reversed": -1,
    "refund_paid": -1,
    "refund_failed": 1,
    "refund_marked": -1,
    "refund_mark_reversed": 1,
    "transfer_in": 1,
    "transfer_out": -1,
    "disputed": -1,
    "dispute_won": 1,
    "fee": -1,
}
"""Sign of an entry's amount by kind: money in or out; an entry of another kind moved no money and has no sign."""
_DUE_KINDS = frozenset({"due_increased", "credit_granted", "credit_reversed"})
_CAUSES_OF_CREDIT = {
    "cancelled": N_("Order cancelled"),
    "edited": N_("Order edited"),
    "reinstated": N_("Order reinstated"),
    "deleted": N_("Order deleted"),
}
PARCEL_KINDS = {"box": N_("Box"), "envelope": N_("Envelope"), "tube": N_("Tube"), "pallet": N_("Pallet")}
PROOFS = {
    "carrier_scan": N_("Carrier scan"),
    "signature": N_("Signature"),
    "customer_word": N_("Confirmed by the customer"),
    "photo": N_("Photo"),
    "none": N_("No proof"),
}
WAYS = {
    "one": N_("One parcel for all"),
    "chosen": N_("Choose the quantities"),
    "each": N_("One parcel per unit"),
}
"""The three ways to build parcels."""
SHOWS = {
    "all": N_("Everything"),
    "comments": N_("Comments"),
    "mails": N_("Mails"),
    "payments": N_("Payments"),
    "technical": N_("Technical"),
}
"""Filters of the activity."""
DISPUTE_STATES = {
    "inquiry": (N_("Bank inquiry"), "warning"),
    "closed": (N_("Closed without dispute"), "neutral"),
    "needs_response": (N_("Answer needed"), "danger"),
    "under_review": (N_("Under review"), "waiting"),
    "accepted": (N_("Accepted"), "warning"),
    "lost": (N_("Lost"), "danger"),
    "won": (N_("Won"), "good"),
}
"""Label and badge tone by state of a dispute."""
DISPUTE_REASONS = {
    "bank_cannot_process": N_("The bank could not process it"),
    "check_returned": N_("Returned unpaid"),
    "debit_not_authorized": N_("Debit not authorised by the customer"),
    "incorrect_account_details": N_("Wrong bank details"),
    "insufficient_funds": N_("Insufficient funds"),
    "credit_not_processed": N_("Promised refund not received"),
    "duplicate": N_("Paid twice"),
    "duplicate_transaction": N_("Paid twice"),
    "fraudulent": N_("Payment not made by the customer (fraud)"),
    "unauthorised": N_("Payment not made by the customer (fraud)"),
    "general": N_("No particular reason"),
    "other": N_("No particular reason"),
    "incorrect_amount": N_("Wrong amount"),
    "merchandise_or_service_not_as_described": N_("Goods not as described"),
    "product_unacceptable": N_("Goods not as described"),
    "merchandise_or_service_not_received": N_("Goods not received"),
    "product_not_received": N_("Goods not received"),
    "noncompliant": N_("Payment against the card network’s rules"),
    "payment_by_other_means": N_("Already paid by other means"),
    "problem_with_remittance": N_("Problem with the remittance"),
    "subscription_canceled": N_("Subscription cancelled"),
    "canceled_recurring_billing": N_("Subscription cancelled"),
    "unrecognized": N_("Payment not recognised by the customer"),
}
"""Reasons of a dispute, by Stripe's or PayPal's code in lower case."""
DISPUTE_RESOLUTIONS = {
    "written_off": N_("Written off: the shop bears the loss"),
    "made_due": N_("Made due: the customer owes the amount again"),
}
REFUND_MODES = {
    "recorded": N_("Recorded here only"),
    "sent": N_("Sent to the provider"),
    "external": N_("Made at the provider"),
}
REFUND_STATES = {
    "marked": (N_("Not confirmed yet"), "warning"),
    "sent": (N_("On its way"), "waiting"),
    "confirmed": (N_("Confirmed"), "good"),
    "failed": (N_("Did not succeed"), "danger"),
    "uncertain": (N_("To check"), "warning"),
}
"""Label and badge tone by state of a refund."""
REFUND_VERDICTS = {
    "ask_again": N_("Ask the provider again; if it does not have the refund, it makes it"),
    "made": N_("It was made: the provider shows it"),
    "not_made": N_("It was not made: the provider does not show it"),
}
"""Staff decisions on a refund with an unknown outcome."""
CAUSES = {
    "credit": N_("Return or goodwill gesture: the customer owes less"),
    "overpaid": N_("The customer overpaid"),
    "payment_undone": N_("Payment reversed; the order is still to be paid"),
}
"""Label by cause of a refund."""
PROVIDERS = {"stripe": "Stripe", "paypal": "PayPal"}
FIELD_LABELS = {
    "amount": N_("Amount"),
    "method": N_("Method"),
    "received_on": N_("Received on"),
    "clearing_on": N_("To be cashed on"),
    "reference": N_("Reference"),
    "note": N_("Note"),
    "weight_grams": N_("Weight in grams"),
    "declared_value": N_("Declared value"),
    "carrier": N_("Carrier"),
    "tracking_number": N_("Tracking number"),
    "tracking_url": N_("Tracking URL"),
    "shipped_on": N_("Shipped on"),
    "expected_on": N_("Expected on"),
    "cost": N_("Cost"),
    "delivered_on": N_("Delivered on"),
    "proof_reference": N_("Proof reference"),
    "public_comment": N_("Comment for the customer"),
    "admin_comment": N_("Comment for the team"),
    "reason": N_("Reason"),
}
"""Labels of the fields of the page's forms."""


def provider(name: str | None) -> str:
    """Return a payment provider's name in its own spelling."""
    return PROVIDERS.get(name or "", name or gettext("The provider"))


def dispute_reason(code: str) -> str:
    """Return the label of a dispute's reason; a code without one is returned unchanged."""
    return gettext(DISPUTE_REASONS[code.lower()]) if code.lower() in DISPUTE_REASONS else code


def options(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Return the choices of a field."""
    return [(value, gettext(text)) for value, text in texts.items()]


def methods_taken(chosen: str | None) -> list[tuple[str, str]]:
    """Return the methods for manual payments, without the chosen method, which has its own button; none is
    preset.
    """
    names = method_words()
    found = [(one.value, names[one.value]) for one in RECEIVE if one.value != chosen]
    return [("", gettext("Choose")), *found]


def signed_minor(kind: str, amount_minor: int) -> int:
    """Return an entry's amount as all pages show it: outgoing money is negative."""
    return amount_minor * SIGNS.get(kind, 1)


def ledger_reference(kind: str, reference: str | None, provider_reference: str | None) -> str | None:
    """Return an entry's reference. Entries caused by a change of the order carry the change's contract name,
    which is translated.
    """
    if kind in _DUE_KINDS and reference in _CAUSES_OF_CREDIT:
        return gettext(_CAUSES_OF_CREDIT[reference])
    return reference or provider_reference
