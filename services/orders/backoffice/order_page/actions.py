"""What else can be done about an order beside its next step: the menu of its page, the destructive things last. Pure.

It offers what the order's state allows as far as it alone tells; each page says for itself what stands against it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.orders.archiving import FINISHED
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.order_page.steps import (
    UNPLACED,
    deletes_past_guards,
    may_be_cancelled,
    may_be_reinstated,
)
from services.orders.backoffice.translating import N_
from services.orders.documents import OrderShown


@dataclass(frozen=True)
class Action:
    """An entry of the menu: what it says (marked for translation) and where it leads; `posts`: by a form."""

    text: str
    href: str
    icon: str = ""
    posts: bool = False
    is_danger: bool = False


def offered(order: OrderShown, may: Callable[[Permission], bool]) -> list[Action]:
    """What this person may do about this order."""
    path = f"/orders/{order.code}"
    found = [
        (Permission.ORDERS_EDIT, may_be_cancelled(order), _EDIT),
        (Permission.PAYMENTS_REFUND, order.money.received_minor > 0, _REFUND),
        (Permission.ORDERS_CANCEL, may_be_reinstated(order), _REINSTATE),
        (Permission.ORDERS_ARCHIVE, order.archived_at is None and order.state in FINISHED, _ARCHIVE),
        (Permission.ORDERS_ARCHIVE, order.archived_at is not None, _UNARCHIVE),
        (Permission.ORDERS_VIEW, True, _PRINT),
        (Permission.ORDERS_CANCEL, may_be_cancelled(order), _CANCEL),
        (Permission.ORDERS_DELETE, _may_be_deleted(order, may), _DELETE),
    ]
    return [_of(path, action) for demand, is_offered, action in found if is_offered and may(demand)]


def offered_beside(order: OrderShown, may: Callable[[Permission], bool]) -> list[Action]:
    """What this person may do about an order that they see beside the list: its next steps, its tags, and the rest."""
    path = f"/orders/{order.code}"
    found = [
        (Permission.PARCELS_PACK, order.units_to_pack > 0, _PACK),
        (Permission.PARCELS_SHIP, order.units_to_ship > 0, _SHIP),
        (Permission.ORDERS_TAG, True, _TAGS),
    ]
    first = [_of(path, action) for demand, is_offered, action in found if is_offered and may(demand)]
    return [*first, *offered(order, may)]


_PACK = Action(N_("Pack"), "#parcels", "parcels")
_SHIP = Action(N_("Ship"), "#shipments", "parcels")
_TAGS = Action(N_("Tags"), "/tags", "tag")
_EDIT = Action(N_("Edit the order"), "/edit", "edit")
_REFUND = Action(N_("Refund"), "/refund", "payments")
_ARCHIVE = Action(N_("Archive"), "/archive", "archive", posts=True)
_UNARCHIVE = Action(N_("Take out of the archive"), "/unarchive", "archive", posts=True)
_REINSTATE = Action(N_("Reinstate the order"), "/reinstatement", "back")
_PRINT = Action(N_("Print"), "/print", "print")
_CANCEL = Action(N_("Cancel the order"), "/cancellation", "close", is_danger=True)
_DELETE = Action(N_("Delete the order"), "/deletion", "trash", is_danger=True)


def _of(path: str, action: Action) -> Action:
    return Action(action.text, path + action.href, action.icon, action.posts, action.is_danger)


def _may_be_deleted(order: OrderShown, may: Callable[[Permission], bool]) -> bool:
    if order.state in UNPLACED:
        return False
    return may(Permission.ORDERS_DELETE_PAID) or not deletes_past_guards(order)
