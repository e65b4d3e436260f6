"""A mail drafted from the event that causes it."""

from typing import Any, Protocol
from uuid import UUID

from contracts.message import Message
from services.chassis.messaging.subscribers import Refuse, SubjectDeleted, Wait, order_key
from services.notifier.mails.mail import Mail, Recipient, Template, mail_id, message_id
from services.notifier.mails.settings import ShopProfile, ShopUnknown
from services.notifier.mails.unit import MailUnit


class About(Protocol):
    """The order that an event is about."""

    @property
    def order_id(self) -> UUID:
        """Return the order's id."""

    @property
    def code(self) -> str:
        """Return the order's code."""


def shop_of(work: MailUnit, name: str) -> ShopProfile:
    """Return the shop that an event names. Raises Refuse."""
    try:
        return work.shop(name)
    except ShopUnknown as unknown:
        raise Refuse("unknown_shop", str(unknown)) from unknown


def recipient_of(work: MailUnit, shop: str, order_id: UUID) -> Recipient:
    """Return an order's recipient. Raises Wait for an unknown order, SubjectDeleted for a deleted one."""
    recipient = work.recipient(shop, order_id)
    if recipient is None:
        raise Wait(order_key(order_id), f"order {order_id} of {shop} is not known yet")
    if recipient.deleted_at is not None:
        raise SubjectDeleted(f"order {recipient.code} was deleted")
    return recipient


def draft(
    work: MailUnit,
    shop: ShopProfile,
    about: About | None,
    cause_id: UUID,
    template: Template,
    to: str,
    locale: str,
    context: dict[str, Any],
) -> Mail:
    """Return the mail that a cause leads to; about an order, or about none."""
    identifier = mail_id(shop.shop, cause_id, to, template)
    return Mail(
        id=identifier,
        shop=shop.shop,
        order_id=about.order_id if about else None,
        code=about.code if about else "",
        cause_id=cause_id,
        template=template,
        recipient=to,
        locale=locale,
        message_id=message_id(identifier, shop.from_email),
        context=context,
        created_at=work.unit.now,
    )


def as_json(message: Message, include: set[str] | None = None) -> dict[str, Any]:
    """Return a message, or these fields of it, as the JSON that a mail's context holds."""
    return message.model_dump(mode="json", exclude_none=True, include=include)
