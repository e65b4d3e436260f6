"""View models of the warnings to the merchant: the values that their texts show, facts, and where to go."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from services.notifier.mails.compose.formatter import Formatter, formatter
from services.notifier.mails.compose.screening import one_line, screened
from services.notifier.mails.compose.view_models import Words, present
from services.notifier.mails.mail import Mail, Template
from services.notifier.mails.settings import ShopProfile

_PROVIDERS = {"stripe": "Stripe", "paypal": "PayPal"}


def alert_model(mail: Mail, words: Words, shop: ShopProfile) -> dict[str, Any]:
    """Return the data of a warning. Its context is the part of its event that `causes.alerts` stored, as JSON."""
    context, labels = screened(mail.context), words["alert"]
    if mail.template is Template.STOCK_LOW:
        return _alert_model(shop, *_stock(context, labels))
    drawn = formatter(mail.locale, context["currency"], shop.time_zone)
    if mail.template is Template.PAYMENT_UNMATCHED:
        return _alert_model(shop, *_money(context, labels, drawn))
    if mail.template is Template.REFUND_MARK_OVERDUE:
        return _alert_model(shop, *_refund(context, labels, drawn), path=f"/orders/{mail.code}")
    return _alert_model(shop, *_dispute(context, labels, drawn), path=f"/orders/{mail.code}")


def refusal_model(context: dict[str, Any], words: Words, shop: ShopProfile) -> dict[str, Any]:
    """Return the data of the merchant's mail about a server that refused a mail because of its sender."""
    answer = one_line(context["diagnostic"])
    return {
        "facts": present((words["refusal"]["answer"], answer)),
        "url": f"{shop.backoffice_url}/mails?state=bounced" if shop.backoffice_url else None,
    }


_Parts = tuple[dict[str, str], list[tuple[str, str]], str]


def _alert_model(
    shop: ShopProfile, values: dict[str, str], facts: list[tuple[str, str]], own_path: str, path: str = ""
) -> dict[str, Any]:
    url = f"{shop.backoffice_url}{path or own_path}" if shop.backoffice_url else None
    return {"values": values, "facts": facts, "url": url}


def _stock(context: dict[str, Any], labels: Words) -> _Parts:
    values = {
        "stock_sku": context["sku"],
        "stock_left": str(context["available"]),
        "stock_threshold": str(context["threshold"]),
    }
    facts = present(
        (labels["sku"], values["stock_sku"]),
        (labels["available"], values["stock_left"]),
        (labels["threshold"], values["stock_threshold"]),
    )
    return values, facts, f"/stock/article?{urlencode({'sku': context['sku']})}"


def _money(context: dict[str, Any], labels: Words, drawn: Formatter) -> _Parts:
    values = {
        "payment_amount": drawn.amount(context["amount_minor"]),
        "payment_provider": _provider(context),
        "payment_reference": context["provider_reference"],
    }
    facts = present(
        (labels["amount"], values["payment_amount"]),
        (labels["provider"], values["payment_provider"]),
        (labels["reference"], values["payment_reference"]),
        (labels["received_at"], drawn.date_time(datetime.fromisoformat(context["received_at"]))),
    )
    return values, facts, "/payments/unmatched"


def _refund(context: dict[str, Any], labels: Words, drawn: Formatter) -> _Parts:
    at = datetime.fromisoformat(context["asked_at"])
    values = {"refund_amount": drawn.amount(context["amount_minor"]), "refund_date": drawn.date_time(at)}
    facts = present((labels["amount"], values["refund_amount"]), (labels["asked_at"], values["refund_date"]))
    return values, facts, ""


def _dispute(context: dict[str, Any], labels: Words, drawn: Formatter) -> _Parts:
    values = {
        "dispute_amount": drawn.amount(context["amount_minor"]),
        "dispute_provider": _provider(context),
        "dispute_deadline": drawn.date_time(datetime.fromisoformat(context["due_at"])),
    }
    facts = present(
        (labels["amount"], values["dispute_amount"]),
        (labels["provider"], values["dispute_provider"]),
        (labels["reference"], context["provider_reference"]),
        (labels["due_at"], values["dispute_deadline"]),
    )
    return values, facts, ""


def _provider(context: dict[str, Any]) -> str:
    name: str = context["provider"]
    return _PROVIDERS.get(name, name)
