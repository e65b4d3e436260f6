"""Format of amounts in reasons: `12.30 EUR`, exact, readable even when the currency is unknown; and their limit."""

from contracts.message import Reason
from contracts.money import LARGEST_AMOUNT_MINOR, MAX_MINOR, is_known, to_decimal


def written(amount_minor: int, currency: str) -> str:
    """Return the amount in the currency's major unit, or in minor units when the currency is unknown."""
    if is_known(currency) and abs(amount_minor) <= MAX_MINOR:
        return f"{to_decimal(amount_minor, currency)} {currency}"
    return f"{amount_minor} minor units"


def faults_of_size(amount_minor: int, currency: str, field: str = "amount_minor") -> list[Reason]:
    """Return a fault when an amount, of either sign, is larger than any that one sale or payment can have."""
    if abs(amount_minor) <= LARGEST_AMOUNT_MINOR:
        return []
    message = (
        f"{written(amount_minor, currency)} is beyond {LARGEST_AMOUNT_MINOR} minor units; "
        "check the amount and its unit."
    )
    return [Reason(code="amount_too_large", message=message, field=field)]
