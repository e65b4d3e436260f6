"""A message added to a thread: by staff in the back office, by the customer on their page, or by mail.

A staff member's message is mailed to the customer, one of anybody else to the merchant, unless it is automatic.
The mail's cause is the message: handled again, it is the same mail.
"""

from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from contracts.notifier.conversation import AuthorRole, MessagePosted
from services.notifier.conversation.thread import Message
from services.notifier.conversation.unit import ConversationUnit
from services.notifier.mails.mail import TO_MERCHANT, Mail, Recipient, Template, mail_id, message_id

MOST_CARRIED = 10_000
"""Characters of a message in the mail that carries it on."""


def post(
    work: ConversationUnit,
    recipient: Recipient,
    message: Message,
    *,
    cause: Envelope | None = None,
    received_id: str | None = None,
    notifies: bool = True,
) -> None:
    """Add a message to the thread of an order whose recipient is locked, publish it, and mail it on.

    `received_id` is the Message-ID of the mail that brought it. With `notifies=False` nobody gets a mail.
    """
    thread = work.thread(recipient.shop, recipient.order_id)
    earlier = list(thread.mail_ids)
    mail = _mail(work, recipient, message, earlier) if notifies and not message.is_automatic else None
    is_ours = mail is not None and message.author_role is AuthorRole.STAFF
    thread.add(message, mail.message_id if mail and is_ours else received_id)
    work.changed(thread)
    if mail:
        work.decide(mail, message.posted_at)
    posted = MessagePosted(
        shop=recipient.shop,
        order_id=recipient.order_id,
        code=recipient.code,
        message_id=message.message_id,
        author_role=message.author_role,
        author=message.author,
        via=message.via,
        excerpt=message.excerpt,
        is_automatic=message.is_automatic,
        thread=thread.summary,
        posted_at=message.posted_at,
    )
    work.unit.emit(posted, cause=cause)


def warn_of_flood(work: ConversationUnit, recipient: Recipient, cause_id: UUID) -> None:
    """Notify the merchant once that further mails of a flood are in the thread without a mail for each."""
    if not work.is_shop_known(recipient.shop):
        return
    shop = work.shop(recipient.shop)
    context = {"text": "", "author": recipient.name, "is_flood": True}
    work.decide(_mail_of(work, recipient, cause_id, Template.MESSAGE_RECEIVED, shop.merchant_email, context))


def _mail(work: ConversationUnit, recipient: Recipient, message: Message, earlier: list[str]) -> Mail | None:
    """Return the mail that carries a message on: to the customer, or to the merchant."""
    if not work.is_shop_known(recipient.shop):
        return None
    is_ours = message.author_role is AuthorRole.STAFF
    to = recipient.email if is_ours else work.shop(recipient.shop).merchant_email
    if not to:
        return None
    template = Template.MESSAGE_POSTED if is_ours else Template.MESSAGE_RECEIVED
    shown = "\n".join(segment["text"] for segment in message.segments if segment["kind"] != "folded")
    context: dict[str, Any] = {"text": shown[:MOST_CARRIED], "author": message.author}
    if is_ours:
        context["references"] = earlier
    return _mail_of(work, recipient, message.message_id, template, to, context)


def _mail_of(
    work: ConversationUnit,
    recipient: Recipient,
    cause_id: UUID,
    template: Template,
    to: str,
    context: dict[str, Any],
) -> Mail:
    shop = work.shop(recipient.shop)
    identifier = mail_id(shop.shop, cause_id, to, template)
    return Mail(
        id=identifier,
        shop=shop.shop,
        order_id=recipient.order_id,
        code=recipient.code,
        cause_id=cause_id,
        template=template,
        recipient=to,
        locale=shop.default_locale if template in TO_MERCHANT else recipient.locale,
        message_id=message_id(identifier, shop.from_email),
        context=context,
        created_at=work.unit.now,
    )
