"""Made-up orders on which texts are tried: an ordinary one, one with the least it can have, one with hostile names.

The mails of the ordinary one are rendered at start too, to load their templates.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from services.notifier.mails.compose.composing import write_pages
from services.notifier.mails.mail import Mail, Recipient, Template
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts.placeholders import WORDINGS
from services.notifier.mails.texts.planning import LANGUAGES, wording_of

log = structlog.get_logger()
NUMBER_OF_SAMPLES = 3
WORDINGS_OF_EVERY_ORDER = ("new_order", "order_recap", "shipment_dispatched")
PLACED_AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
_ORDER, _THREAD = UUID("01936e3a-0000-7000-8000-00000000aaaa"), UUID("01936e3a-0000-7000-8000-00000000bbbb")
_NAMES = ("Zoé Lefèvre", "Li", "{{ x }}<b> & “Ana” \u202e **Ben** [a](b)")
_METHODS = ("transfer", "cash", "cheque")
_LINES = [{"line": 1, "quantity": 2}]
_COMMENTS = ("À très vite dans notre atelier.", None, "<script>alert(1)</script>\n{{ customer_name }}")
_MESSAGES = (
    "Bonjour,\n\nla bougie existe-t-elle aussi en 300 g ?\nMerci d’avance !",
    "OK",
    "<script>alert(1)</script> {{ customer_name }}\n" + "W" * 300 + "\n" + "https://exemple.fr/" + "a" * 200,
)
_ANSWER = "Bonjour,\n\noui, la bougie existe en 300 g : je vous en mets une de côté ?"
_REASONS = ("Vos bougies sont déjà coulées à votre nom.", "Non.", _COMMENTS[2] or "")
_SHIPMENTS: tuple[dict[str, Any], ...] = (
    {
        "carrier": "Colissimo",
        "tracking_number": "6A12345678901",
        "tracking_url": "https://suivi.example/colis?id=6A12345678901",
        "shipped_on": "2026-11-23",
        "expected_on": "2026-11-25",
        "lines": _LINES,
    },
    {"lines": []},
    {"carrier": "<b>", "tracking_number": "}}", "tracking_url": "javascript:alert(1)", "lines": _LINES},
)


def preload_templates() -> None:
    """Render the mails of every order once, so that their templates and locales are loaded.

    Loading takes 120 ms, during which the event loop does nothing else. A mail that can't be rendered is logged: it
    fails when it is sent, and no other.
    """
    shop = ShopProfile(
        shop="sample", name="Sample", merchant_email="a@sample.example", from_email="a@sample.example"
    )
    for language in LANGUAGES:
        for wording in WORDINGS_OF_EVERY_ORDER:
            try:
                write_pages(*sample(wording, shop.shop, language), shop)
            except Exception as error:
                log.error("a template can't be preloaded", wording=wording, language=language, exc_info=error)


def template_of(wording: str) -> Template:
    """Return the template of a wording. Raises KeyError for one that cannot be edited."""
    if wording not in WORDINGS:
        raise KeyError(wording)
    return {
        "order_cancelled_partly": Template.ORDER_CANCELLED,
        "refund_under_way": Template.REFUND_MADE,
    }.get(wording) or Template(wording)


def sample(
    wording: str, shop: str, locale: str, number: int = 0, recipient: str = ""
) -> tuple[Mail, Recipient]:
    """Return a made-up mail of this wording and its order. Raises KeyError."""
    template, code = template_of(wording), "K7F3-QD9M"
    mail = Mail(
        id=_ORDER,
        shop=shop,
        order_id=_ORDER,
        code=code,
        cause_id=_ORDER,
        template=template,
        recipient=recipient,
        locale=locale,
        message_id=f"<{_ORDER}@sample.invalid>",
        context=_context(wording, number),
        created_at=PLACED_AT,
    )
    assert wording_of(template, mail.context) == wording
    placed = _placed(code, locale, number)
    return mail, Recipient(shop, _ORDER, code, _NAMES[number], recipient, locale, _THREAD, placed)


def _context(wording: str, number: int) -> dict[str, Any]:
    comment = {"public_comment": _COMMENTS[number]} if _COMMENTS[number] else {}
    money = {"amount_minor": (1250, 1, 987_654_321)[number], "currency": ("EUR", "JPY", "BHD")[number]}
    if wording in ("order_cancelled", "order_cancelled_partly"):
        return {**comment, **({"cancelled_lines": _LINES} if wording.endswith("partly") else {})}
    if wording == "cancellation_declined":
        return {"public_comment": _REASONS[number]}
    if wording in ("refund_made", "refund_under_way"):
        state = "confirmed" if wording == "refund_made" else "sent"
        return {**money, "mode": "sent", "state": state, "lines": _LINES, **comment}
    if wording == "refund_failed":
        return money
    if wording == "checkout_abandoned":
        url = ("https://boutique.example/panier/88231?reprise=Xk3", None, "https://a.example/" + "b" * 200)[
            number
        ]
        total = {"currency": money["currency"], "total_minor": money["amount_minor"]}
        return {"name": _NAMES[number], **total, "resume_url": url}
    if wording in ("invoice", "credit_note"):
        return {**money, "number": ("F2026-00042", "A1", "{{ number }}")[number]}
    if wording in ("stock_low", "payment_unmatched", "refund_mark_overdue", "dispute_due_soon"):
        return _alert(wording, number, money)
    if wording == "status_updated":
        texts: tuple[dict[str, str], ...] = (
            {"fr": "En atelier", "en": "In the workshop"},
            {},
            {"fr": "<b>{{ x }}", "en": "<b>{{ x }}"},
        )
        return {"state": "processing", "label_texts": texts[number], **comment}
    if wording in ("message_posted", "message_received"):
        is_ours = wording == "message_posted"
        text = _ANSWER if is_ours and number == 0 else _MESSAGES[number]
        return {"author": "Garance" if is_ours else _NAMES[number], "text": text}
    if wording in ("shipment_dispatched", "shipment_updated", "shipment_cancelled", "parcel_lost"):
        return dict(_SHIPMENTS[number])
    return {}


def _alert(wording: str, number: int, money: dict[str, Any]) -> dict[str, Any]:
    at = PLACED_AT.isoformat()
    if wording == "stock_low":
        return {"sku": ("BOUGIE-1", "A", "<b>{{ x }}&\u202e")[number], "available": 3, "threshold": 5}
    if wording == "refund_mark_overdue":
        return {**money, "asked_at": at, "actor": "lea"}
    reference = ("pi_3QK9mB2eZvKYlo2C", "A", "<b>{{ x }}")[number]
    provider = ("stripe", "paypal", "<b>{{ x }}")[number]
    return {
        **money,
        "provider": provider,
        "provider_reference": reference,
        ("received_at" if wording == "payment_unmatched" else "due_at"): at,
    }


def _placed(code: str, locale: str, number: int) -> dict[str, Any]:
    """Return OrderPlaced as JSON, as far as mails show it."""
    address = {
        "name": _NAMES[number],
        "street": "3 allée des Tilleuls",
        "postal_code": "31000",
        "city": "Toulouse",
        "country": "FR",
    }
    names = ("Bougie figuier 180 g", "Encre", "Carnet <b>{{ x }}</b> " + "long " * 20)
    line = {
        "line": 1,
        "description": names[number],
        "quantity": 2,
        "unit_price_minor": 2450,
        "total_minor": 4900,
        "vat_rate": 2000,
    }
    return {
        "code": code,
        "placed_at": PLACED_AT.isoformat(),
        "module": "shop",
        "locale": locale,
        "currency": "EUR",
        "prices_include_tax": True,
        "payment": {"method": _METHODS[number]},
        "customer": {"name": _NAMES[number], "email": "zoe@clients.example"},
        "lines": [line],
        "shipping": {"label": "Colissimo", "amount_minor": 490, "vat_rate": 2000} if number != 1 else None,
        "totals": {
            "lines_minor": 4900,
            "tax_minor": 898,
            "total_minor": 5390 if number != 1 else 4900,
        },
        **({"billing_address": address, "shipping_address": address} if number != 1 else {}),
        **({"note": "Merci de sonner deux fois."} if number == 0 else {}),
    }
