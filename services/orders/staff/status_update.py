"""A requested status update, and the rules under which it is refused."""

from dataclasses import dataclass

from contracts.orders.lifecycle import OrderState
from services.chassis.texts import is_blank
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.state import Move, automatic_state, move_by_hand
from services.orders.staff.labels import Label

LONGEST_PUBLIC_COMMENT = 2000
NOT_PLACED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """Requested status update.

    `reason` explains why the rules are overridden (`force`); it and the admin comment are internal, the
    public comment is included in the mail.
    """

    label: str
    notify_customer: bool = False
    public_comment: str | None = None
    admin_comment: str | None = None
    force: bool = False
    reason: str | None = None


class StatusRefused(Refusal):
    """Error: the order cannot be given this status; `from_`, `to` are the states."""

    def __init__(self, order: Order, to: OrderState, why: str) -> None:
        super().__init__(f"order {order.code} is {order.state}, {to} was asked: {why}")
        self.order_id, self.from_, self.to = order.id, order.state, to


class StatusLocked(StatusRefused):
    """Error: the customer is at the checkout."""

    code = "status_locked"
    status = 409


class StatusNotByHand(StatusRefused):
    """Error: the move belongs to another action: cancelling, reinstating, placing."""

    code = "status_not_by_hand"


class ForceNeeded(StatusRefused):
    """Error: the order's facts contradict the status; the permission to force a status is required."""

    code = "status_needs_force"


class ReasonNeeded(StatusRefused):
    """Error: a forced status requires a reason."""

    code = "status_needs_reason"


class ProofNeeded(StatusRefused):
    """Error: no fact proves that the order arrived, and an admin comment must state the proof."""

    code = "status_needs_proof"


class NothingToUpdate(StatusRefused):
    """Error: the order has this status already and the update has no comment."""

    code = "status_is_this"


class CannotNotify(StatusRefused):
    """Error: the order was never placed, so its customer cannot be notified."""

    code = "customer_not_told"


class PublicCommentTooLong(Refusal):
    """Error: the public comment does not fit into a mail."""

    code = "public_comment_too_long"

    def __init__(self, length: int) -> None:
        super().__init__(
            f"the public comment has {length} characters; at most {LONGEST_PUBLIC_COMMENT} can be sent"
        )


def check(order: Order, label: Label, update: StatusUpdate, *, may_force: bool) -> bool:
    """Return whether the update overrides the rules. Raises StatusRefused when it is not allowed."""
    facts = order.facts()
    automatic = automatic_state(facts)
    move = move_by_hand(facts, label.state)
    if move is Move.LOCKED:
        raise StatusLocked(order, label.state, "the customer is at the checkout; wait until that is over")
    if move is Move.IMPOSSIBLE:
        raise StatusNotByHand(
            order,
            label.state,
            "cancel, reinstate or place the order instead; a status moves no money and no stock",
        )
    if update.notify_customer and automatic in NOT_PLACED:
        raise CannotNotify(order, label.state, "the order was never placed; leave the tick out")
    says_something = update.notify_customer or update.admin_comment or update.public_comment
    if (order.state, order.label) == (label.state, label.key) and not says_something:
        raise NothingToUpdate(
            order, label.state, "it has this status already; write a comment or choose another"
        )
    if move is Move.NEEDS_PROOF and is_blank(update.admin_comment or ""):
        raise ProofNeeded(
            order, label.state, "no delivery is recorded; state in the admin comment how it is known"
        )
    if move is not Move.NEEDS_FORCE:
        return False
    if not (update.force and may_force):
        raise ForceNeeded(
            order,
            label.state,
            "the order's facts speak against it; it takes the right orders.force and a reason",
        )
    if is_blank(update.reason or ""):
        raise ReasonNeeded(order, label.state, "give the reason why it is forced")
    return True
