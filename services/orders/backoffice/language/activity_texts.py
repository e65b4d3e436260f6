"""Texts of the events of an order's activity: one per kind.

A kind without a text is shown by its name, so that a history is always complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.orders.backoffice.language.formatting import amount
from services.orders.backoffice.language.translating import N_, gettext, page_locale
from services.orders.order.history import HistoryEntry, OpenCommand
from services.orders.staff.labels import Labels, combined

TEXTS = {
    "order_placed": N_("Order placed: %(amount)s"),
    "sale_adapted": N_("Accepted with changes"),
    "reference_added": N_("Reference added: %(source_reference)s %(provider_reference)s"),
    "order_edited": N_("Order edited"),
    "order_cancelled": N_("Order cancelled"),
    "cancellation_requested": N_("The customer requested cancellation of the order"),
    "cancellation_declined": N_("Cancellation request declined"),
    "cancellation_too_late": N_("The customer’s cancellation request came too late"),
    "order_reinstated": N_("Order reinstated"),
    "payment_received": N_("Payment received: %(amount)s"),
    "payment_reversed": N_("Payment reversed: %(amount)s"),
    "credit_granted": N_("Credit granted: %(amount)s"),
    "refund_marked": N_("Refund recorded here only: %(amount)s"),
    "refund_sent": N_("Refund sent: %(amount)s"),
    "refund_confirmed": N_("Refund confirmed: %(amount)s"),
    "refund_failed": N_("Refund failed: %(amount)s"),
    "refund_uncertain": N_("Refund to check: %(amount)s"),
    "dispute_opened": N_("Payment disputed: %(amount)s"),
    "dispute_updated": N_("Dispute updated: %(amount)s"),
    "dispute_closed": N_("Dispute ended: %(amount)s"),
    "dispute_written_off": N_("Lost dispute written off: %(amount)s"),
    "dispute_made_due": N_("Lost dispute made due again: %(amount)s"),
    "invoice_issued": N_("Invoice %(number)s issued: %(amount)s"),
    "credit_note_issued": N_("Credit note %(number)s issued: %(amount)s"),
    "payment_moved_in": N_("Payment moved from another order: %(amount)s"),
    "payment_moved_out": N_("Payment moved to another order: %(amount)s"),
    "stock_restocked": N_("Items restocked"),
    "checkout_opened": N_("Checkout opened"),
    "checkout_dropped": N_("Customer left the checkout"),
    "stock_reserved": N_("Stock reserved"),
    "stock_rejected": N_("Not enough stock"),
    "parcel_packed": N_("Parcel %(number)s packed"),
    "parcel_unpacked": N_("Parcel %(number)s unpacked"),
    "shipment_dispatched": N_("Shipped by %(carrier)s %(tracking_number)s"),
    "shipment_updated": N_("Tracking corrected: %(carrier)s %(tracking_number)s"),
    "shipment_cancelled": N_("Shipment by %(carrier)s cancelled"),
    "parcel_lost": N_("Parcel %(number)s reported lost"),
    "delivery_recorded": N_("Delivered"),
    "mail_sent": N_("Mail sent to %(recipient)s"),
    "mail_failed": N_("Mail to %(recipient)s failed"),
    "mail_bounced": N_("Mail to %(recipient)s bounced"),
    "mail_suppressed": N_("Mail to %(recipient)s was held: the address is suppressed"),
    "mail_withdrawn": N_("Mail to %(recipient)s was no longer needed"),
    "suppression_lifted": N_("%(address)s receives mail again"),
    "mail_uncertain": N_("Mail to %(recipient)s may or may not have been sent"),
    "message_posted": N_("Message from %(author)s"),
    "automatic_mail_received": N_("Automatic reply received"),
    "thread_closed": N_("Conversation closed"),
    "thread_reopened": N_("Conversation reopened"),
    "thread_assigned": N_("Conversation assigned to %(assignee)s"),
    "participant_added": N_("%(address)s recognised as the customer’s"),
    "participant_removed": N_("%(address)s no longer counts as the customer’s"),
    "command_rejected": N_("Refused"),
    "command_discarded": N_("Set aside without being carried out"),
    "command_ended": N_("Ended without an answer"),
    "command_done_late": N_("Carried out after all"),
    "tag_added": N_("Tag added: %(name)s"),
    "tag_removed": N_("Tag removed: %(name)s"),
    "comment_added": N_("Comment added"),
    "archived": N_("Archived"),
    "unarchived": N_("Unarchived"),
    "status_updated": N_("Status set to: %(label)s"),
    "state_changed": N_("Status is now: %(label)s"),
}
"""Text by kind of event."""
MAILS = {
    "new_order": N_("New order, to the shop"),
    "order_recap": N_("Order recap"),
    "shipment_dispatched": N_("Parcel on its way"),
    "shipment_updated": N_("New tracking"),
    "shipment_cancelled": N_("Shipment cancelled"),
    "parcel_lost": N_("Parcel lost"),
    "status_updated": N_("Status update"),
    "order_cancelled": N_("Order cancelled"),
    "cancellation_declined": N_("Cancellation request declined"),
    "refund_made": N_("Refund notice"),
    "refund_failed": N_("Failed refund notice"),
    "invoice": N_("Invoice"),
    "credit_note": N_("Credit note"),
    "page_link": N_("New link to the order"),
    "message_posted": N_("Message to the customer"),
    "message_received": N_("Customer’s message, to the shop"),
    "text_damaged": N_("Unusable text, to the shop"),
    "order_completed": N_("Order complete"),
    "checkout_abandoned": N_("Checkout reminder"),
    "stock_low": N_("Low stock, to the shop"),
    "payment_unmatched": N_("Payment without an order, to the shop"),
    "refund_mark_overdue": N_("Refund not confirmed, to the shop"),
    "dispute_due_soon": N_("Dispute deadline, to the shop"),
    "sender_refused": N_("Mails refused as spam, to the shop"),
}
"""Purpose by template of a mail."""
COMMANDS = {
    "orders.payment.record.v1": N_("Payment of %(amount)s"),
    "orders.payment.reverse.v1": N_("Reversal of a payment"),
    "orders.payment.reassign.v1": N_("Assignment of a payment"),
    "orders.order.refund.v1": N_("Refund of %(amount)s"),
    "orders.refund_mark.confirm.v1": N_("Confirmation of a refund"),
    "orders.refund.settle.v1": N_("Decision on a refund"),
    "orders.credit.grant.v1": N_("Credit of %(amount)s"),
    "orders.dispute.resolve.v1": N_("Decision on a lost dispute"),
    "orders.parcel.pack.v1": N_("Packing of a parcel"),
    "orders.parcel.unpack.v1": N_("Unpacking of a parcel"),
    "orders.parcel.report_lost.v1": N_("Report of a lost parcel"),
    "orders.shipment.dispatch.v1": N_("Shipment of parcels"),
    "orders.shipment.update.v1": N_("Correction of a shipment"),
    "orders.shipment.cancel.v1": N_("Cancellation of a shipment"),
    "orders.delivery.record.v1": N_("Record of a delivery"),
}
"""Text by type of a command that has no outcome yet."""
_RECEIVED = {
    "cheque": N_("%(amount)s by cheque"),
    "transfer": N_("%(amount)s by bank transfer"),
    "cash": N_("%(amount)s in cash"),
}
"""Text of a payment by its method."""
NO_LABELS = combined([])
_NAMES = (
    *("number", "carrier", "tracking_number", "recipient", "name", "author", "assignee", "address"),
    *("source_reference", "provider_reference"),
)


@dataclass(frozen=True)
class Change:
    """An event of the activity: time, actor ("" for an automatic consequence), and its translated text."""

    at: datetime
    actor: str
    text: str


def event_text(kind: str, data: Mapping[str, Any], labels: Labels = NO_LABELS) -> str:
    """Return an event as one line in the user's language. `labels` are the shop's statuses."""
    text = TEXTS.get(kind)
    if kind == "stock_restocked" and not data.get("restocked"):
        text = N_("Refunded items cancelled")
    line = gettext(text, **_values(data, labels)).strip() if text is not None else kind.replace("_", " ")
    mail = MAILS.get(str(data.get("template"))) if kind.startswith("mail_") else None
    return f"{line} · {gettext(mail)}" if mail else line


def as_changes(happened: list[HistoryEntry], labels: Labels = NO_LABELS) -> list[Change]:
    """Return events as the page of a stale form shows them."""
    return [Change(one.at, one.actor or "", event_text(one.kind, one.data, labels)) for one in happened]


def requested(one: OpenCommand) -> str:
    """Return what a command without outcome does, with its amount; "" when that is unknown."""
    text = _RECEIVED.get(str(one.content.get("method")), COMMANDS.get(one.type, ""))
    money = _amount(one.content)
    return gettext(text, amount=money) if text and (money or "%(amount)s" not in text) else ""


def _amount(data: Mapping[str, Any]) -> str:
    minor = data.get("amount_minor", data.get("total_minor"))
    return amount(int(minor), str(data["currency"])) if minor is not None and "currency" in data else ""


def _values(data: Mapping[str, Any], labels: Labels) -> dict[str, str]:
    """Return the values of an event's data that a text may use; missing ones are empty."""
    plain = {name: str(value) for name, value in data.items() if isinstance(value, str | int)}
    label = labels.text(str(data.get("label", "")), page_locale().language)
    return {**dict.fromkeys(_NAMES, ""), **plain, "amount": _amount(data), "label": label}
