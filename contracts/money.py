"""Money as an integer of minor units, and the number of digits each currency has after its point.

The table is ISO 4217 as published on 2026-01-01: every active currency and fund code that has a minor unit.
Metals, baskets and test codes (XAU, XDR, XTS) have none and are unknown here. Nothing in this module rounds
and nothing is a float: a digit that the currency cannot hold is refused, since a cent lost at the edge is a
balance that never closes. A payment provider may count in other units than ISO 4217; its adapter converts them.
"""

import re
from decimal import Decimal

MAX_MINOR = 2**53 - 1
"""The largest amount on the wire, either sign: every JSON reader represents it exactly."""
LARGEST_AMOUNT_MINOR = 10**13
"""The largest amount of one sale, payment, refund or credit, checked where it is requested: a larger one is a wrong
unit. Sums of many ledger entries still fit the wire's numbers.
"""
_LARGEST_POWER_OF_TEN = 15

_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
        CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
        GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
        MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
        PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
        TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: dict[str, int] = {
    code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()
}
"""Digits after the point by currency code."""

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


class UnknownCurrency(ValueError):
    """The code is not an active ISO 4217 currency with a minor unit."""

    def __init__(self, currency: object) -> None:
        super().__init__(
            f"currency {currency!r} is not an active ISO 4217 code; send three capital letters such as EUR"
        )
        self.currency = currency


class AmountUnreadable(ValueError):
    """The text is not a plain decimal number."""

    def __init__(self, amount: object, currency: str) -> None:
        super().__init__(
            f"amount {str(amount)[:80]!r} in {currency} is not a plain decimal number; "
            "write digits with a point and no grouping, 1234.50"
        )
        self.amount, self.currency = amount, currency


class AmountTooPrecise(ValueError):
    """The amount has digits below the currency's minor unit."""

    def __init__(self, amount: Decimal, currency: str) -> None:
        super().__init__(
            f"amount {str(amount)[:80]} has digits that {currency} cannot hold "
            f"({exponent(currency)} after the point); round it before sending, nothing is rounded here"
        )
        self.amount, self.currency = amount, currency


class AmountOutOfRange(ValueError):
    """The amount has more minor units than the contract carries."""

    def __init__(self, amount: Decimal | int, currency: str) -> None:
        super().__init__(
            f"amount {str(amount)[:80]} in {currency} is beyond {MAX_MINOR} minor units; "
            "check the amount and its unit"
        )
        self.amount, self.currency = amount, currency


def exponent(currency: str) -> int:
    """Return the digits after the point: 2 for EUR, 0 for JPY, 3 for TND. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency(currency) from None


def is_known(currency: str) -> bool:
    """Return whether the code is an active ISO 4217 currency with a minor unit; lower case is not."""
    return currency in EXPONENTS


def from_decimal(amount: Decimal | str, currency: str) -> int:
    """Return the minor units of an amount in the currency's major unit: `from_decimal("12.30", "EUR") == 1230`.

    Zeros below the minor unit are harmless and accepted. Raises UnknownCurrency, AmountUnreadable,
    AmountTooPrecise, AmountOutOfRange, and TypeError for a float.
    """
    digits = exponent(currency)
    value = _exact(amount, currency)
    if not value:
        return 0
    if value.adjusted() + digits > _LARGEST_POWER_OF_TEN:
        raise AmountOutOfRange(value, currency)
    minor = _minor_units(value, digits)
    if minor is None:
        raise AmountTooPrecise(value, currency)
    if abs(minor) > MAX_MINOR:
        raise AmountOutOfRange(value, currency)
    return minor


def to_decimal(minor: int, currency: str) -> Decimal:
    """Return the amount in the major unit, with all its digits: `to_decimal(1230, "EUR") == Decimal("12.30")`.

    Exact in any decimal context of the caller. Raises UnknownCurrency, AmountOutOfRange, and TypeError for
    anything but an int.
    """
    digits = exponent(currency)
    if type(minor) is not int:
        raise TypeError(f"minor units are an int, not {type(minor).__name__} {minor!r}")
    if abs(minor) > MAX_MINOR:
        raise AmountOutOfRange(minor, currency)
    return Decimal((int(minor < 0), tuple(map(int, str(abs(minor)))), -digits))


def _exact(amount: Decimal | str, currency: str) -> Decimal:
    if isinstance(amount, str):
        if not _PLAIN_NUMBER.fullmatch(amount):
            raise AmountUnreadable(amount, currency)
        return Decimal(amount)
    if not isinstance(amount, Decimal):
        raise TypeError(
            f"an amount is a Decimal or text, not {type(amount).__name__} {amount!r}; floats lose cents"
        )
    if not amount.is_finite():
        raise AmountUnreadable(amount, currency)
    return amount


def _minor_units(value: Decimal, digits: int) -> int | None:
    sign, coefficient, power = value.as_tuple()
    text = "".join(map(str, coefficient))
    shift = int(power) + digits
    if shift < 0:
        kept, lost = text[:shift], text[shift:]
        if lost.strip("0"):
            return None
        text, shift = kept or "0", 0
    minor = int(text + "0" * shift)
    return -minor if sign else minor
