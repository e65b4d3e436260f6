"""The activity of an order as a timeline: in words, with actor and reason, filtered. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.message import Reason
from services.orders.backoffice.language.happenings import told
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.gaps import adapted_words
from services.orders.order.history import STATE_CHANGED, HistoryEntry
from services.orders.staff.labels import Labels

_PAYMENTS = ("payment_", "refund_", "credit_", "dispute")
_TECHNICAL = ("command_", "stock_", "checkout_", STATE_CHANGED)
_BECAUSE = {
    "payments": N_("Followed from its payments."),
    "fulfillment": N_("Followed from its parcels and stock."),
    "storefront": N_("Followed from the shop’s checkout."),
}
_OTHERWISE = N_("Followed from its facts.")
_TONES = {
    "payment_received": "good",
    "delivery_recorded": "good",
    "shipment_updated": "info",
    "shipment_cancelled": "warning",
    "parcel_lost": "danger",
    "shipment_dispatched": "good",
    "parcel_packed": "info",
    "status_updated": "info",
    "comment_added": "info",
    "mail_failed": "danger",
    "mail_uncertain": "warning",
    "stock_rejected": "danger",
    "payment_reversed": "warning",
    "refund_failed": "danger",
    "refund_uncertain": "warning",
    "command_rejected": "danger",
}


@dataclass(frozen=True)
class TimelineEntry:
    """An entry of the timeline. `quoted`: texts by people, with their line breaks; `comment_id`: of a
    comment.
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
    """Return the entries of a filter, the latest first."""
    return [_entry(one, labels) for one in happened if belongs(one, show)]


def belongs(one: HistoryEntry, show: str) -> bool:
    """Return whether a filter (all, comments, mails, payments, technical) includes the entry."""
    if show == "comments":
        return bool(one.data.get("comment") or one.data.get("public_comment"))
    if show == "mails":
        return one.kind.startswith("mail_")
    if show == "payments":
        return one.kind.startswith(_PAYMENTS)
    return show != "technical" or one.kind.startswith(_TECHNICAL)


def _entry(one: HistoryEntry, labels: Labels) -> TimelineEntry:
    quoted = [
        (title, str(one.data[name]))
        for name, title in (
            ("comment", gettext("Corrects an earlier comment:") if one.data.get("counters") else ""),
            ("public_comment", gettext("To the customer:")),
            ("reason", gettext("Why:")),
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
    text, tone = told(one.kind, one.data, labels), _TONES.get(one.kind, "")
    return TimelineEntry(one.at, one.actor or "", text, tone, _why(one), tuple(quoted), link, comment_id)


def _why(one: HistoryEntry) -> str:
    if one.kind == STATE_CHANGED and not one.actor:
        family = (one.cause_type or "").partition(".")[0]
        return gettext(_BECAUSE.get(family, _OTHERWISE))
    reasons = one.data.get("reasons")
    found = [Reason.model_validate(reason) for reason in (reasons if isinstance(reasons, list) else ())]
    if one.kind == "sale_adapted":
        return adapted_words(found)
    return " ".join(explain(reason) for reason in found)
