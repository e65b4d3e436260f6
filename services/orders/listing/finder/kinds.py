"""Kinds: every combination of filtered values that has occurred, and which of them a filter means. Pure.

Invariant: `fitting` depends only on a kind's own fields, so all orders of one kind are in a list together.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
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

FIELDS: Mapping[str, str] = {
    "state": "state",
    "label": "label",
    "payment_status": "payment_status",
    "fulfilment": "fulfilment_status",
    "module": "module",
    "payment_method": "payment_method",
}
"""Fields of a kind by the filter that lists their values."""


def fitting(kinds: Iterable[Facet], filters: Filters) -> list[Facet]:
    """Return the kinds whose orders are listed, judged by the fields of each kind only.

    Every filter is prepared once and narrows what the previous ones left: shops have hundreds of kinds, and each
    page and each count goes through them.
    """
    found = list(kinds)
    for name, wanted in _wanted(filters):
        found = [kind for kind in found if getattr(kind, name) in wanted]
    if filters.carrier:
        carriers = set(filters.carrier)
        found = [kind for kind in found if not carriers.isdisjoint(kind.carriers)]
    if not _asks_for_unplaced(filters):
        with_flags = filters.tab is Tab.PROBLEMS
        found = [kind for kind in found if kind.state not in UNPLACED or (with_flags and kind.flags)]
    return found if filters.tab is None else [kind for kind in found if _is_in_tab(kind, filters.tab)]


def fitting_in_trouble(kinds: Iterable[Facet], filters: Filters) -> list[Facet]:
    """Return the kinds whose orders are listed among the problems for a reason outside their kind: a failed
    mail, a command that waits for staff. Kinds with flags are listed there already.
    """
    if filters.tab is not Tab.PROBLEMS:
        return []
    calm = [kind for kind in kinds if not kind.flags and not kind.is_archived]
    return fitting(calm, filters.model_copy(update={"tab": Tab.ALL}))


def _wanted(filters: Filters) -> Iterator[tuple[str, Container[str]]]:
    """Yield the fields of a kind that the filters restrict, with the values they allow."""
    if filters.status:
        yield "state", {state for state, word in STATUS_OF.items() if word in filters.status}
    if filters.payment:
        yield "payment_status", {status for status, word in PAYMENT_OF.items() if word in filters.payment}
    if filters.currency:
        yield "currency", {filters.currency}
    for field, name in FIELDS.items():
        if chosen := getattr(filters, field):
            yield name, set(chosen)


def _asks_for_unplaced(filters: Filters) -> bool:
    """Return whether the filter includes drafts and checkouts, which are not orders yet: they are listed when
    a filter requests them. Those that have a problem are listed among the problems anyway.
    """
    return bool(filters.state or filters.status or filters.payment or filters.payment_status)


def _is_in_tab(kind: Facet, tab: Tab) -> bool:
    if tab is Tab.EVERYTHING:
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
