"""Further actions on an order beside its next step: the menu of its page, its row in the list and «Infos».

Destructive actions come last. The menu offers what the order's own state allows; each page checks and shows
further obstacles. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts.orders.lifecycle import OrderState
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_
from services.orders.backoffice.order.steps import UNPLACED, deletes_past_guards, may_be_reinstated
from services.orders.listing.documents import OrderResponse
from services.orders.listing.payments_left import left_of_received
from services.orders.order.state import SET_BY_HAND
from services.orders.staff.archiving import FINISHED


@dataclass(frozen=True)
class Action:
    """An entry of the menu: its label (marked for translation) and its address; `posts`: by a form."""

    text: str
    href: str
    icon: str = ""
    posts: bool = False
    is_danger: bool = False


@dataclass(frozen=True)
class Facts:
    """The facts of an order that decide its menu, from its page or from its row of the list.

    `left_minor`: the amount received and not returned; `is_guarded`: deleting the order requires the
    permission to delete orders with money, tracking or completion.
    """

    code: str
    state: OrderState
    is_archived: bool
    units_to_pack: int
    units_to_ship: int
    left_minor: int
    is_reinstatable: bool
    is_guarded: bool


def facts_of(order: OrderResponse) -> Facts:
    """Return the facts of a completely read order."""
    return Facts(
        code=order.code,
        state=OrderState(order.state),
        is_archived=order.archived_at is not None,
        units_to_pack=order.units_to_pack,
        units_to_ship=order.units_to_ship,
        left_minor=left_of_received(order),
        is_reinstatable=may_be_reinstated(order),
        is_guarded=deletes_past_guards(order),
    )


def facts_of_row(row: Mapping[str, Any]) -> Facts:
    """Return the facts of a row of `read_rows`."""
    state = OrderState(row["state"])
    has_money = bool(row["received_minor"] or row["marked_minor"] or row["has_refunds"])
    return Facts(
        code=row["code"],
        state=state,
        is_archived=row["archived_at"] is not None,
        units_to_pack=row["units_to_pack"],
        units_to_ship=row["units_to_ship"],
        left_minor=max(0, row["received_minor"] - row["refunded_minor"] - row["marked_minor"]),
        is_reinstatable=row["is_reinstatable"],
        is_guarded=has_money or row["is_tracked"] or state is OrderState.COMPLETED,
    )


def offered(order: Facts, may: Callable[[Permission], bool]) -> list[Action]:
    """Return the actions this user may perform on this order."""
    found = [
        (Permission.ORDERS_EDIT, order.state in SET_BY_HAND, _EDIT),
        (Permission.PAYMENTS_REFUND, order.left_minor > 0, _REFUND),
        (Permission.ORDERS_CANCEL, order.is_reinstatable, _REINSTATE),
        (Permission.ORDERS_ARCHIVE, not order.is_archived and order.state in FINISHED, _ARCHIVE),
        (Permission.ORDERS_ARCHIVE, order.is_archived, _UNARCHIVE),
        (Permission.ORDERS_VIEW, True, _PRINT),
        (Permission.ORDERS_CANCEL, order.state in SET_BY_HAND, _CANCEL),
        (Permission.ORDERS_DELETE, _may_be_deleted(order, may), _DELETE),
    ]
    return _allowed(order, found, may)


def offered_beside(order: Facts, may: Callable[[Permission], bool]) -> list[Action]:
    """Return the actions this user may perform on an order from its row or «Infos»: next steps, tags,
    its conversation, and the others.
    """
    found = [
        (Permission.PARCELS_PACK, order.units_to_pack > 0, _PACK),
        (Permission.PARCELS_SHIP, order.units_to_ship > 0, _SHIP),
        (Permission.ORDERS_TAG, True, _TAGS),
        (Permission.CONVERSATION_READ, True, _CONVERSATION),
    ]
    return [*_allowed(order, found, may), *offered(order, may)]


_PACK = Action(N_("Pack"), "#parcels", "parcels")
_SHIP = Action(N_("Ship"), "#shipments", "parcels")
_TAGS = Action(N_("Tags"), "/tags", "tag")
_CONVERSATION = Action(N_("Conversation"), "/conversation", "comment")
_EDIT = Action(N_("Edit the order"), "/edit", "edit")
_REFUND = Action(N_("Refund"), "/refund", "payments")
_ARCHIVE = Action(N_("Archive"), "/archive", "archive", posts=True)
_UNARCHIVE = Action(N_("Unarchive"), "/unarchive", "archive", posts=True)
_REINSTATE = Action(N_("Reinstate the order"), "/reinstatement", "back")
_PRINT = Action(N_("Print"), "/print", "print")
_CANCEL = Action(N_("Cancel the order"), "/cancellation", "close", is_danger=True)
_DELETE = Action(N_("Delete the order"), "/deletion", "trash", is_danger=True)


def _allowed(
    order: Facts, found: Sequence[tuple[Permission, bool, Action]], may: Callable[[Permission], bool]
) -> list[Action]:
    return [
        replace(action, href=f"/orders/{order.code}{action.href}")
        for demand, is_offered, action in found
        if is_offered and may(demand)
    ]


def _may_be_deleted(order: Facts, may: Callable[[Permission], bool]) -> bool:
    if order.state in UNPLACED:
        return False
    return may(Permission.ORDERS_DELETE_PAID) or not order.is_guarded
