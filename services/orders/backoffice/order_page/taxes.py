"""The taxes of an order as its page sums them up. Pure."""

from typing import Any

from contracts.storefront import Tax
from services.orders.documents import OrderShown


def stated_taxes(order: OrderShown) -> list[Tax]:
    """Return each tax that the sender named, with its sum over the order; none unless they are all of its tax."""
    parts: list[Any] = [*order.lines, *([order.shipping] if order.shipping else []), *order.extra_lines]
    found: dict[tuple[str | None, int], int] = {}
    for tax in (tax for part in parts for tax in part.taxes or ()):
        key = (tax.label, tax.rate_ppm)
        found[key] = found.get(key, 0) + tax.tax_minor
    if order.totals is None or sum(found.values()) != order.totals.tax_minor:
        return []
    return [Tax(label=label, rate_ppm=rate, tax_minor=minor) for (label, rate), minor in found.items()]
