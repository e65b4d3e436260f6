"""The words of the list's filters: tabs, «Statut», «Statut de paiement», sorting. Pure.

Invariant: every state and every payment status belongs to at most one word, so no order is counted under two.
"""

from enum import StrEnum

from contracts.orders.lifecycle import OrderState
from services.orders.order.payment_status import FILTER_OF, PaymentFilter
from services.orders.order.state import STATUS_FILTERS


class Tab(StrEnum):
    """The queues of the orders page: À traiter, À encaisser, À rembourser, À emballer, À expédier, Problèmes,
    Toutes (what is not archived), Archivées, and everything, archived or not."""

    TO_PROCESS = "to_process"
    TO_COLLECT = "to_collect"
    TO_REFUND = "to_refund"
    TO_PACK = "to_pack"
    TO_SHIP = "to_ship"
    PROBLEMS = "problems"
    ALL = "all"
    ARCHIVED = "archived"
    EVERYTHING = "everything"


class StatusWord(StrEnum):
    """The four words of the filter «Statut»."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class PaymentWord(StrEnum):
    """The words of the filter «Statut de paiement»; `none` is «Sans objet»."""

    UNPAID = "unpaid"
    PAID = "paid"
    REFUNDED = "refunded"
    ABANDONED = "abandoned"
    IN_PROGRESS = "in_progress"
    NONE = "none"


class Sort(StrEnum):
    """In which sequence orders are listed: by the day placed, or by the order's total."""

    NEWEST = "newest"
    OLDEST = "oldest"
    HIGHEST = "highest"
    LOWEST = "lowest"

    @property
    def is_by_total(self) -> bool:
        """Return whether orders are sorted by total, not by day."""
        return self in (Sort.HIGHEST, Sort.LOWEST)

    @property
    def is_descending(self) -> bool:
        """Return whether the largest comes first."""
        return self in (Sort.NEWEST, Sort.HIGHEST)


UNPLACED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})
"""States of drafts and checkouts, listed only when a filter requests them."""
STATUS_OF: dict[str, str] = {state.value: word for word, states in STATUS_FILTERS.items() for state in states}
"""Word of the filter «Statut» by state; a draft has none."""
PAYMENT_OF: dict[str, str] = {
    status.value: PaymentWord.NONE if belongs is PaymentFilter.NOT_APPLICABLE else PaymentWord(belongs.value)
    for status, belongs in FILTER_OF.items()
}
"""Word of the filter «Statut de paiement» by payment status."""
