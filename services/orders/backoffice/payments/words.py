"""Labels of payments: kinds of ledger entries and their signs, reasons for unmatched money, hints.

Each function returns the labels in the request's language, by the stored value.
"""

from services.orders.backoffice.language.translating import gettext, pgettext
from services.orders.backoffice.order.words import LEDGER_KINDS


def kind_words() -> dict[str, str]:
    """Return labels by kind of ledger entry, as on the order's own page."""
    return {kind: gettext(text) for kind, text in LEDGER_KINDS.items()}


def reason_words() -> dict[str, tuple[str, str]]:
    """Return text and badge tone by reason why the money is unmatched."""
    return {
        "waiting": (pgettext("unmatched", "Waiting for its order"), "waiting"),
        "order_unknown": (pgettext("unmatched", "No matching order"), "warning"),
        "currency_differs": (pgettext("unmatched", "In another currency than its order"), "danger"),
        "order_deleted": (pgettext("unmatched", "Its order was deleted"), "danger"),
        "other_content": (pgettext("unmatched", "Reported twice, with different content"), "danger"),
    }


def hint_words() -> dict[str, str]:
    """Return labels by name of a provider's hint on a payment."""
    return {
        "payer_name": pgettext("unmatched", "Payer’s name"),
        "payer_email": pgettext("unmatched", "Payer’s mail"),
        "description": pgettext("unmatched", "Description"),
        "session_reference": pgettext("unmatched", "Reference of the checkout"),
        "charge": pgettext("unmatched", "Charge"),
        "customer": pgettext("unmatched", "Customer at the provider"),
        "invoice": pgettext("unmatched", "Invoice number given to the provider"),
        "custom": pgettext("unmatched", "Reference given to the provider"),
    }


def provider_word(provider: str) -> str:
    """Return a provider's name in its own spelling."""
    return {"stripe": "Stripe", "paypal": "PayPal"}.get(provider, provider)


def failure_text(provider: str, error: str) -> str:
    """Return why a comparison failed. `error` is payments' text: the kind of failure, a colon, the detail."""
    kind, _, detail = error.partition(": ")
    name = provider_word(provider)
    texts = {
        "ProviderUnavailable": gettext(
            "%(provider)s did not respond. It is queried again at the next run.", provider=name
        ),
        "ProviderRefused": gettext("%(provider)s refused: %(detail)s", provider=name, detail=detail),
        "AnswerUnreadable": gettext(
            "%(provider)s returned an unreadable response: %(detail)s", provider=name, detail=detail
        ),
    }
    return texts.get(kind, error)
