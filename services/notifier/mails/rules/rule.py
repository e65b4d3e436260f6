"""The rule by which a mail is sent: the shop's switch for it that was active when its cause happened. Pure.

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


class FixedReason(StrEnum):
    """Why a mail cannot be switched off."""

    LEGAL = "legal"
    INVOICING = "invoicing"
    TICKED = "ticked"
    PROMISED = "promised"
    REQUESTED = "requested"
    WRITTEN = "written"
    FAULT = "fault"


EXPLAINED = {
    FixedReason.LEGAL: "the law requires that customers get a confirmation of what they ordered, so it is always sent",
    FixedReason.INVOICING: "whether documents are mailed is a setting of invoicing, mails_customer",
    FixedReason.TICKED: "it is sent only with an action that requests it, by notify_customer",
    FixedReason.PROMISED: "it corrects an earlier mail to the customer",
    FixedReason.REQUESTED: "the customer asked for it",
    FixedReason.WRITTEN: "somebody wrote it for the customer",
    FixedReason.FAULT: "it reports a fault that only the shop can correct",
}
"""The reasons in words, each the second half of a sentence."""
FIXED: dict[Template, FixedReason] = {
    Template.ORDER_RECAP: FixedReason.LEGAL,
    Template.INVOICE: FixedReason.INVOICING,
    Template.CREDIT_NOTE: FixedReason.INVOICING,
    Template.SHIPMENT_DISPATCHED: FixedReason.TICKED,
    Template.SHIPMENT_UPDATED: FixedReason.TICKED,
    Template.SHIPMENT_CANCELLED: FixedReason.TICKED,
    Template.PARCEL_LOST: FixedReason.TICKED,
    Template.STATUS_UPDATED: FixedReason.TICKED,
    Template.ORDER_CANCELLED: FixedReason.TICKED,
    Template.REFUND_MADE: FixedReason.TICKED,
    Template.REFUND_FAILED: FixedReason.PROMISED,
    Template.CANCELLATION_DECLINED: FixedReason.REQUESTED,
    Template.PAGE_LINK: FixedReason.REQUESTED,
    Template.MESSAGE_POSTED: FixedReason.WRITTEN,
    Template.TEXT_DAMAGED: FixedReason.FAULT,
    Template.SENDER_REFUSED: FixedReason.FAULT,
}
"""Mails without a switch, each with the reason."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of a shop's switches."""

    version: int
    switches: Mapping[str, bool]
    abandoned_after_minutes: int
    changed_at: datetime


def rules_at(versions: Iterable[Rules], at: datetime) -> Rules | None:
    """Return the latest version that was made by then; None: the defaults."""
    earlier = [one for one in versions if one.changed_at <= at]
    return max(earlier, key=lambda one: one.version, default=None)


def is_on(template: Template, rules: Rules | None) -> bool:
    """Return whether a mail is sent by these rules; one without a switch always is."""
    if template not in DEFAULTS:
        return True
    return (rules.switches if rules else {}).get(template.value, DEFAULTS[template])


def is_due(template: Template, at: datetime, versions: Iterable[Rules]) -> bool:
    """Return whether the mail of a cause that happened then is sent."""
    return is_on(template, rules_at(versions, at))


def switches_of(rules: Rules | None) -> dict[str, bool]:
    """Return the position of every switch."""
    return {template.value: is_on(template, rules) for template in DEFAULTS}
