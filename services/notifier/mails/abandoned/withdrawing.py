"""Mails that are not sent after all: hours may pass before a planned one goes, as while the mail server is down."""

from datetime import datetime

from contracts.notifier.mails import WithdrawalKind
from services.chassis.messaging.process import Process
from services.notifier.mails import recipient_store
from services.notifier.mails.abandoned.reminder import is_too_late
from services.notifier.mails.mail import Mail, Template

DELETED = "the order was deleted"
PLACED = "the order was placed"
TOO_LATE = "the reminder is too late"
KINDS = {
    DELETED: WithdrawalKind.DELETED,
    PLACED: WithdrawalKind.PLACED,
    TOO_LATE: WithdrawalKind.LATE,
}
"""What each note on a withdrawn mail is in messages."""


async def reason_to_withdraw(process: Process, mail: Mail, now: datetime) -> str | None:
    """Return why a mail is not sent any more; None for all but reminders. What staff send again is not too late.

    Raises the database's errors.
    """
    if mail.template is not Template.CHECKOUT_ABANDONED or mail.order_id is None:
        return None
    if mail.resent_by is None and is_too_late(mail.created_at, now):
        return TOO_LATE
    async with process.acquire() as connection:
        placed = await recipient_store.read_recipients(connection, [(mail.shop, mail.order_id)])
    return PLACED if placed else None
