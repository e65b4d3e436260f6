"""How an amount is written in a reason: `12.30 EUR`, exact, readable even when the currency is unknown."""

from contracts.money import MAX_MINOR, is_known, to_decimal


def written(amount_minor: int, currency: str) -> str:
    """The amount in the currency's major unit, or in minor units when that cannot be told."""
    if is_known(currency) and abs(amount_minor) <= MAX_MINOR:
        return f"{to_decimal(amount_minor, currency)} {currency}"
    return f"{amount_minor} minor units"
