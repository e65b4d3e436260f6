"""Stripe's amounts: whole numbers, but not always of ISO 4217's minor unit.

Stripe has its own list of digits after the point (documentation, "currencies": zero-decimal, three-decimal
and special cases). Reading 500 UGX by its ISO exponent would record 500 where 5 was paid. Currencies that the
list omits and whose ISO exponent is not two are rejected rather than guessed.
"""

from contracts import money

_ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE = "BHD JOD KWD OMR TND"
_TWO_THAT_MUST_BE_WHOLE = "ISK UGX"

EXPONENTS: dict[str, int] = {
    **{code: 2 for code, exponent in money.EXPONENTS.items() if exponent == 2},
    **dict.fromkeys(_TWO_THAT_MUST_BE_WHOLE.split(), 2),
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
}
"""Digits after the point in an amount of Stripe's, by ISO code."""


class StripeAmountUnusable(ValueError):
    """The amount can't be converted to minor units; the error carries amount and currency."""

    def __init__(self, amount: object, currency: object, why: str) -> None:
        super().__init__(f"Stripe amount {str(amount)[:40]} {str(currency)[:10]}: {why}")
        self.amount, self.currency = amount, currency


def currency_of(code: object) -> str:
    """Return Stripe's lower-case code as ISO 4217 writes it. Raises StripeAmountUnusable for one Stripe does
    not list.
    """
    currency = code.upper() if isinstance(code, str) and len(code) == 3 else ""
    if currency not in EXPONENTS:
        raise StripeAmountUnusable("in", code, "no currency that Stripe's list covers")
    return currency


def to_minor(amount: object, currency: str) -> int:
    """Return the ISO 4217 minor units of an amount in Stripe's unit. Raises StripeAmountUnusable; nothing is
    rounded.
    """
    if type(amount) is not int or not 0 <= amount <= money.MAX_MINOR:
        raise StripeAmountUnusable(amount, currency, "not a whole number within the contract's range")
    digits = money.EXPONENTS[currency] - EXPONENTS[currency]
    if digits >= 0:
        minor = amount * 10**digits
    else:
        minor, rest = divmod(amount, 10**-digits)
        if rest:
            raise StripeAmountUnusable(amount, currency, "its last digits must be zero")
    if minor > money.MAX_MINOR:
        raise StripeAmountUnusable(amount, currency, "beyond the contract's range")
    return minor


def from_minor(amount_minor: int, currency: str) -> int:
    """Return an amount in ISO 4217 minor units in Stripe's unit. Raises StripeAmountUnusable; nothing is
    rounded.
    """
    digits = money.EXPONENTS[currency] - EXPONENTS[currency]
    amount, rest = divmod(amount_minor, 10**digits) if digits >= 0 else (amount_minor * 10**-digits, 0)
    if rest:
        raise StripeAmountUnusable(amount_minor, currency, "Stripe's unit is too coarse for it")
    return amount
