"""Labels and badge tones of an order's statuses: payment, fulfilment, flags; labels of filters.

Each function returns the labels in the request's language, by the stored value. An order is feminine in
French, so the texts have contexts of their own: "Paid" of one order is «Payée», of the filter «Payées».
"""

from services.orders.backoffice.language.translating import pgettext

Badges = dict[str, tuple[str, str]]
STATE_TONES = {
    "draft": "neutral",
    "in_checkout": "waiting",
    "abandoned": "neutral",
    "awaiting_payment": "waiting",
    "ready": "info",
    "processing": "info",
    "completed": "good",
    "cancelled": "danger",
}
"""Badge tone by state; its text and colour are those of the label."""


def payment_badges() -> Badges:
    """Return text and tone by payment status."""
    return {
        "void": (pgettext("payment status", "Not applicable"), "neutral"),
        "in_progress": (pgettext("payment status", "In checkout"), "waiting"),
        "abandoned": (pgettext("payment status", "Abandoned cart"), "neutral"),
        "refunded": (pgettext("payment status", "Refunded"), "neutral"),
        "refund_pending": (pgettext("payment status", "Refund in progress"), "waiting"),
        "overpaid": (pgettext("payment status", "Overpaid"), "danger"),
        "partially_refunded": (pgettext("payment status", "Partly refunded"), "neutral"),
        "paid": (pgettext("payment status", "Paid"), "good"),
        "partially_paid": (pgettext("payment status", "Partly paid"), "warning"),
        "authorized": (pgettext("payment status", "Authorised"), "info"),
        "pending": (pgettext("payment status", "Payment in progress"), "waiting"),
        "unpaid": (pgettext("payment status", "Unpaid"), "waiting"),
    }


def fulfilment_badges() -> Badges:
    """Return text and tone by fulfilment status."""
    return {
        "not_required": (pgettext("fulfilment status", "Nothing to ship"), "neutral"),
        "unfulfilled": (pgettext("fulfilment status", "To pack"), "waiting"),
        "partially_packed": (pgettext("fulfilment status", "Partly packed"), "waiting"),
        "packed": (pgettext("fulfilment status", "Packed"), "info"),
        "partially_shipped": (pgettext("fulfilment status", "Partly shipped"), "info"),
        "shipped": (pgettext("fulfilment status", "Shipped"), "info"),
        "partially_delivered": (pgettext("fulfilment status", "Partly delivered"), "info"),
        "delivered": (pgettext("fulfilment status", "Delivered"), "good"),
        "partially_returned": (pgettext("fulfilment status", "Partly returned"), "warning"),
        "returned": (pgettext("fulfilment status", "Returned"), "warning"),
    }


def flag_badges() -> Badges:
    """Return text and tone by attention flag."""
    return {
        "to_collect": (pgettext("flag", "Still to collect"), "warning"),
        "stock_missing": (pgettext("flag", "Stock missing"), "danger"),
        "paid_without_order": (pgettext("flag", "Paid without an order"), "danger"),
        "cancellation_requested": (pgettext("flag", "Cancellation requested"), "warning"),
        "address_refused": (pgettext("flag", "Mail address refused"), "danger"),
        "disputed": (pgettext("flag", "Dispute"), "danger"),
        "dispute_due": (pgettext("flag", "Dispute: answer before the deadline"), "danger"),
        "dispute_lost": (pgettext("flag", "Dispute lost: to decide"), "danger"),
        "dispute_inquiry": (pgettext("flag", "Bank inquiry"), "warning"),
        "last_attempt_failed": (pgettext("flag", "Last payment attempt failed"), "warning"),
        "over_refunded": (pgettext("flag", "Refunded too much"), "danger"),
        "refund_uncertain": (pgettext("flag", "Refund to check"), "danger"),
        "refund_unconfirmed": (pgettext("flag", "Refund not confirmed"), "warning"),
        "refund_not_booked": (pgettext("flag", "Provider refund not recorded"), "danger"),
        "refund_differs": (pgettext("flag", "Refund amount differs"), "danger"),
        "refund_failed": (pgettext("flag", "Refund failed"), "danger"),
        "partly_funded": (pgettext("flag", "Transfer partly received"), "warning"),
        "payment_shared": (pgettext("flag", "Payment belongs to another order"), "danger"),
        "overdue": (pgettext("flag", "Payment overdue"), "warning"),
    }


def method_words() -> dict[str, str]:
    """Return labels by payment method."""
    return {
        "card": pgettext("payment method", "Card"),
        "paypal": pgettext("payment method", "PayPal"),
        "cheque": pgettext("payment method", "Cheque"),
        "transfer": pgettext("payment method", "Bank transfer"),
        "cash": pgettext("payment method", "Cash, on site"),
        "other": pgettext("payment method", "Other"),
        "free": pgettext("payment method", "Free"),
    }


def module_words() -> dict[str, str]:
    """Return labels by storefront module."""
    return {
        "shop": pgettext("module", "Shop"),
        "events": pgettext("module", "Events"),
        "price_table": pgettext("module", "Price table"),
        "restaurant": pgettext("module", "Restaurant booking"),
        "slots": pgettext("module", "Slot booking"),
    }


def status_words() -> dict[str, str]:
    """Return the labels of the filter «Statut»."""
    return {
        "new": pgettext("status filter", "New"),
        "in_progress": pgettext("status filter", "In progress"),
        "done": pgettext("status filter", "Done"),
        "cancelled": pgettext("status filter", "Cancelled"),
    }


def payment_words() -> dict[str, str]:
    """Return the labels of the filter «Statut de paiement»."""
    return {
        "unpaid": pgettext("payment filter", "Unpaid"),
        "paid": pgettext("payment filter", "Paid"),
        "refunded": pgettext("payment filter", "Refunded"),
        "abandoned": pgettext("payment filter", "Abandoned cart"),
        "in_progress": pgettext("payment filter", "In progress"),
        "none": pgettext("payment filter", "Not applicable"),
    }


def colour_words() -> dict[str, str]:
    """Return the eight colours of tags and labels."""
    return {
        "grey": pgettext("colour", "Grey"),
        "red": pgettext("colour", "Red"),
        "orange": pgettext("colour", "Orange"),
        "ochre": pgettext("colour", "Ochre"),
        "green": pgettext("colour", "Green"),
        "teal": pgettext("colour", "Teal"),
        "blue": pgettext("colour", "Blue"),
        "purple": pgettext("colour", "Purple"),
    }
