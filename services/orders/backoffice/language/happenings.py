"""The events of an order's activity in words: one text per kind.

A kind that has no text is shown by its name, so that a history is always complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.orders.backoffice.language.formatting import amount
from services.orders.backoffice.language.translating import N_, gettext, speech
from services.orders.order.history import HistoryEntry
from services.orders.staff.labels import Labels, combined

TEXTS = {
    "order_placed": N_("Order placed: %(amount)s"),
    "sale_adapted": N_("Taken over with changes"),
    "reference_added": N_("Reference added: %(source_reference)s %(provider_reference)s"),
    "order_edited": N_("Order edited"),
    "order_cancelled": N_("Order cancelled"),
    "order_reinstated": N_("Order reinstated"),
    "payment_received": N_("Payment received: %(amount)s"),
    "payment_reversed": N_("Payment reversed: %(amount)s"),
    "credit_granted": N_("Credit granted: %(amount)s"),
    "refund_marked": N_("Refund recorded here only: %(amount)s"),
    "refund_sent": N_("Refund sent: %(amount)s"),
    "refund_confirmed": N_("Refund confirmed: %(amount)s"),
    "refund_failed": N_("Refund failed: %(amount)s"),
    "refund_uncertain": N_("Refund to check: %(amount)s"),
    "payment_moved_in": N_("Payment came from another order: %(amount)s"),
    "payment_moved_out": N_("Payment went to another order: %(amount)s"),
    "stock_restocked": N_("Goods back on the shelf"),
    "checkout_opened": N_("Checkout opened"),
    "checkout_dropped": N_("Checkout left"),
    "stock_reserved": N_("Stock reserved"),
    "stock_rejected": N_("Not enough stock"),
    "parcel_packed": N_("Parcel %(number)s packed"),
    "parcel_unpacked": N_("Parcel %(number)s taken apart"),
    "shipment_dispatched": N_("Shipped by %(carrier)s %(tracking_number)s"),
    "shipment_updated": N_("Tracking corrected: %(carrier)s %(tracking_number)s"),
    "shipment_cancelled": N_("Shipment by %(carrier)s cancelled"),
    "parcel_lost": N_("Parcel %(number)s reported lost"),
    "delivery_recorded": N_("Delivered"),
    "mail_sent": N_("Mail sent to %(recipient)s"),
    "mail_failed": N_("Mail to %(recipient)s failed"),
    "mail_uncertain": N_("Mail to %(recipient)s may or may not have gone"),
    "command_rejected": N_("Refused"),
    "command_discarded": N_("Set aside without being carried out"),
    "command_ended": N_("Ended without an answer"),
    "command_done_late": N_("Carried out after all"),
    "tag_added": N_("Tag added: %(name)s"),
    "tag_removed": N_("Tag removed: %(name)s"),
    "comment_added": N_("Comment added"),
    "archived": N_("Archived"),
    "unarchived": N_("Taken out of the archive"),
    "status_updated": N_("Status set to: %(label)s"),
    "state_changed": N_("Status is now: %(label)s"),
}
"""By kind of the activity."""
MAILS = {
    "new_order": N_("New order, to the shop"),
    "order_recap": N_("Order recap"),
    "shipment_dispatched": N_("Parcel on its way"),
    "shipment_updated": N_("New tracking"),
    "shipment_cancelled": N_("Shipment cancelled"),
    "parcel_lost": N_("Parcel lost"),
    "status_updated": N_("Status update"),
    "order_cancelled": N_("Order cancelled"),
    "refund_made": N_("Notice of a refund"),
    "refund_failed": N_("Notice of a failed refund"),
}
"""What each template of a mail is for."""
NO_LABELS = combined([])
_NAMES = (
    *("number", "carrier", "tracking_number", "recipient", "name"),
    *("source_reference", "provider_reference"),
)


@dataclass(frozen=True)
class Change:
    """An event of the activity: when, by whom ("": no actor, it was a consequence), and its text, translated."""

    at: datetime
    actor: str
    text: str


def told(kind: str, data: Mapping[str, Any], labels: Labels = NO_LABELS) -> str:
    """Return an event as one line in the user's language. `labels` are the shop's statuses."""
    text = TEXTS.get(kind)
    if kind == "stock_restocked" and not data.get("restocked"):
        text = N_("Refunded articles cancelled")
    line = gettext(text, **_values(data, labels)).strip() if text is not None else kind.replace("_", " ")
    mail = MAILS.get(str(data.get("template"))) if kind.startswith("mail_") else None
    return f"{line} · {gettext(mail)}" if mail else line


def as_changes(happened: list[HistoryEntry], labels: Labels = NO_LABELS) -> list[Change]:
    """Return events as the page of a stale form shows them."""
    return [Change(one.at, one.actor or "", told(one.kind, one.data, labels)) for one in happened]


def _amount(data: Mapping[str, Any]) -> str:
    minor = data.get("amount_minor", data.get("total_minor"))
    return amount(int(minor), str(data["currency"])) if minor is not None and "currency" in data else ""


def _values(data: Mapping[str, Any], labels: Labels) -> dict[str, str]:
    """Return the values of an event's data that a text may use; missing ones are empty."""
    plain = {name: str(value) for name, value in data.items() if isinstance(value, str | int)}
    label = labels.text(str(data.get("label", "")), speech().language)
    return {**dict.fromkeys(_NAMES, ""), **plain, "amount": _amount(data), "label": label}
