"""Texts of operations: why a message is parked and its remedy, the services' short names, durations."""

from dataclasses import dataclass

from services.orders.backoffice.language.translating import N_, gettext, ngettext, pgettext


@dataclass(frozen=True)
class ParkedExplanation:
    """The meaning of a reason, and what a user does about it; both marked for translation."""

    meaning: str
    remedy: str


_NEWER = ParkedExplanation(
    N_("Its version is newer than this service supports."),
    N_("Update the service, then retry it."),
)
_EARLY = ParkedExplanation(
    N_("It is about an order or a parcel that this service does not have (yet)."),
    N_(
        "It is retried automatically when that arrives. If it waits for long, check whether another service is down."
    ),
)
_ANSWER = ParkedExplanation(
    N_("It needs another service’s answer, which has not come yet."),
    N_(
        "It is retried automatically when the answer comes. If it waits for long, check whether that service is down."
    ),
)
REASONS = {
    "order_unknown": _EARLY,
    "unknown_order": _EARLY,
    "unknown_parcel": _EARLY,
    "unknown_shipment": _EARLY,
    "stopping_unanswered": _ANSWER,
    "not_cancelled_yet": _ANSWER,
    "opened_in_future": ParkedExplanation(
        N_("It is dated in the future: a clock is wrong."),
        N_("Correct the sender’s clock, then retry it."),
    ),
    "not_your_checkout": ParkedExplanation(
        N_("Two storefronts use one identifier for their checkouts."),
        N_("Correct the storefront, then set this one aside."),
    ),
    "edit_before_missing": ParkedExplanation(
        N_("It follows a change of the order that has not arrived yet."),
        N_(
            "It is retried automatically when the earlier change arrives. If it waits for long, check the queues."
        ),
    ),
    "error": ParkedExplanation(
        N_("The service failed on it repeatedly."),
        N_("Read the error below. When the cause is fixed, retry it; nothing of it was stored halfway."),
    ),
    "delivery_limit": ParkedExplanation(
        N_("RabbitMQ dead-lettered it after fifty redeliveries. It may have stopped the service each time."),
        N_("Look at it before you retry it: it may stop the service again."),
    ),
    "envelope_unreadable": ParkedExplanation(
        N_("Its envelope is incomplete or can’t be read."),
        N_("The sender has to be fixed and send it again. Set this one aside with that reason."),
    ),
    "schema_invalid": ParkedExplanation(
        N_("Its content does not match the contract."),
        N_("The sender has to be fixed and send it again. Set this one aside with that reason."),
    ),
    "unknown_type": ParkedExplanation(
        N_("No service here supports this type of message."),
        N_("Correct the sender and set this one aside, or update the service and retry it."),
    ),
    "unknown_version": _NEWER,
    "wrong_sender": ParkedExplanation(
        N_("Its sender is not allowed to send it."),
        N_("Find out who sent it, then set it aside. Retrying it changes nothing."),
    ),
    "unroutable": ParkedExplanation(
        N_("A storefront published it with a routing key to which no queue is bound."),
        N_(
            "Correct the storefront: the routing key is the message’s type. If it was not sent again since, retry it."
        ),
    ),
    "too_large": ParkedExplanation(
        N_("It is larger than one mebibyte."),
        N_("The sender has to make it smaller and send it again. Set this one aside."),
    ),
    "id_not_uuid7": ParkedExplanation(
        N_("Its identifier does not contain the time at which it was created."),
        N_("The sender has to use UUIDv7 and send it again. Set this one aside."),
    ),
    "id_from_future": ParkedExplanation(
        N_("It is dated in the future: a clock is wrong."),
        N_("Correct the sender’s clock, then retry it."),
    ),
    "event_id_reused": ParkedExplanation(
        N_("Its sender used its identifier before, for another message."),
        N_(
            "If it should also be handled, retry it; otherwise set it aside. The sender has to use "
            "each identifier once."
        ),
    ),
    "dedupe_window_expired": ParkedExplanation(
        N_("It is too old to determine whether it was handled before."),
        N_("If you are sure that it is new, retry it; otherwise set it aside."),
    ),
    "currency_differs": ParkedExplanation(
        N_("It is in another currency than the order."),
        N_("Check the payment at the provider, then set this one aside with a note of what was done."),
    ),
    "unknown_shop": ParkedExplanation(
        N_("This shop is not set up in the service."),
        N_("Add the shop to the service’s settings, then retry it."),
    ),
    "login_unknown": ParkedExplanation(
        N_("It arrived without a login verified by RabbitMQ."),
        N_("Give the storefront a login of its own. Set this one aside."),
    ),
    "not_your_shop": ParkedExplanation(
        N_("A storefront published for a shop that is not its own."),
        N_("Correct the storefront’s settings, then set this one aside."),
    ),
}
"""Explanations by reason code."""
OTHERWISE = ParkedExplanation(
    N_("The service can’t process it as it is."),
    N_("Read the error below. Fix the cause and retry it, or set it aside with a reason."),
)


def why(reason: str) -> ParkedExplanation:
    """Return the explanation of a reason."""
    return REASONS.get(reason, OTHERWISE)


def party(name: str) -> str:
    """Return a sender's or consumer's short name."""
    names = {
        "orders": pgettext("party", "Orders"),
        "payments": pgettext("party", "Payments"),
        "fulfillment": pgettext("party", "Fulfilment"),
        "notifier": pgettext("party", "Mails"),
        "storefront": pgettext("party", "Storefront"),
        "dead": pgettext("party", "Dead letters"),
        "unrouted": pgettext("party", "Storefront, unroutable"),
    }
    return names.get(name, name)


def duration(seconds: float | None) -> str:
    """Return a duration as text, rounded down: 90 s is 1 min."""
    if seconds is None:
        return "–"
    whole = int(seconds)
    if 0 < seconds < 1:
        return gettext("under 1 s")
    if whole < 60:
        return gettext("%(count)s s", count=whole)
    if whole < 3600:
        return gettext("%(count)s min", count=whole // 60)
    if whole < 86400:
        return gettext("%(count)s h", count=whole // 3600)
    return ngettext("%(count)s day", "%(count)s days", whole // 86400)
