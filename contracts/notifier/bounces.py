"""Messages of notifier about mails that came back or were held, and about addresses that get none because of it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.message import Actor, Command, Message, OrderId, Shop, Timestamp
from contracts.notifier.mails import MailReport

MailAddress = Annotated[str, Field(min_length=3, max_length=254, description="A mail address.")]
Grounds = Annotated[str, Field(min_length=1, max_length=500, description="Why, in the words of staff.")]


class BounceKind(StrEnum):
    """Why a mail came back: what is wrong with the address, the mail or its sender."""

    ADDRESS = "address"
    FULL = "full"
    TOO_BIG = "too_big"
    REPUTATION = "reputation"
    OTHER = "other"


class SuppressionKind(StrEnum):
    """Why an address gets no mail: unknown, full for some days, the reader complained, or staff decided."""

    ADDRESS = "address"
    FULL = "full"
    COMPLAINT = "complaint"
    MANUAL = "manual"


class BouncedMail(MailReport):
    """A mail that came back; `detail` is the mail server's text."""

    kind: BounceKind
    status: str | None = Field(default=None, max_length=11, description="Enhanced status code: 5.1.1.")


class SuppressedMail(MailReport):
    """A mail that was not sent, since its address is suppressed."""

    kind: SuppressionKind


class MailBounced(Message):
    """These mails came back: refused immediately, or by a report on a mail that was sent."""

    wire_name: ClassVar[str] = "mail.bounced.v1"

    mails: list[BouncedMail] = Field(min_length=1)


class MailSuppressed(Message):
    """These mails were not sent; once the address is corrected or free again, staff may send them."""

    wire_name: ClassVar[str] = "mail.suppressed.v1"

    mails: list[SuppressedMail] = Field(min_length=1)


class SuppressAddress(Command):
    """Send no more mail of the shop to an address."""

    wire_name: ClassVar[str] = "address.suppress.v1"

    shop: Shop
    order_id: OrderId | None = None
    address: MailAddress
    reason: Grounds
    actor: Actor


class LiftSuppression(Command):
    """Send mail to an address again."""

    wire_name: ClassVar[str] = "suppression.lift.v1"

    shop: Shop
    order_id: OrderId | None = None
    address: MailAddress
    reason: Grounds
    actor: Actor


class AddressSuppressed(Message):
    """An address gets no more mail of the shop."""

    wire_name: ClassVar[str] = "address.suppressed.v1"

    shop: Shop
    order_id: OrderId | None = None
    address: MailAddress
    kind: SuppressionKind
    since: Timestamp
    until: Timestamp | None = Field(default=None, description="Until it is lifted, if absent.")
    reason: Grounds | None = None
    actor: Actor | None = None


class SuppressionLifted(Message):
    """An address gets mail again."""

    wire_name: ClassVar[str] = "suppression.lifted.v1"

    shop: Shop
    order_id: OrderId | None = None
    address: MailAddress
    order_ids: list[OrderId] = Field(
        max_length=1000, description="Orders whose customer has the address, the latest first."
    )
    lifted_at: Timestamp
    reason: Grounds
    actor: Actor
