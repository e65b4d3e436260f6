"""Letters as a mail program reads them: composed without a database, parsed back with the standard library."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from contracts.fulfillment.shipments import ShipmentDispatched
from contracts.orders.lifecycle import OrderPlaced, StatusUpdated
from services.notifier.mails.compose.composing import OF_DOCUMENTS, OF_MESSAGES, MailMessage, compose
from services.notifier.mails.mail import ALERTS, TO_MERCHANT, Mail, Recipient, Template, mail_id, message_id
from services.notifier.mails.settings import ShopProfile
from tests.notifier.builders import a_shop

CAUSE = UUID("01936e3a-0000-7000-8000-000000000001")
CREATED_AT = datetime(2026, 11, 22, 13, 5, 1, tzinfo=UTC)


def a_pair(
    template: Template,
    order: OrderPlaced,
    cause: UUID = CAUSE,
    context: dict[str, Any] | None = None,
    shop: ShopProfile | None = None,
    locale: str | None = None,
) -> tuple[Mail, Recipient]:
    """A mail and its addressee as the notifier keeps them."""
    shop = shop or a_shop()
    recipient = shop.merchant_email if template in TO_MERCHANT else order.customer.email or ""
    identifier = mail_id(order.shop, cause, recipient, template)
    mail = Mail(
        id=identifier,
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        cause_id=cause,
        template=template,
        recipient=recipient,
        locale=locale or order.locale,
        message_id=message_id(identifier, shop.from_email),
        context=context or {},
        created_at=CREATED_AT,
    )
    customer = Recipient(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        name=order.customer.name,
        email=order.customer.email or "",
        locale=order.locale,
        thread_mail_id=mail_id(order.shop, cause, order.customer.email or "", Template.ORDER_RECAP),
        placed=order.model_dump(mode="json", exclude_none=True),
    )
    return mail, customer


def a_mail(
    template: Template,
    order: OrderPlaced,
    shipment: ShipmentDispatched | None = None,
    shop: ShopProfile | None = None,
    locale: str | None = None,
    status: StatusUpdated | None = None,
    page_url: str | None = None,
) -> MailMessage:
    """The letter that this template makes of an order, with a link to its page if there is one."""
    context = _context(template, order, shipment, status)
    mail, recipient = a_pair(template, order, context=context, shop=shop, locale=locale)
    return compose(mail, recipient, shop or a_shop(), page_url=page_url)


def _context(
    template: Template, order: OrderPlaced, shipment: ShipmentDispatched | None, status: StatusUpdated | None
) -> dict[str, Any]:
    if template in OF_MESSAGES:
        text = (status and status.public_comment) or "Bonjour Zoé,\n\nquelle taille ?"
        return {"author": text, "text": text}
    if template is Template.CHECKOUT_ABANDONED:
        return {"name": order.customer.name, "currency": order.currency, "total_minor": 1250}
    if template in ALERTS:
        return _warning(template, order, shipment)
    comment = {"public_comment": status.public_comment} if status else {}
    if template is Template.CANCELLATION_DECLINED:
        return comment or {"public_comment": "Déjà gravée."}
    if template is Template.ORDER_CANCELLED:
        return comment
    if template is Template.REFUND_FAILED:
        return {"amount_minor": 1250, "currency": order.currency}
    if template is Template.SENDER_REFUSED:
        return {"diagnostic": (status and status.public_comment) or "550 5.7.1 blocked using Spamhaus"}
    if template is Template.TEXT_DAMAGED:
        return {"wording": "order_recap", "locale": "fr", "part": "intro"}
    if template in OF_DOCUMENTS:
        return {"number": "F2026-00042", "amount_minor": 1250, "currency": order.currency}
    if template is Template.REFUND_MADE:
        lines = [{"line": line.line, "quantity": 1} for line in order.lines]
        money = {"mode": "sent", "amount_minor": 1250, "currency": order.currency}
        return {**money, "lines": lines, **comment}
    context = status if template is Template.STATUS_UPDATED else shipment
    return context.model_dump(mode="json", exclude_none=True) if context else {}


def _warning(template: Template, order: OrderPlaced, shipment: ShipmentDispatched | None) -> dict[str, Any]:
    name = (shipment and shipment.carrier) or "BOUGIE-1"
    if template is Template.STOCK_LOW:
        return {"sku": name, "available": 3, "threshold": 5}
    money = {
        "amount_minor": 1250,
        "currency": order.currency,
        "provider": "stripe",
        "provider_reference": name,
    }
    return {**money, **dict.fromkeys(("received_at", "asked_at", "due_at"), CREATED_AT.isoformat())}


def read(letter: MailMessage) -> EmailMessage:
    """The letter parsed back; whatever the standard library finds wrong is an error."""
    context = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(context, EmailMessage)
    parts = list(context.walk())
    assert [part.get_content_type() for part in parts] == ["multipart/alternative", "text/plain", "text/html"]
    assert all(part.defects == [] for part in parts)
    assert all(header.defects == () for header in context.values())
    lines = letter.content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    return context


def text_of(context: EmailMessage) -> str:
    """The text part, with `\\n` lines."""
    return _part(context, "plain")


def html_of(context: EmailMessage) -> str:
    """The HTML part, with `\\n` lines."""
    return _part(context, "html")


class Tags(HTMLParser):
    """Start tags, attributes and visible text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Tags close in the sequence they were opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def _part(context: EmailMessage, kind: str) -> str:
    body = context.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
