"""A customer's mail program: an answer with the mail quoted below, an out-of-office reply, and its delivery.

A mail is delivered by LMTP to the notifier's receiver, as the merchant's own mail server does it.
"""

import asyncio
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid, parsedate_to_datetime

from deploy.demo.mail.mailbox import text_of

SECONDS = 15.0
WROTE = {
    "fr": ("Le {date:%d/%m/%Y} à {date:%H:%M}, {sender} a écrit :", "Réponse automatique : {subject}"),
    "en": ("On {date:%d/%m/%Y} at {date:%H:%M}, {sender} wrote:", "Automatic reply: {subject}"),
}
"""By language: the line above quoted text, and the subject of an automatic reply."""


class MailRefused(Exception):
    """The receiver did not accept a mail; `reply` is its answer, with the code."""

    def __init__(self, recipient: str, reply: str) -> None:
        super().__init__(f"the receiver refused the mail to {recipient}: {reply}")
        self.reply = reply


def reply_address(mail: EmailMessage) -> str:
    """Return where an answer to a mail goes."""
    field = mail["Reply-To"] or mail["From"]
    return str(field.addresses[0].addr_spec)


def answer_to(mail: EmailMessage, sender: str, text: str, *, is_quoting: bool = True) -> EmailMessage:
    """Return the answer of a person, below which the mail is quoted."""
    answer = _reply_to(mail, sender, f"Re: {mail['Subject']}")
    answer.set_content(f"{text}\n\n{_quoted(mail)}" if is_quoting else f"{text}\n", cte="quoted-printable")
    return answer


def automatic_reply_to(mail: EmailMessage, sender: str, text: str) -> EmailMessage:
    """Return what a mail program sends by itself while its owner is out of office (RFC 3834)."""
    subject = WROTE[language_of(mail)][1].format(subject=mail["Subject"])
    reply = _reply_to(mail, sender, subject)
    reply["Auto-Submitted"] = "auto-replied"
    reply.set_content(f"{text}\n", cte="quoted-printable")
    return reply


async def deliver(port: int, sender: str, mail: EmailMessage) -> None:
    """Deliver a mail to the receiver on a port. `sender` is the envelope's. Raises MailRefused, OSError."""
    recipient = str(mail["To"].addresses[0].addr_spec)
    await asyncio.to_thread(_deliver, port, sender, recipient, mail.as_bytes(policy=SMTP))


def language_of(mail: EmailMessage) -> str:
    """Return the language of a mail, of those that a customer answers in here."""
    language = str(mail["Content-Language"] or "")[:2]
    return language if language in WROTE else "en"


def _reply_to(mail: EmailMessage, sender: str, subject: str) -> EmailMessage:
    reply = EmailMessage(policy=SMTP)
    mail_id = str(mail["Message-ID"])
    reply["From"] = sender
    reply["To"] = reply_address(mail)
    reply["Subject"] = subject
    reply["Date"] = format_datetime(localtime())
    reply["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    reply["In-Reply-To"] = mail_id
    reply["References"] = f"{mail['References'] or ''} {mail_id}".strip()
    return reply


def _quoted(mail: EmailMessage) -> str:
    date = parsedate_to_datetime(str(mail["Date"]))
    introduction = WROTE[language_of(mail)][0].format(date=date, sender=mail["From"])
    lines = text_of(mail).strip("\n").split("\n")
    return "\n".join([introduction, "", *(f"> {line}".rstrip() for line in lines), ""])


def _deliver(port: int, sender: str, recipient: str, content: bytes) -> None:
    try:
        with smtplib.LMTP("127.0.0.1", port, timeout=SECONDS) as client:
            client.sendmail(sender, [recipient], content)
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = error.recipients[recipient]
        raise MailRefused(recipient, f"{code} {_words(reply)}") from None
    except smtplib.SMTPResponseException as error:
        raise MailRefused(recipient, f"{error.smtp_code} {_words(error.smtp_error)}") from None


def _words(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
