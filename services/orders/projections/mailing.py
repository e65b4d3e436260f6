"""Reports of the notifier about mails: sent, failed, or unknown. One message reports many.

Invariant: one row per mail with its highest-ranked report (sent outranks all, then the latest), whatever the
order of arrival. No report waits for its order: one unknown order must not delay the other mails of the
message.
"""

from datetime import datetime

from contracts.notifier import MailFailed, MailReport, MailSent, MailUncertain
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copy_store import MailRow
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes

SERVICE = "notifier"
STATES = {MailSent: "sent", MailFailed: "failed", MailUncertain: "uncertain"}


def copy_reports(
    work: OrderUnit,
    received: ReceivedMessage[MailSent] | ReceivedMessage[MailFailed] | ReceivedMessage[MailUncertain],
) -> None:
    """Copy the report on each mail of the message. A mail resent by a command is recorded separately.

    Idempotent: a repeat leaves the mails' rows unchanged.
    """
    state, asked = STATES[type(received.message)], received.envelope.causation_id
    outcomes.settle(work, received)
    for report in received.message.mails:
        _keep_highest(work, report, state)
        if report.order_id is not None:
            data = {"template": report.template, "recipient": report.recipient, "detail": report.detail}
            work.note(
                report.shop,
                report.order_id,
                f"mail_{state}",
                asked or report.mail_id,
                SERVICE,
                received.envelope,
                data,
            )


def rank(state: str, at: datetime) -> tuple[bool, datetime, str]:
    """Return the sort key of reports; the highest counts.

    `copy_store.upsert_mails` compares rows by the same key.
    """
    return state == "sent", at, state


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
