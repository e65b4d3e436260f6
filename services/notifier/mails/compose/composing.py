"""Composed mail: the message a mail server receives, from a mail row and its order.

The same mail is always composed the same way, byte for byte (its Date is that of the decision), so a mail
that staff send twice is recognised as one by its reader. Text of customers passes three gates: screened
(view models), escaped by Jinja in HTML, encoded in headers (mime).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, select_autoescape

from contracts.notifier.mail_texts import TextPart
from services.notifier.mails.addresses import usable_address
from services.notifier.mails.compose import brand, logo, mime
from services.notifier.mails.compose.alerts import alert_model, refusal_model
from services.notifier.mails.compose.formatter import formatter
from services.notifier.mails.compose.inlining import InlinedTemplates
from services.notifier.mails.compose.screening import one_line, paragraphs, shortened
from services.notifier.mails.compose.view_models import (
    cancellation_model,
    damage_model,
    message_model,
    order_model,
    refund_model,
    shipment_model,
    status_model,
)
from services.notifier.mails.compose.wording import OwnTexts, Texts, values_of, write_texts
from services.notifier.mails.mail import ALERTS, TO_MERCHANT, Mail, Recipient, Template, message_id
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts.planning import language_of

_LONGEST_PREVIEW = 140
"""Characters that lists of mails show beside the subject."""
TEMPLATES = Path(__file__).with_name("templates")


class _Pages(Environment):
    """Templates over plain dictionaries: `order.total` is the item, looked up first (a third of the time saved)."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the item of a dictionary, else the attribute."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_pages = _Pages(
    loader=InlinedTemplates(TEMPLATES, "layout/mail.css"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)


OF_PARCELS = frozenset(
    {
        Template.SHIPMENT_DISPATCHED,
        Template.SHIPMENT_UPDATED,
        Template.SHIPMENT_CANCELLED,
        Template.PARCEL_LOST,
    }
)
"""Mails that show parcels."""
OF_DOCUMENTS = frozenset({Template.INVOICE, Template.CREDIT_NOTE})
"""Mails that carry a PDF of payments."""


def document_in(mail: Mail) -> Mapping[str, Any] | None:
    """Return the document whose PDF a mail carries: its own, or the invoice that goes with a recap."""
    return mail.context if mail.template in OF_DOCUMENTS else mail.context.get("invoice")


OF_MESSAGES = frozenset({Template.MESSAGE_POSTED, Template.MESSAGE_RECEIVED})
"""Mails that carry a message of the conversation."""


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A message for the mail server. `international` messages need SMTPUTF8 (RFC 6531). `damaged`: the shop's
    texts that could not be rendered, for which the built-in ones are used.
    """

    sender: str
    recipient: str
    content: bytes
    international: bool = False
    damaged: tuple[TextPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Pages:
    """A mail in readable form: subject, text and HTML."""

    subject: str
    text: str
    html: str
    damaged: tuple[TextPart, ...] = ()


BUILT_IN: OwnTexts = {}
"""No texts of the shop's own."""


def compose(
    mail: Mail,
    customer: Recipient,
    shop: ShopProfile,
    attachment: bytes | None = None,
    page_url: str | None = None,
    own: OwnTexts = BUILT_IN,
    reply_to: str | None = None,
) -> MailMessage:
    """Compose the message of a mail with the shop's `own` texts; a PDF is attached under the number of the
    document it shows. `page_url` is the link to the customer's page. Answers go to `reply_to`, which our receiver
    accepts, else to the shop.

    Raises AddressUnusable, contracts.money.UnknownCurrency.
    """
    recipient = usable_address(mail.recipient)
    pages = write_pages(mail, customer, shop, page_url, own)
    headers = _headers(mail, customer, shop, recipient, pages.subject, reply_to)
    boundary = f"=_{mail.id.hex}"
    if attachment is None:
        content = mime.message(headers, pages.text, pages.html, boundary, logo.picture(shop))
    else:
        document = document_in(mail) or {}
        pdf = mime.Pdf(f"{document['number']}.pdf", attachment)
        content = mime.message_with_pdf(headers, pages.text, pages.html, boundary, pdf, logo.picture(shop))
    needs_utf8 = not (recipient.isascii() and shop.from_email.isascii())
    return MailMessage(shop.from_email, recipient, content, needs_utf8, pages.damaged)


def write_pages(
    mail: Mail,
    recipient: Recipient,
    shop: ShopProfile,
    page_url: str | None = None,
    own: OwnTexts = BUILT_IN,
) -> Pages:
    """Render subject, text and HTML with the shop's `own` texts. Raises contracts.money.UnknownCurrency."""
    placed, language = recipient.placed, language_of(mail.locale)
    words = words_of(language)
    name = one_line(recipient.name)
    model: dict[str, Any] = {
        "words": words,
        "shop": {**brand.shop_model(shop, words), "page_url": page_url},
        "greeting": words["greeting"].format(name=name),
    }
    if mail.template is Template.STATUS_UPDATED:
        model["order"] = {"code": mail.code}
        model["status"] = status_model(mail.context, language)
    elif mail.template in (Template.PAGE_LINK, Template.ORDER_COMPLETED):
        model["order"] = {"code": mail.code}
    elif mail.template is Template.CHECKOUT_ABANDONED:
        model["order"] = {"code": mail.code}
        model["basket"] = {"total": _basket_total(mail, shop), "url": mail.context.get("resume_url")}
    elif mail.template in ALERTS:
        model["order"] = {"code": mail.code}
        model["alert"] = alert_model(mail, words, shop)
    elif mail.template is Template.ORDER_CANCELLED:
        model["order"] = {"code": mail.code}
        model["cancellation"] = cancellation_model(recipient.now, mail.context)
    elif mail.template is Template.CANCELLATION_DECLINED:
        model["order"] = {"code": mail.code}
        model["reason"] = paragraphs(mail.context["public_comment"])
    elif mail.template is Template.REFUND_FAILED:
        drawn = formatter(mail.locale, mail.context["currency"], shop.time_zone)
        model["order"] = {"code": mail.code}
        model["refund"] = {"amount": drawn.amount(mail.context["amount_minor"])}
    elif mail.template is Template.TEXT_DAMAGED:
        model["order"] = {"code": mail.code}
        model["damage"] = damage_model(mail.context, words, shop)
    elif mail.template is Template.SENDER_REFUSED:
        model["order"] = {"code": mail.code}
        model["refusal"] = refusal_model(mail.context, words, shop)
    elif mail.template in OF_DOCUMENTS:
        model["order"] = {"code": mail.code}
        model["document"] = _document(mail, shop)
    elif mail.template is Template.REFUND_MADE:
        drawn = formatter(mail.locale, mail.context["currency"], shop.time_zone)
        model["order"] = {"code": mail.code}
        model["refund"] = refund_model(recipient.now, mail.context, drawn, words)
    elif mail.template in OF_MESSAGES:
        url = f"{shop.backoffice_url}/orders/{mail.code}" if shop.backoffice_url else None
        model["order"] = {"code": mail.code, "url": url}
        model["message"] = message_model(mail.context, words)
    elif mail.template in OF_PARCELS:
        drawn = formatter(mail.locale, placed["currency"], shop.time_zone)
        model["order"] = {"code": mail.code}
        model["shipment"] = shipment_model(recipient.now, mail.context, drawn, words)
    else:
        drawn = formatter(mail.locale, placed["currency"], shop.time_zone)
        model["order"] = order_model(placed, drawn, words, shop)
        model["document"] = _document(mail, shop)
    texts = write_texts(mail, own, words, values_of(mail, name, model, shop), brand.link(shop))
    model["subject"] = texts.subject
    model["preview"] = _preview(texts, model.get("message", {}).get("text", ()))
    model["texts"] = texts
    model["shop"]["footer"] = texts.footer
    html, text = (_page(language, mail.template, form).render(model) for form in ("html", "txt"))
    return Pages(texts.subject, re.sub(r"\n{3,}", "\n\n", text), html, tuple(texts.damaged))


def _preview(texts: Texts, message: Sequence[str]) -> str:
    """Return what lists of mails show beside the subject: the message it carries, else its introduction."""
    shown = one_line(" ".join(message) or texts.intro.text)
    return shortened(shown, _LONGEST_PREVIEW) or texts.subject


def _basket_total(mail: Mail, shop: ShopProfile) -> str:
    """Return what an abandoned checkout would have cost, as far as it was known."""
    total = mail.context.get("total_minor")
    currency = mail.context.get("currency")
    return formatter(mail.locale, currency, shop.time_zone).amount(total) if total and currency else ""


def _document(mail: Mail, shop: ShopProfile) -> dict[str, str] | None:
    document = document_in(mail)
    if document is None:
        return None
    drawn = formatter(mail.locale, document["currency"], shop.time_zone)
    return {"number": document["number"], "amount": drawn.amount(document["amount_minor"])}


def _headers(
    mail: Mail,
    customer: Recipient,
    shop: ShopProfile,
    recipient: str,
    subject: str,
    reply_to: str | None,
) -> Iterator[tuple[str, str]]:
    to_merchant = mail.template in TO_MERCHANT
    yield "Date", format_datetime(mail.created_at)
    yield "From", mime.mailbox(shop.name, shop.from_email)
    if answers := reply_to or shop.reply_to:
        yield "Reply-To", answers
    yield "To", mime.mailbox(shop.name if to_merchant else one_line(customer.name), recipient)
    yield "Subject", mime.unstructured(subject)
    yield "Message-ID", mail.message_id
    if not to_merchant and mail.id != customer.thread_mail_id:
        thread = [message_id(customer.thread_mail_id, shop.from_email), *mail.context.get("references", ())]
        yield "In-Reply-To", thread[-1]
        yield "References", "\r\n ".join(dict.fromkeys(thread))
    if mail.template is not Template.MESSAGE_POSTED:  # staff wrote that one
        yield "Auto-Submitted", "auto-generated"
        if reply_to:
            yield "X-Auto-Response-Suppress", "All"
    yield "Content-Language", language_of(mail.locale)


@lru_cache(maxsize=64)
def _page(language: str, template: Template, form: str) -> Any:
    return _pages.get_template(f"{language}/{template.value}.{form}")


@lru_cache(maxsize=8)
def words_of(language: str) -> dict[str, Any]:
    """Return a language's words for mails."""
    return tomllib.loads((TEMPLATES / language / "words.toml").read_text("utf-8"))
