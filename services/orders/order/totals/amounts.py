"""Format of amounts in reasons: `12.30 EUR`, exact, readable even when the currency is unknown."""

from contracts.money import MAX_MINOR, is_known, to_decimal


def written(amount_minor: int, currency: str) -> str:
    """Return the amount in the currency's major unit, or in minor units when the currency is unknown."""
    if is_known(currency) and abs(amount_minor) <= MAX_MINOR:
        return f"{to_decimal(amount_minor, currency)} {currency}"
    return f"{amount_minor} minor units"
