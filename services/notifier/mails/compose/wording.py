"""The editable parts of a mail: subject, intro and footer, as the shop wrote them or as they are built in.

Invariant: a damaged text never stops a mail. A text of the shop that cannot be rendered is replaced by the built-in
one and named, so that the sender can notify the merchant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from contracts.notifier.mail_texts import TextPart
from services.notifier.mails.compose.screening import one_line, shortened
from services.notifier.mails.mail import Mail
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts.planning import wording_of
from services.notifier.mails.texts.rendering import NOTHING, Written, written
from services.notifier.mails.texts.syntax import filled

log = structlog.get_logger()
OwnTexts = Mapping[TextPart, str]
"""What a shop wrote; a part that is missing has its built-in text."""
_LONGEST_NAME = 60
_LONGEST_SUBJECT = 300


@dataclass(slots=True)
class Texts:
    """The rendered parts of one mail, and which of the shop's texts were damaged."""

    subject: str = ""
    intro: Written = NOTHING
    footer: Written = NOTHING
    damaged: list[TextPart] = field(default_factory=list)


def values_of(mail: Mail, name: str, model: Mapping[str, Any], shop: ShopProfile) -> dict[str, str]:
    """Return the value of every placeholder that this mail has. A missing one is empty."""
    order, refund = model["order"], model.get("refund", {})
    document, status, damage = model.get("document") or {}, model.get("status", {}), model.get("damage", {})
    found = {
        "customer_name": shortened(name, 200),
        "order_code": mail.code,
        "shop_name": shop.name,
        "support_email": shop.support_email,
        "support_phone": shop.support_phone,
        "order_total": order.get("total"),
        "order_date": order.get("placed_at"),
        "payment_method": order.get("method"),
        "carrier": mail.context.get("carrier"),
        "tracking_number": mail.context.get("tracking_number"),
        "tracking_url": model.get("shipment", {}).get("tracking_url"),
        "status": status.get("label"),
        "refund_amount": refund.get("amount"),
        "refund_way": refund.get("way"),
        "author": model.get("message", {}).get("author"),
        "document_number": document.get("number"),
        "document_amount": document.get("amount"),
        "damaged_mail": damage.get("mail"),
        "damaged_part": damage.get("part"),
        "basket_total": model.get("basket", {}).get("total"),
    } | model.get("alert", {}).get("values", {})
    return {key: one_line(str(value or "")) for key, value in found.items()}


def write_texts(
    mail: Mail, own: OwnTexts, words: Mapping[str, Any], values: Mapping[str, str], colour: str
) -> Texts:
    """Return the parts of a mail: the shop's where they can be rendered, else the built-in ones."""
    wording, texts = wording_of(mail.template, mail.context), Texts()
    texts.subject = _subject(own, built_in(words, wording, TextPart.SUBJECT), values, texts.damaged)
    for part in (TextPart.INTRO, TextPart.FOOTER):
        shown = _body(own, part, built_in(words, wording, part), values, colour, texts.damaged)
        setattr(texts, part.value, shown)
    return texts


def built_in(words: Mapping[str, Any], wording: str, part: TextPart) -> str:
    """Return the text that a part has unless the shop wrote another; there is no footer."""
    return str(words.get(part.value, {}).get(wording, ""))


def _subject(own: OwnTexts, otherwise: str, values: Mapping[str, str], damaged: list[TextPart]) -> str:
    short = {name: shortened(value, _LONGEST_NAME) for name, value in values.items()}
    if TextPart.SUBJECT in own:
        try:
            if subject := one_line(filled(own[TextPart.SUBJECT], short)):
                return shortened(subject, _LONGEST_SUBJECT)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail goes with the built-in text
            _note(TextPart.SUBJECT, error)
        damaged.append(TextPart.SUBJECT)
    return one_line(filled(otherwise, short))


def _body(
    own: OwnTexts,
    part: TextPart,
    otherwise: str,
    values: Mapping[str, str],
    colour: str,
    damaged: list[TextPart],
) -> Written:
    if part in own:
        try:
            return written(own[part], values, colour)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail goes with the built-in text
            _note(part, error)
        damaged.append(part)
    return written(otherwise, values, colour)


def _note(part: TextPart, error: Exception) -> None:
    log.warning("text of a mail could not be rendered", part=part.value, error=type(error).__name__)
