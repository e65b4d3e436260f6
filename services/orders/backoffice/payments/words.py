"""Payments in words: kinds of ledger entries and their signs, why money has no order, what hints are called.

Each function gives the words in the visit's language, by the value that is stored.
"""

from services.orders.backoffice.language.translating import gettext, pgettext
from services.orders.backoffice.order.words import LEDGER_KINDS


def kind_words() -> dict[str, str]:
    """By kind of ledger entry, as the order's own page names them."""
    return {kind: gettext(text) for kind, text in LEDGER_KINDS.items()}


def reason_words() -> dict[str, tuple[str, str]]:
    """Text and badge's tone by why the money has no order."""
    return {
        "waiting": (pgettext("unmatched", "Waiting for its order"), "waiting"),
        "order_unknown": (pgettext("unmatched", "No order claims it"), "warning"),
        "currency_differs": (pgettext("unmatched", "In another currency than its order"), "danger"),
        "order_deleted": (pgettext("unmatched", "Its order was deleted"), "danger"),
        "other_content": (pgettext("unmatched", "Told twice, in two ways"), "danger"),
    }


def hint_words() -> dict[str, str]:
    """By name of what a provider tells of a payment."""
    return {
        "payer_name": pgettext("unmatched", "Payer’s name"),
        "payer_email": pgettext("unmatched", "Payer’s mail"),
        "description": pgettext("unmatched", "Description"),
        "session_reference": pgettext("unmatched", "Reference of the checkout"),
        "charge": pgettext("unmatched", "Charge"),
        "customer": pgettext("unmatched", "Customer at the provider"),
    }


def provider_word(provider: str) -> str:
    """A provider as it writes its own name."""
    return {"stripe": "Stripe", "paypal": "PayPal"}.get(provider, provider)
