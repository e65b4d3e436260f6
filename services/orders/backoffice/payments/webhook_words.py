"""Labels of webhooks: outcomes and reasons, in the request's language, by the stored value."""

from services.orders.backoffice.language.translating import gettext, pgettext


def state_words() -> dict[str, tuple[str, str]]:
    """Return text and badge tone by a webhook's outcome, in the order of the tally's columns."""
    return {
        "parked": (pgettext("webhook", "To handle"), "danger"),
        "waiting": (pgettext("webhook", "Waiting for its order"), "waiting"),
        "applied": (pgettext("webhook", "Applied"), "good"),
        "duplicate": (pgettext("webhook", "Already received"), "neutral"),
        "irrelevant": (pgettext("webhook", "Set aside"), "neutral"),
        "unread": (pgettext("webhook", "Not read yet"), "info"),
    }


def reason_words() -> dict[str, str]:
    """Return the meaning of each reason and, where a user has to act, the remedy."""
    return {
        "order_unknown": gettext("No matching order. Money is under “To identify”."),
        "currency_differs": gettext("It is in another currency than its order. Refund it at the provider."),
        "order_deleted": gettext("Its order was deleted. Check it at the provider."),
        "livemode_differs": gettext(
            "A test event at a live endpoint, or the other way round. Check the endpoint at the provider."
        ),
        "account_unexpected": gettext(
            "It belongs to another account at the provider. Check the endpoint there."
        ),
        "amount_unusable": gettext("Its amount or currency can’t be read. Check it at the provider."),
        "state_contradicts_type": gettext(
            "The event and its object contradict each other. Check it at the provider."
        ),
        "type_unknown": gettext(
            "The hub does not handle this event. Unsubscribe the endpoint from it at the provider."
        ),
        "shape_unexpected": gettext("It does not match the provider’s documented format."),
        "unreadable": gettext("It can’t be read."),
        "endpoint_unknown": gettext(
            "Its endpoint is no longer in the settings. Have it added again, then reprocess the webhook."
        ),
        "other_content": gettext(
            "This event was received before with different content. Compare both at the provider, "
            "then reprocess it or set it aside."
        ),
        "amount_differs": gettext(
            "Its amount differs from the posted one. Check it at the provider and correct the order manually."
        ),
        "object_unread": gettext("The object it refers to is being fetched from the provider, with retries."),
        "object_unknown": gettext(
            "The provider has no object like the one it refers to. It may be forged; check it at the "
            "provider."
        ),
        "failed": gettext("The service failed to process it. When the cause is fixed, reprocess it."),
        "no_money_of_an_order": gettext("Ordinary event that involves no money of an order."),
        "names_other_shop": gettext("It names another shop."),
        "intent_says_it": gettext("The payment itself reports it."),
        "refund_says_it": gettext("The refund itself reports it."),
        "approved_not_captured": gettext("The customer agreed; nothing is paid yet."),
        "order_without_payment": gettext("An order at the provider without a payment."),
        "session_without_payment": gettext("A checkout without a payment."),
        "set_aside": gettext("Somebody set it aside."),
    }
