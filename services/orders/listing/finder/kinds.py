"""Kinds: every combination of filtered values that has occurred, and which of them a filter means. Pure.

Invariant: `fits` depends only on a kind's own fields, so all orders of one kind are in a list together.
"""

from dataclasses import dataclass

from contracts.orders.lifecycle import OrderState
from services.orders.listing.filters import Filters
from services.orders.listing.words import PAYMENT_OF, STATUS_OF, UNPLACED, PaymentWord, Tab
from services.orders.order.attention import STOCK_MISSING


@dataclass(frozen=True, slots=True)
class Facet:
    """One combination. `is_unfinished`: some unit needed has not reached its customer."""

    kind_id: int
    module: str
    payment_method: str
    currency: str
    state: str
    label: str
    payment_status: str
    fulfilment_status: str
    carriers: tuple[str, ...]
    flags: tuple[str, ...]
    is_archived: bool
    is_to_pack: bool
    is_to_ship: bool
    is_unfinished: bool
    is_owed_back: bool


WORKED_ON = frozenset({OrderState.READY, OrderState.PROCESSING})
OWING = frozenset(
    {OrderState.AWAITING_PAYMENT, OrderState.READY, OrderState.PROCESSING, OrderState.COMPLETED}
)


def fits(kind: Facet, filters: Filters) -> bool:
    """Return whether orders of this kind are listed, judged by the fields of the kind only."""
    return (
        _is_in_tab(kind, filters.tab)
        and (kind.state not in UNPLACED or _asks_for_unplaced(kind, filters))
        and _is_any(kind.state, filters.state)
        and _is_any(STATUS_OF.get(kind.state), filters.status)
        and _is_any(kind.label, filters.label)
        and _is_any(kind.payment_status, filters.payment_status)
        and _is_any(PAYMENT_OF[kind.payment_status], filters.payment)
        and _is_any(kind.fulfilment_status, filters.fulfilment)
        and _is_any(kind.module, filters.module)
        and _is_any(kind.payment_method, filters.payment_method)
        and (not filters.carrier or not set(filters.carrier).isdisjoint(kind.carriers))
        and filters.currency in (None, kind.currency)
    )


def fits_in_trouble(kind: Facet, filters: Filters) -> bool:
    """Return whether an order of this kind is listed among the problems for a reason outside its kind: a
    failed mail, a command that waits for staff. Kinds with flags are listed there already.
    """
    if filters.tab is not Tab.PROBLEMS or kind.flags or kind.is_archived:
        return False
    return fits(kind, filters.model_copy(update={"tab": Tab.ALL}))


def _is_any(value: object, wanted: list[object] | list[str] | object) -> bool:
    return not wanted or value in wanted  # type: ignore[operator]


def _asks_for_unplaced(kind: Facet, filters: Filters) -> bool:
    """Return whether the filter includes drafts and checkouts, which are not orders yet: they are listed when
    a filter requests them, and when they have a problem.
    """
    chosen = filters.state or filters.status or filters.payment or filters.payment_status
    return bool(chosen) or (filters.tab is Tab.PROBLEMS and bool(kind.flags))


def _is_in_tab(kind: Facet, tab: Tab | None) -> bool:
    if tab in (None, Tab.EVERYTHING):
        return True
    if tab is Tab.ARCHIVED:
        return kind.is_archived
    return not kind.is_archived and _is_in_queue(kind, tab)


def _is_in_queue(kind: Facet, tab: Tab) -> bool:
    """Return whether orders of this kind are in a queue. To process means work that can be done now: pack
    orders whose stock is available, hand over what is packed; orders that are on their way, wait for stock or
    hold no goods are found by the filters.
    """
    match tab:
        case Tab.TO_PROCESS:
            can_be_packed = kind.is_to_pack and STOCK_MISSING not in kind.flags
            return kind.state in WORKED_ON and (can_be_packed or kind.is_to_ship)
        case Tab.TO_COLLECT:
            return kind.state in OWING and PAYMENT_OF[kind.payment_status] == PaymentWord.UNPAID
        case Tab.TO_REFUND:
            return kind.is_owed_back and kind.state not in UNPLACED
        case Tab.TO_PACK:
            return kind.is_to_pack and kind.state in WORKED_ON
        case Tab.TO_SHIP:
            return kind.is_to_ship and kind.state not in UNPLACED
        case Tab.PROBLEMS:
            return bool(kind.flags)
        case _:
            return True
