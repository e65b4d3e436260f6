"""Messages of notifier: the outcome of mails, of which one message may report many, and the commands for them."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Actor, Command, Message, OrderCode, OrderId, Part, Shop, Timestamp


class MailReport(Part):
    """The outcome of one mail."""

    mail_id: UUID
    shop: Shop
    order_id: OrderId | None = None
    code: OrderCode | None = None
    template: str = Field(max_length=60)
    recipient: str = Field(max_length=254)
    cause_id: UUID = Field(description="The event that caused the mail.")
    at: Timestamp
    detail: str | None = Field(default=None, max_length=1000, description="The mail server's answer.")


class WithdrawalKind(StrEnum):
    """Why a mail is no longer needed: its order was placed or deleted meanwhile, or too much time has passed."""

    PLACED = "placed"
    DELETED = "deleted"
    LATE = "late"


class WithdrawnMail(MailReport):
    """A mail that was not sent, since it is no longer needed."""

    kind: WithdrawalKind


class MailSent(Message):
    """The mail server accepted these mails."""

    wire_name: ClassVar[str] = "mail.sent.v1"

    mails: list[MailReport] = Field(min_length=1)


class MailFailed(Message):
    """The mail server permanently refused these mails; staff must look at them."""

    wire_name: ClassVar[str] = "mail.failed.v1"

    mails: list[MailReport] = Field(min_length=1)


class MailUncertain(Message):
    """It is unknown whether these mails were sent when the connection or the process died; staff decide."""

    wire_name: ClassVar[str] = "mail.uncertain.v1"

    mails: list[MailReport] = Field(min_length=1)


class MailWithdrawn(Message):
    """These mails were not sent, since they are no longer needed; nobody has to look at them."""

    wire_name: ClassVar[str] = "mail.withdrawn.v1"

    mails: list[WithdrawnMail] = Field(min_length=1)


class ResendMail(Command):
    """Send again a mail that was sent, failed or may not have arrived."""

    wire_name: ClassVar[str] = "mail.resend.v1"

    shop: Shop
    order_id: OrderId | None = None
    mail_id: UUID
    actor: Actor


class ConfirmMail(Command):
    """Confirm that an uncertain mail arrived: the customer has it."""

    wire_name: ClassVar[str] = "mail.confirm.v1"

    shop: Shop
    order_id: OrderId | None = None
    mail_id: UUID
    actor: Actor
