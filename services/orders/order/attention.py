"""Attention flags: problems that staff should look at, shown beside the state and never part of it.

Invariant: the flags are a pure function of the two positions, of the customer's open request and of the
outcomes of mails; a flag disappears when its reason does.
"""

from dataclasses import dataclass
from datetime import datetime

from contracts.fulfillment.position import StockStanding
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
CANCELLATION_REQUESTED = "cancellation_requested"
"""«Annulation demandée»: the customer requests it, and it is not answered yet."""
ADDRESS_REFUSED = "address_refused"
"""«Adresse refusée»: the customer's mail address does not exist, or gets no mail for another reason."""


@dataclass(slots=True)
class Reach:
    """Whether mails reach the customer: the current address, the latest refusal of one, the latest lifting of one."""

    email: str | None = None
    refused_address: str | None = None
    refused_at: datetime | None = None
    freed_at: datetime | None = None

    def refuse(self, address: str, at: datetime) -> bool:
        """Record a refusal, unless a later one is known. Return whether it is recorded."""
        if self.refused_at is not None and (at, address) <= (self.refused_at, self.refused_address or ""):
            return False
        self.refused_address, self.refused_at = address, at
        return True

    def free(self, at: datetime) -> bool:
        """Record that the address gets mail again. Return whether that is later than what is known."""
        if self.freed_at is not None and at <= self.freed_at:
            return False
        self.freed_at = at
        return True

    @property
    def is_refused(self) -> bool:
        """Return whether the current address was refused and not freed since."""
        if self.refused_at is None or _plain(self.refused_address) != _plain(self.email):
            return False
        return self.freed_at is None or self.freed_at < self.refused_at


def attention_flags(
    money: Money,
    units: Quantities,
    stock: StockStanding,
    reach: Reach,
    *,
    placed: bool = True,
    cancellation_requested: bool = False,
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
    if cancellation_requested and placed and not units.all_cancelled:
        flags.add(CANCELLATION_REQUESTED)
    if reach.is_refused:
        flags.add(ADDRESS_REFUSED)
    return tuple(sorted(flags))


def _plain(address: str | None) -> str:
    return (address or "").strip().lower()
