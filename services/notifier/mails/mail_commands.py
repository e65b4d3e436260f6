"""Commands about a mail: send it again, or mark an uncertain one as delivered. `resending.py` carries them out.

The book keeps a command until it is saved; a command that names no mail of its shop is rejected at once.
"""

from contracts.message import Reason
from contracts.notifier import ConfirmMail, ResendMail
from contracts.service import CommandRejected
from services.chassis.messaging.subscribers import Delivery
from services.notifier.mails.unit import MailBook


def resend(book: MailBook, delivery: Delivery[ResendMail]) -> None:
    """Have the book send the mail again, or refuse an unknown one."""
    _settle(book, delivery, again=True)


def confirm(book: MailBook, delivery: Delivery[ConfirmMail]) -> None:
    """Have the book take the mail as arrived, or refuse an unknown one."""
    _settle(book, delivery, again=False)


def _settle(book: MailBook, delivery: Delivery[ResendMail] | Delivery[ConfirmMail], *, again: bool) -> None:
    command, envelope = delivery.message, delivery.envelope
    mail = book.mail(command.mail_id)
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
        book.unit.emit(refused, cause=envelope)
        return
    book.asked.append((mail, command.actor, envelope, again))
