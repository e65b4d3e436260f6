"""The activity of an order as a timeline: texts with actor and reason, filtered. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.message import Reason
from services.orders.backoffice.language.activity_texts import event_text
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.mails.words import BOUNCES, HELD, WITHDRAWN
from services.orders.backoffice.order.gaps import adapted_words
from services.orders.backoffice.order.words import dispute_reason
from services.orders.order.history import STATE_CHANGED, HistoryEntry
from services.orders.staff.labels import Labels

_PAYMENTS = ("payment_", "refund_", "credit_", "dispute")
_WITH_CODES = ("dispute_opened", "dispute_updated", "dispute_closed")
_TECHNICAL = ("command_", "stock_", "checkout_", STATE_CHANGED)
_BECAUSE = {
    "payments": N_("Derived from its payments."),
    "fulfillment": N_("Derived from its parcels and stock."),
    "storefront": N_("Derived from the shop’s checkout."),
}
_OTHERWISE = N_("Derived from the order’s data.")
_ENDS_OF_MAILS = {"mail_bounced": BOUNCES, "mail_suppressed": HELD, "mail_withdrawn": WITHDRAWN}
_TONES = {
    "payment_received": "good",
    "delivery_recorded": "good",
    "shipment_updated": "info",
    "shipment_cancelled": "warning",
    "parcel_lost": "danger",
    "cancellation_requested": "warning",
    "cancellation_too_late": "warning",
    "shipment_dispatched": "good",
    "parcel_packed": "info",
    "status_updated": "info",
    "comment_added": "info",
    "mail_failed": "danger",
    "mail_uncertain": "warning",
    "mail_bounced": "danger",
    "mail_suppressed": "warning",
    "stock_rejected": "danger",
    "payment_reversed": "warning",
    "refund_failed": "danger",
    "refund_uncertain": "warning",
    "command_rejected": "danger",
    "dispute_opened": "danger",
    "dispute_updated": "warning",
    "dispute_closed": "info",
    "dispute_written_off": "warning",
    "dispute_made_due": "warning",
}


@dataclass(frozen=True)
class TimelineEntry:
    """An entry of the timeline. `quoted`: texts written by people, with their line breaks; `comment_id`: the
    comment's id, if it is one.
    """

    at: datetime
    actor: str
    text: str
    tone: str
    why: str
    quoted: tuple[tuple[str, str], ...]
    link: str
    comment_id: str


def timeline(happened: Iterable[HistoryEntry], labels: Labels, show: str) -> list[TimelineEntry]:
    """Return the entries that a filter includes, the latest first."""
    return [_entry(one, labels) for one in happened if belongs(one, show)]


def belongs(one: HistoryEntry, show: str) -> bool:
    """Return whether a filter (all, comments, mails, payments, technical) includes the entry."""
    if show == "comments":
        return bool(one.data.get("comment") or one.data.get("public_comment"))
    if show == "mails":
        return one.kind.startswith("mail_") or one.kind == "suppression_lifted"
    if show == "payments":
        return one.kind.startswith(_PAYMENTS)
    return show != "technical" or one.kind.startswith(_TECHNICAL)


def _entry(one: HistoryEntry, labels: Labels) -> TimelineEntry:
    quoted = [
        (title, _quoted(one, name))
        for name, title in (
            ("comment", gettext("Corrects an earlier comment:") if one.data.get("counters") else ""),
            ("public_comment", gettext("To the customer:")),
            ("customer_comment", gettext("From the customer:")),
            ("reason", gettext("Reason:")),
            *(
                [("detail", gettext("The provider:"))]
                if one.kind in ("refund_failed", "refund_uncertain")
                else ()
            ),
        )
        if one.data.get(name)
    ]
    link = f"/mails/{one.item}" if one.kind.startswith("mail_") and one.item else ""
    comment_id = str(one.data.get("comment_id", "")) if one.kind == "comment_added" else ""
    text, tone = event_text(one.kind, one.data, labels), _TONES.get(one.kind, "")
    return TimelineEntry(one.at, one.actor or "", text, tone, _why(one), tuple(quoted), link, comment_id)


def _quoted(one: HistoryEntry, name: str) -> str:
    """Return a text of an entry; the reason of a dispute is the provider's code."""
    is_code = name == "reason" and one.kind in _WITH_CODES
    return dispute_reason(str(one.data[name])) if is_code else str(one.data[name])


def _why(one: HistoryEntry) -> str:
    if one.kind == STATE_CHANGED and not one.actor:
        family = (one.cause_type or "").partition(".")[0]
        return gettext(_BECAUSE.get(family, _OTHERWISE))
    if ends := _ENDS_OF_MAILS.get(one.kind):
        return gettext(ends[str(one.data["kind"])]) if one.data.get("kind") in ends else ""
    reasons = one.data.get("reasons")
    found = [Reason.model_validate(reason) for reason in (reasons if isinstance(reasons, list) else ())]
    if one.kind == "sale_adapted":
        return adapted_words(found)
    return " ".join(explain(reason) for reason in found)
