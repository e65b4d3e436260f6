"""Webhooks in words: their outcomes and reasons, in the request's language, by the stored value."""

from services.orders.backoffice.language.translating import gettext, pgettext


def state_words() -> dict[str, tuple[str, str]]:
    """Return text and badge tone by a webhook's outcome, in the order of the tally's columns."""
    return {
        "parked": (pgettext("webhook", "For somebody"), "danger"),
        "waiting": (pgettext("webhook", "Waiting for its order"), "waiting"),
        "applied": (pgettext("webhook", "Applied"), "good"),
        "duplicate": (pgettext("webhook", "Known already"), "neutral"),
        "irrelevant": (pgettext("webhook", "Set aside"), "neutral"),
        "unread": (pgettext("webhook", "Not read yet"), "info"),
    }


def reason_words() -> dict[str, str]:
    """Return the meaning of each reason and, where a user has to act, the remedy."""
    return {
        "order_unknown": gettext("No order claims it. Money is under « To identify »."),
        "currency_differs": gettext("It is in another currency than its order. Refund it at the provider."),
        "order_deleted": gettext("Its order was deleted. Look at it at the provider."),
        "livemode_differs": gettext(
            "A test event at a live address, or the other way round. Check the address at the provider."
        ),
        "account_unexpected": gettext("It is of another account at the provider. Check the address there."),
        "amount_unusable": gettext("Its amount or currency can’t be read. Look at it at the provider."),
        "state_contradicts_type": gettext(
            "The event and its object say opposite things. Look at it at the provider."
        ),
        "type_unknown": gettext("The hub does not know this event. Take it off the address at the provider."),
        "shape_unexpected": gettext("It is not written as the provider documents it."),
        "unreadable": gettext("It can’t be read."),
        "endpoint_unknown": gettext(
            "Its address is no longer in the settings. Have it added again, then look again."
        ),
        "other_content": gettext(
            "This event came before with other content. Compare both at the provider, then look again or set it aside."
        ),
        "failed": gettext("The service failed on it. When the cause is gone, look again."),
        "no_money_of_an_order": gettext("Ordinary news: no money of an order."),
        "names_other_shop": gettext("It names another shop."),
        "intent_says_it": gettext("The payment itself tells it."),
        "refund_says_it": gettext("The refund itself tells it."),
        "session_without_payment": gettext("A checkout without a payment."),
        "set_aside": gettext("Somebody set it aside."),
    }
