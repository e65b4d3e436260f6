"""What notifier says: what became of mails. One message may report many."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Message, Moment, OrderCode, OrderId, Part, Shop


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
