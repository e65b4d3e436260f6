"""Reports of the notifier about mails: sent, failed, unknown, came back, held, or withdrawn. One message has
many reports.

Invariant: one row per mail with its latest report, in any order of arrival. No report waits for its
order: one unknown order must not delay the other mails of the message. An order whose customer's address is
refused is flagged, until the address is corrected or free again.
"""

from datetime import datetime
from typing import Any

from contracts.notifier.bounces import (
    BouncedMail,
    MailBounced,
    MailSuppressed,
    SuppressedMail,
    SuppressionLifted,
)
from contracts.notifier.mails import (
    MailFailed,
    MailReport,
    MailSent,
    MailUncertain,
    MailWithdrawn,
    WithdrawnMail,
)
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copies.mail_store import MailRow
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes

SERVICE = "notifier"
Report = MailSent | MailFailed | MailUncertain | MailBounced | MailSuppressed | MailWithdrawn
STATES: dict[type[Report], str] = {
    MailSent: "sent",
    MailFailed: "failed",
    MailUncertain: "uncertain",
    MailBounced: "bounced",
    MailSuppressed: "suppressed",
    MailWithdrawn: "withdrawn",
}
_REFUSALS = frozenset({"address", "full", "manual"})
"""Kinds of bounce or suppression caused by the address: staff have to correct it."""


def copy_reports(
    work: OrderUnit,
    received: ReceivedMessage[MailSent]
    | ReceivedMessage[MailFailed]
    | ReceivedMessage[MailUncertain]
    | ReceivedMessage[MailBounced]
    | ReceivedMessage[MailSuppressed]
    | ReceivedMessage[MailWithdrawn],
) -> None:
    """Copy the report on each mail of the message. A mail resent by a command is recorded separately.

    Idempotent: a repeat leaves the mails' rows unchanged.
    """
    state, requested_by = STATES[type(received.message)], received.envelope.causation_id
    outcomes.settle(work, received)
    for report in received.message.mails:
        _keep_highest(work, report, state)
        if report.order_id is not None:
            work.unit.touch_order(report.shop, report.order_id)
            data = _activity_data(report)
            work.note(
                report.shop,
                report.order_id,
                f"mail_{state}",
                requested_by or report.mail_id,
                SERVICE,
                received.envelope,
                data,
            )


def flag_orders(
    work: OrderUnit, received: ReceivedMessage[MailBounced] | ReceivedMessage[MailSuppressed]
) -> None:
    """Copy the reports, and flag the orders whose customer's address is refused. An unknown order is skipped."""
    copy_reports(work, received)
    for report in received.message.mails:
        order = work.orders.get((report.shop, report.order_id)) if report.order_id else None
        is_about_address = str(report.kind) in _REFUSALS
        if order is not None and is_about_address and order.reach.refuse(report.recipient, report.at):
            work.changed(order, received.envelope)


def free_orders(work: OrderUnit, received: ReceivedMessage[SuppressionLifted]) -> None:
    """Clear the flag of the orders whose customer has the address, and record who lifted it and why."""
    lifted = received.message
    outcomes.settle(work, received)
    for order_id in lifted.order_ids:
        order = work.orders.get((lifted.shop, order_id))
        if order is None or not order.reach.free(lifted.lifted_at):
            continue
        data = {"address": lifted.address, "reason": lifted.reason}
        cause = received.envelope
        work.note(order.shop, order.id, "suppression_lifted", cause.id, lifted.actor, cause, data)
        work.changed(order, cause)


def rank(state: str, at: datetime) -> tuple[datetime, str]:
    """Return the sort key of reports; the highest counts.

    `mail_store.upsert_mails` compares rows by the same key.
    """
    return at, state


def _activity_data(report: MailReport) -> dict[str, Any]:
    data = {"template": report.template, "recipient": report.recipient, "detail": report.detail}
    if isinstance(report, BouncedMail | SuppressedMail | WithdrawnMail):
        data["kind"] = report.kind
    return data


def _keep_highest(work: OrderUnit, report: MailReport, state: str) -> None:
    key = (report.shop, report.mail_id)
    known = work.mails.get(key)
    if known is None or rank(state, report.at) > rank(known.state, known.at):
        work.mails[key] = MailRow(
            shop=report.shop,
            mail_id=report.mail_id,
            order_id=report.order_id,
            template=report.template,
            recipient=report.recipient,
            cause_id=report.cause_id,
            state=state,
            at=report.at,
            detail=report.detail,
        )
