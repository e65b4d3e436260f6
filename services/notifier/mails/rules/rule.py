"""The rule by which a mail is sent: the shop's switch for it that was in force when its cause happened. Pure.

Invariant: the time of the cause decides, not the time of handling. So a message that was handled late, again or
in a replay leads to the same mails, and to none that was switched off then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.notifier.mails.mail import Template

DEFAULTS: dict[Template, bool] = {
    Template.NEW_ORDER: True,
    Template.MESSAGE_RECEIVED: True,
    Template.STOCK_LOW: True,
    Template.PAYMENT_UNMATCHED: True,
    Template.REFUND_MARK_OVERDUE: True,
    Template.DISPUTE_DUE_SOON: True,
    Template.ORDER_COMPLETED: False,
    Template.CHECKOUT_ABANDONED: False,
}
"""Mails that a shop may switch, and whether they are sent until it does."""
ABANDONED_AFTER_MINUTES = 180


class Why(StrEnum):
    """Why a mail cannot be switched off."""

    LEGAL = "legal"
    INVOICING = "invoicing"
    TICKED = "ticked"
    PROMISED = "promised"
    REQUESTED = "requested"
    WRITTEN = "written"
    FAULT = "fault"


EXPLAINED = {
    Why.LEGAL: "the law requires that customers get a confirmation of what they ordered, so it is always sent",
    Why.INVOICING: "whether documents are mailed is a setting of invoicing, mails_customer",
    Why.TICKED: "it is sent only with an action that requests it, by notify_customer",
    Why.PROMISED: "it corrects an earlier mail to the customer",
    Why.REQUESTED: "the customer asked for it",
    Why.WRITTEN: "somebody wrote it for the customer",
    Why.FAULT: "it reports a fault that only the shop can correct",
}
"""The reasons in words, each the second half of a sentence."""
FIXED: dict[Template, Why] = {
    Template.ORDER_RECAP: Why.LEGAL,
    Template.INVOICE: Why.INVOICING,
    Template.CREDIT_NOTE: Why.INVOICING,
    Template.SHIPMENT_DISPATCHED: Why.TICKED,
    Template.SHIPMENT_UPDATED: Why.TICKED,
    Template.SHIPMENT_CANCELLED: Why.TICKED,
    Template.PARCEL_LOST: Why.TICKED,
    Template.STATUS_UPDATED: Why.TICKED,
    Template.ORDER_CANCELLED: Why.TICKED,
    Template.REFUND_MADE: Why.TICKED,
    Template.REFUND_FAILED: Why.PROMISED,
    Template.CANCELLATION_DECLINED: Why.REQUESTED,
    Template.PAGE_LINK: Why.REQUESTED,
    Template.MESSAGE_POSTED: Why.WRITTEN,
    Template.TEXT_DAMAGED: Why.FAULT,
    Template.SENDER_REFUSED: Why.FAULT,
}
"""Mails without a switch, each with the reason."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of a shop's switches."""

    version: int
    switches: Mapping[str, bool]
    abandoned_after_minutes: int
    changed_at: datetime


def in_force(versions: Iterable[Rules], at: datetime) -> Rules | None:
    """Return the latest version that was made by then; None: the defaults."""
    made = [one for one in versions if one.changed_at <= at]
    return max(made, key=lambda one: one.version, default=None)


def is_on(template: Template, rules: Rules | None) -> bool:
    """Return whether a mail is sent by these rules; one without a switch always is."""
    if template not in DEFAULTS:
        return True
    return (rules.switches if rules else {}).get(template.value, DEFAULTS[template])


def is_due(template: Template, at: datetime, versions: Iterable[Rules]) -> bool:
    """Return whether the mail of a cause that happened then is sent."""
    return is_on(template, in_force(versions, at))


def switches_of(rules: Rules | None) -> dict[str, bool]:
    """Return the position of every switch."""
    return {template.value: is_on(template, rules) for template in DEFAULTS}
