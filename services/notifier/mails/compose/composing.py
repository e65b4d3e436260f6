"""Composed mail: the message a mail server receives, from a mail row and its order.

The same mail is always composed the same way, byte for byte (its Date is that of the decision), so a mail
that a person sends twice is recognised as one by its reader. Text of customers passes three gates: screened
(sheet), escaped by Jinja in HTML, encoded in headers (mime).
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier.mails.compose import mime
from services.notifier.mails.compose.figures import figures, language_of
from services.notifier.mails.compose.screening import one_line, shortened
from services.notifier.mails.compose.sheet import (
    cancellation_sheet,
    contact,
    legal,
    order_sheet,
    refund_sheet,
    shipment_sheet,
    status_sheet,
)
from services.notifier.mails.mail import Mail, Recipient, Template, message_id
from services.notifier.mails.settings import ShopProfile

TEMPLATES = Path(__file__).with_name("templates")
_NAME_IN_SUBJECT = 60
_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTABLE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")


class _Pages(Environment):
    """Templates over plain dictionaries: `order.total` is the item, looked up first (a third of the time saved)."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the item of a dictionary, else the attribute."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_pages = _Pages(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)


class AddressUnusable(ValueError):
    """No mail can be sent to this address."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"mail address {address[:254]!r} can't be used: {why}; correct it and send the mail again"
        )
        self.address = address


OF_PARCELS = frozenset(
    {
        Template.SHIPMENT_DISPATCHED,
        Template.SHIPMENT_UPDATED,
        Template.SHIPMENT_CANCELLED,
        Template.PARCEL_LOST,
    }
)
"""Mails that show parcels."""


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A message for the mail server. `international` messages need SMTPUTF8 (RFC 6531)."""

    sender: str
    recipient: str
    content: bytes
    international: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """A mail in readable form: subject, text and HTML."""

    subject: str
    text: str
    html: str


def compose(mail: Mail, addressee: Recipient, shop: ShopProfile) -> MailMessage:
    """Compose the message of a mail. Raises AddressUnusable, contracts.money.UnknownCurrency."""
    recipient = usable_address(mail.recipient)
    pages = write_pages(mail, addressee, shop)
    content = mime.message(
        _headers(mail, addressee, shop, recipient, pages.subject), pages.text, pages.html, f"=_{mail.id.hex}"
    )
    return MailMessage(shop.from_email, recipient, content, not recipient.isascii())


def write_pages(mail: Mail, addressee: Recipient, shop: ShopProfile) -> Pages:
    """Render subject, text and HTML. Raises contracts.money.UnknownCurrency."""
    placed, language = addressee.placed, language_of(mail.locale)
    words = _words(language)
    name = one_line(addressee.name)
    sheet: dict[str, Any] = {
        "words": words,
        "shop": {"name": shop.name, "contact": contact(shop), "legal": legal(shop, words["legal"])},
        "greeting": words["greeting"].format(name=name),
    }
    if mail.template is Template.STATUS_UPDATED:
        sheet["order"] = {"code": mail.code}
        sheet["status"] = status_sheet(mail.context, language)
    elif mail.template is Template.ORDER_CANCELLED:
        sheet["order"] = {"code": mail.code}
        sheet["cancellation"] = cancellation_sheet(addressee.now, mail.context)
    elif mail.template is Template.REFUND_FAILED:
        drawn = figures(mail.locale, mail.context["currency"], shop.time_zone)
        sheet["order"] = {"code": mail.code}
        sheet["refund"] = {"amount": drawn.amount(mail.context["amount_minor"])}
    elif mail.template is Template.REFUND_MADE:
        drawn = figures(mail.locale, mail.context["currency"], shop.time_zone)
        sheet["order"] = {"code": mail.code}
        sheet["refund"] = refund_sheet(addressee.now, mail.context, drawn, words)
    elif mail.template in OF_PARCELS:
        drawn = figures(mail.locale, placed["currency"], shop.time_zone)
        sheet["order"] = {"code": mail.code}
        sheet["shipment"] = shipment_sheet(addressee.now, mail.context, drawn, words)
    else:
        drawn = figures(mail.locale, placed["currency"], shop.time_zone)
        sheet["order"] = order_sheet(placed, drawn, words, shop)
    sheet["subject"] = sheet["preview"] = _subject(mail, words, shop, name, sheet)
    html, text = (_page(language, mail.template, form).render(sheet) for form in ("html", "txt"))
    return Pages(sheet["subject"], re.sub(r"\n{3,}", "\n\n", text), html)


def usable_address(address: str) -> str:
    """Return the address in the form sent to the mail server: its domain in ASCII, its name quoted where RFC
    5321 requires that.

    A name with a dot at its end or two in a row has no unquoted form there, but mobile providers assigned
    such addresses. Raises AddressUnusable.
    """
    if len(address) <= 254 and _PLAIN_ADDRESS.fullmatch(address):
        return address
    try:
        checked = validate_email(
            _quoted(address), check_deliverability=False, test_environment=True, allow_quoted_local=True
        )
    except EmailNotValidError as error:
        raise AddressUnusable(address, str(error)) from None
    return f"{_quoted_name(checked.local_part)}@{checked.ascii_domain}"


def _quoted(address: str) -> str:
    """Return the address with its name quoted, where its dots are in places that only a quoted name may have."""
    name, at, domain = address.rpartition("@")
    dotted = name.startswith(".") or name.endswith(".") or ".." in name
    return f'"{name}"{at}{domain}' if dotted and _QUOTABLE.fullmatch(name) else address


def _quoted_name(name: str) -> str:
    plain = not name.isascii() or _DOT_ATOM.fullmatch(name) or name.startswith('"')
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _headers(
    mail: Mail, addressee: Recipient, shop: ShopProfile, recipient: str, subject: str
) -> Iterator[tuple[str, str]]:
    to_merchant = mail.template is Template.NEW_ORDER
    yield "Date", format_datetime(mail.created_at)
    yield "From", mime.mailbox(shop.name, shop.from_email)
    if shop.reply_to:
        yield "Reply-To", shop.reply_to
    yield "To", mime.mailbox(shop.name if to_merchant else one_line(addressee.name), recipient)
    yield "Subject", mime.unstructured(subject)
    yield "Message-ID", mail.message_id
    if not to_merchant and mail.id != addressee.thread_mail_id:
        thread = message_id(addressee.thread_mail_id, shop.from_email)
        yield "In-Reply-To", thread
        yield "References", thread
    yield "Auto-Submitted", "auto-generated"
    yield "Content-Language", language_of(mail.locale)


def _subject(mail: Mail, words: dict[str, Any], shop: ShopProfile, name: str, sheet: dict[str, Any]) -> str:
    is_partial = bool(sheet.get("cancellation", {}).get("lines"))
    pattern: str = words["subject"]["order_cancelled_partly" if is_partial else mail.template.value]
    return pattern.format(
        code=mail.code,
        shop=shop.name,
        name=shortened(name, _NAME_IN_SUBJECT),
        total=sheet["order"].get("total", ""),
        amount=sheet["refund"]["amount"] if "refund" in sheet else "",
        label=shortened(sheet["status"]["label"], _NAME_IN_SUBJECT) if "status" in sheet else "",
    )


@lru_cache(maxsize=64)
def _page(language: str, template: Template, form: str) -> Any:
    return _pages.get_template(f"{language}/{template.value}.{form}")


@lru_cache(maxsize=8)
def _words(language: str) -> dict[str, Any]:
    return tomllib.loads((TEMPLATES / language / "words.toml").read_text("utf-8"))
