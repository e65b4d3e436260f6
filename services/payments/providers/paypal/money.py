"""PayPal's amounts: decimal strings, in two shapes, and not always with ISO 4217's decimals. Pure.

Source: PayPal's "currency codes". HUF, JPY and TWD have no decimals at PayPal, though HUF and TWD have two by
ISO 4217 and at Stripe. Version 1 writes `total` and `currency`, version 2 `value` and `currency_code`; version
1 writes refunds with a minus in some events. More decimals than PayPal's list allows are rejected, never
rounded.
"""

import re
from decimal import Decimal
from typing import Any

from contracts import money

_TWO = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD"
_NONE = "HUF JPY TWD"
EXPONENTS: dict[str, int] = {**dict.fromkeys(_TWO.split(), 2), **dict.fromkeys(_NONE.split(), 0)}
"""Digits after the point in an amount of PayPal's, by ISO code."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?", re.ASCII)


class PaypalAmountUnusable(ValueError):
    """The amount can't be converted to minor units; the error carries what was written."""

    def __init__(self, amount: object, currency: object, why: str) -> None:
        super().__init__(f"PayPal amount {str(amount)[:40]} {str(currency)[:10]}: {why}")


def amount_of(resource: dict[str, Any], field: str = "amount") -> tuple[int, str]:
    """Return an object's amount in ISO 4217 minor units, without its sign, and its currency.

    Raises PaypalAmountUnusable.
    """
    amount = resource.get(field)
    written: dict[str, Any] = amount if isinstance(amount, dict) else {}
    value = written.get("value", written.get("total"))
    currency = written.get("currency_code", written.get("currency"))
    if not isinstance(currency, str) or currency not in EXPONENTS:
        raise PaypalAmountUnusable(value, currency, "no currency that PayPal's list has")
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise PaypalAmountUnusable(value, currency, "no decimal number written as text")
    return to_minor(Decimal(value).copy_abs(), currency), currency


def to_minor(value: Decimal, currency: str) -> int:
    """Return the ISO 4217 minor units of a number. Raises PaypalAmountUnusable; nothing is rounded."""
    if -int(value.as_tuple().exponent) > EXPONENTS[currency]:
        raise PaypalAmountUnusable(value, currency, f"more than {EXPONENTS[currency]} decimals")
    minor = int(value.scaleb(money.EXPONENTS[currency]))
    if minor > money.MAX_MINOR:
        raise PaypalAmountUnusable(value, currency, "beyond the contract's range")
    return minor


def from_minor(amount_minor: int, currency: str) -> dict[str, str]:
    """Return an amount as version 2 writes it. Raises PaypalAmountUnusable; nothing is rounded."""
    if currency not in EXPONENTS:
        raise PaypalAmountUnusable(amount_minor, currency, "no currency that PayPal's list has")
    digits = EXPONENTS[currency]
    coarse, rest = divmod(amount_minor, 10 ** (money.EXPONENTS[currency] - digits))
    if rest:
        raise PaypalAmountUnusable(amount_minor, currency, "PayPal's unit is too coarse for it")
    return {"currency_code": currency, "value": str(Decimal(coarse).scaleb(-digits))}
