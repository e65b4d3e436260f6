"""Attention flags: problems a person should look at, shown beside the state and never part of it.

Invariant: the flags are a pure function of the two positions; a flag disappears when its reason does.
"""

from contracts.fulfillment import StockStanding
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.payment_status import Money

TO_COLLECT = "to_collect"
"""«Reste à encaisser»: goods are at least packed and the customer still owes money."""
STOCK_MISSING = "stock_missing"
"""«Stock manquant»."""
PAID_WITHOUT_ORDER = "paid_without_order"
"""«Payé sans commande»: money for a checkout that was never placed."""
DISPUTED = "disputed"
"""«Litige»."""


def attention_flags(
    money: Money, units: Quantities, stock: StockStanding, *, placed: bool = True
) -> tuple[str, ...]:
    """Return the sorted flags of an order, including those that payments raised (overdue, refund_unconfirmed,
    …).
    """
    flags = set(money.flags)
    if placed and money.balance > 0 and units.in_parcels > 0:
        flags.add(TO_COLLECT)
    if stock is StockStanding.MISSING:
        flags.add(STOCK_MISSING)
    if not placed and money.received > money.refunded:
        flags.add(PAID_WITHOUT_ORDER)
    if money.disputed > 0:
        flags.add(DISPUTED)
    return tuple(sorted(flags))
