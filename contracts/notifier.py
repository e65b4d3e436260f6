"""What notifier says, and is asked: what became of mails. One message may report many."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Actor, Command, Message, Moment, OrderCode, OrderId, Part, Shop


class MailReport(Part):
    """What became of one mail."""

    mail_id: UUID
    shop: Shop
    order_id: OrderId | None = None
    code: OrderCode | None = None
    template: str = Field(max_length=60)
    recipient: str = Field(max_length=254)
    cause_id: UUID = Field(description="The event that caused the mail.")
    at: Moment
    detail: str | None = Field(default=None, max_length=1000, description="The mail server's answer.")


class MailSent(Message):
    """The mail server accepted these mails."""

    wire_name: ClassVar[str] = "mail.sent.v1"

    mails: list[MailReport] = Field(min_length=1)


class MailFailed(Message):
    """These mails were refused for good; a person must look."""

    wire_name: ClassVar[str] = "mail.failed.v1"

    mails: list[MailReport] = Field(min_length=1)


class MailUncertain(Message):
    """These mails may or may not have gone when the connection or the process died; a person decides."""

    wire_name: ClassVar[str] = "mail.uncertain.v1"

    mails: list[MailReport] = Field(min_length=1)


class ResendMail(Command):
    """Send a mail again that was sent, failed or may not have arrived."""

    wire_name: ClassVar[str] = "mail.resend.v1"

    shop: Shop
    order_id: OrderId | None = None
    mail_id: UUID
    actor: Actor


class ConfirmMail(Command):
    """Take a mail of which nobody knows whether it went as arrived: the customer has it."""

    wire_name: ClassVar[str] = "mail.confirm.v1"

    shop: Shop
    order_id: OrderId | None = None
    mail_id: UUID
    actor: Actor
