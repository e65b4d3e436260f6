"""Whether a document fits EN 16931. Pure.

The norm knows one VAT category and rate per line, amounts of two decimals, a seller with a number for taxes, and a
buyer with a country. A sale
with several taxes on a line, a currency that uses three decimals, or a tax that differs from its rate is still
invoiced: its PDF then carries no electronic invoice.
"""

from fractions import Fraction
from itertools import chain

from contracts.money import exponent
from services.payments.invoices.document import STANDARD, Content

MILLION = 1_000_000
_LEAST_RATE_PPM = 5_000
"""The norm's rule BR-CO-17 takes a rate below half a percent for none."""


def obstacle(content: Content) -> str | None:
    """Return why a document can't be written by the norm; None when it can."""
    if content.buyer.address is None:
        return "buyer_country_unknown"
    if not content.seller.vat_number and not content.seller.siret:
        return "seller_number_unknown"
    if any(len(item.taxes) != 1 for item in content.items):
        return "several_taxes_on_a_line"
    if not any(item.role in ("line", "correction") for item in content.items):
        return "no_line"
    if _needs_more_decimals(content):
        return "more_than_two_decimals"
    return (
        "tax_differs_from_rate"
        if any(_differs(*sums, content.currency) for sums in _by_rate(content))
        else None
    )


def _needs_more_decimals(content: Content) -> bool:
    beyond = 10 ** max(0, exponent(content.currency) - 2)
    amounts = chain(
        (content.paid_minor,),
        *((item.net_minor, item.tax_minor, item.discount_minor) for item in content.items),
    )
    return any(amount % beyond for amount in amounts)


def _by_rate(content: Content) -> list[tuple[str, int, int, int]]:
    sums: dict[tuple[str, int], list[int]] = {}
    for item in content.items:
        found = sums.setdefault((item.category, item.taxes[0].rate_ppm), [0, 0])
        found[0] += item.net_minor
        found[1] += item.tax_minor
    return [(category, rate, net, tax) for (category, rate), (net, tax) in sums.items()]


def _differs(category: str, rate: int, net_minor: int, tax_minor: int, currency: str) -> bool:
    """Return whether a rate's tax is a whole unit of the currency away from the rate, which the norm refuses."""
    if category != STANDARD:
        return bool(tax_minor)
    if rate < _LEAST_RATE_PPM or net_minor * tax_minor < 0:
        return True
    difference = abs(Fraction(net_minor * rate, MILLION) - tax_minor)
    return difference > 10 ** exponent(currency) - 1 if exponent(currency) else difference > 1
