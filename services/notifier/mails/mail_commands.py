"""Commands about a mail: send it again, or mark an uncertain one as delivered; carried out by `resending.py`.

The unit of work keeps a command until it is saved; a command that names no mail of its shop is rejected
immediately.
"""

from contracts.message import Reason
from contracts.notifier.mails import ConfirmMail, ResendMail
from contracts.service import CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.unit import MailUnit


def resend(work: MailUnit, received: ReceivedMessage[ResendMail]) -> None:
    """Have the unit send the mail again, or reject an unknown one."""
    _settle(work, received, again=True)


def confirm(work: MailUnit, received: ReceivedMessage[ConfirmMail]) -> None:
    """Have the unit mark the mail as delivered, or reject an unknown one."""
    _settle(work, received, again=False)


def _settle(
    work: MailUnit, received: ReceivedMessage[ResendMail] | ReceivedMessage[ConfirmMail], *, again: bool
) -> None:
    command, envelope = received.message, received.envelope
    mail = work.mail(command.mail_id)
    if mail is None or mail.shop != command.shop:
        reason = Reason(
            code="mail_unknown",
            message=f"Shop {command.shop} has no mail {command.mail_id}; look at the order's mails again.",
            field="mail_id",
        )
        refused = CommandRejected(
            shop=command.shop,
            order_id=command.order_id,
            command_id=envelope.id,
            command_type=envelope.type,
            reasons=[reason],
        )
        work.unit.emit(refused, cause=envelope)
        return
    work.requested_again.append((mail, command.actor, envelope, again))
