"""Values as PayPal writes them: ids, amounts in both of its forms, times, links.

Source: PayPal's published OpenAPI documents (payments v1 and v2, orders v2).
"""

import string
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Any

Json = dict[str, Any]
_LETTERS = string.ascii_uppercase + string.digits
_WITHOUT_DECIMALS = frozenset(("HUF", "JPY", "TWD"))
FEE_SHARE, FEE_FIXED = Decimal("0.029"), Decimal("0.35")


def new_id(chance: Random, characters: int = 17) -> str:
    """Return an id of a payment, as long as PayPal's."""
    return "".join(chance.choices(_LETTERS, k=characters))


def new_merchant_id(chance: Random) -> str:
    """Return the id of an account, without the letters and digits that are mistaken for each other."""
    return "".join(chance.choices([each for each in _LETTERS if each not in "01IO"], k=13))


def new_dispute_id(chance: Random) -> str:
    """Return the id of a case."""
    letters = "".join(chance.choices(string.ascii_uppercase, k=3))
    return f"PP-R-{letters}-{chance.randrange(10**7, 10**8)}"


def decimals_of(currency: str) -> int:
    """Return how many decimals PayPal takes for a currency."""
    return 0 if currency in _WITHOUT_DECIMALS else 2


def money(value: Decimal, currency: str) -> Json:
    """Return an amount as version 2 writes it."""
    return {"currency_code": currency, "value": written(value, currency)}


def written(value: Decimal, currency: str) -> str:
    """Return a number with as many decimals as its currency has."""
    return str(value.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_EVEN))


def value_of(amount: Json) -> Decimal:
    """Return the number in an amount of version 2."""
    return Decimal(amount["value"])


def fee_of(value: Decimal, currency: str) -> Decimal:
    """Return PayPal's fee on a payment, never more than the payment."""
    return min(value, Decimal(written(value * FEE_SHARE + FEE_FIXED, currency)))


def timestamp(at: datetime) -> str:
    """Return a time in UTC, to the second, as payments have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def link(href: str, rel: str, method: str = "GET") -> Json:
    """Return one link of an object."""
    return {"href": href, "rel": rel, "method": method}


def v1_capture(capture: Json) -> Json:
    """Return a capture as version 1 shows it: `total` and `currency`, and a state in lower case."""
    breakdown = capture.get("seller_receivable_breakdown")
    fee = {"transaction_fee": _v1_fee(breakdown["paypal_fee"])} if breakdown else {}
    named = {"invoice_number": capture["invoice_id"]} if "invoice_id" in capture else {}
    return {
        "id": capture["id"],
        "amount": _v1_amount(capture["amount"]),
        "state": "denied" if capture["status"] == "DECLINED" else capture["status"].lower(),
        "custom": capture.get("custom_id", ""),
        **named,
        **fee,
        "is_final_capture": capture["final_capture"],
        "parent_payment": "PAY-" + _order_of(capture),
        "create_time": capture["create_time"],
        "update_time": capture["update_time"],
        "links": _v1_links(capture["links"]),
    }


def v1_refund(refund: Json, capture: Json, *, is_negative: bool = False) -> Json:
    """Return a refund as version 1 shows it, which in some events has a negative amount."""
    amount = _v1_amount(refund["amount"])
    if is_negative:
        amount["total"] = "-" + amount["total"]
    return {
        "id": refund["id"],
        "amount": amount,
        "state": refund["status"].lower(),
        "capture_id": capture["id"],
        "parent_payment": "PAY-" + _order_of(capture),
        "create_time": refund["create_time"],
        "update_time": refund["update_time"],
        "links": _v1_links(refund["links"]),
    }


def _order_of(capture: Json) -> str:
    return str(capture["supplementary_data"]["related_ids"]["order_id"])


def _v1_amount(amount: Json) -> Json:
    return {"total": amount["value"], "currency": amount["currency_code"]}


def _v1_fee(amount: Json) -> Json:
    return {"value": amount["value"], "currency": amount["currency_code"]}


def _v1_links(links: list[Json]) -> list[Json]:
    return [{**each, "href": _v1_href(each["href"])} for each in links]


def _v1_href(href: str) -> str:
    singular = href.replace("/v2/payments/captures/", "/v1/payments/capture/")
    return singular.replace("/v2/payments/refunds/", "/v1/payments/refund/")
