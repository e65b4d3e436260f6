"""Status updates of orders by a person: A20, A28, A29 of the guide.

Invariant: the state a person sets is stored beside the automatic state of that time (`HandSet`), never
instead of it; so it holds until a fact changes the automatic state, and rows do not depend on the order of
messages. Anything that moves money or stock is never a status update. The customer is notified only if that
was ticked; the admin comment stays internal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import uuid7
from contracts.orders import Buyer, OrderState, StatusUpdated
from services.chassis.messaging.unit import Unit
from services.orders.order.history import require_revision
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.state import HandSet, Move, automatic_label, automatic_state, move_by_hand
from services.orders.order.unit.actions import OrderResult, OrderUnknown, Rejection, each_order, open_orders
from services.orders.order.unit.unit import OrderUnit
from services.orders.staff import comment_store, label_store, status_store
from services.orders.staff.commenting import usable
from services.orders.staff.labelling import LabelUnknown
from services.orders.staff.labels import Label, combined

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


@dataclass(frozen=True, slots=True)
class Updated:
    """Order after the update."""

    order_id: UUID
    state: OrderState
    label: str
    revision: int
    event_id: UUID


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
    """Error: the facts contradict it; the right to force a status is required."""

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


async def update_status(
    unit: Unit,
    shop: str,
    order_id: UUID,
    update: StatusUpdate,
    actor: str,
    *,
    may_force: bool = False,
    revision: int | None = None,
) -> Updated:
    """Give one order a status.

    `may_force`: whether the person has the right `orders.force`; `revision`: the one their form was built
    from, None for no check.

    Raises OrderUnknown, LabelUnknown, Stale, StatusRefused and its subclasses, CommentUnusable,
    PublicCommentTooLong.
    """
    work = await open_orders(unit, shop, [order_id])
    order = work.orders.get((shop, order_id))
    if order is None:
        raise OrderUnknown(shop, order_id)
    await require_revision(unit.connection, order, revision)
    updating = await _begin(unit, work, shop, [order_id], update, actor, may_force)
    event_id = updating.apply(order)
    await updating.save()
    assert order.state is not None
    return Updated(order.id, order.state, order.label, order.revision, event_id)


async def update_statuses(
    unit: Unit,
    shop: str,
    order_ids: Sequence[UUID],
    update: StatusUpdate,
    actor: str,
    *,
    may_force: bool = False,
) -> list[OrderResult]:
    """Give many orders a status; those that cannot have it are skipped with the reason.

    Raises LabelUnknown, TooManyOrders, CommentUnusable, PublicCommentTooLong.
    """
    work = await open_orders(unit, shop, order_ids)
    updating = await _begin(unit, work, shop, order_ids, update, actor, may_force)

    def change(order: Order) -> Rejection | None:
        try:
            updating.apply(order)
        except StatusRefused as refused:
            return Rejection(refused.code, str(refused))
        return None

    results = each_order(work, shop, order_ids, change)
    await updating.save()
    return results


def check(order: Order, label: Label, update: StatusUpdate, *, may_force: bool) -> bool:
    """Return whether the rules have to be overridden for this. Raises StatusRefused when they cannot be."""
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
    if move is Move.NEEDS_PROOF and not (update.admin_comment or "").strip():
        raise ProofNeeded(
            order, label.state, "no delivery is recorded; say in the admin comment how it is known"
        )
    if move is not Move.NEEDS_FORCE:
        return False
    if not (update.force and may_force):
        raise ForceNeeded(
            order,
            label.state,
            "the order's facts speak against it; it takes the right orders.force and a reason",
        )
    if not (update.reason or "").strip():
        raise ReasonNeeded(order, label.state, "give the reason why it is forced")
    return True


class _Updating:
    """One update in progress on the orders of a unit of work."""

    def __init__(
        self, work: OrderUnit, label: Label, update: StatusUpdate, actor: str, may_force: bool
    ) -> None:
        self._book, self._label, self._update, self._actor = work, label, update, actor
        self._may_force = may_force
        self._comments: list[comment_store.CommentRow] = []
        self.customers: Mapping[UUID, tuple[Buyer, str]] = {}

    def apply(self, order: Order) -> UUID:
        """Give the order the status and return the event's id.

        Raises StatusRefused before anything is changed.
        """
        is_forced = check(order, self._label, self._update, may_force=self._may_force)
        previous = order.state
        assert previous is not None
        order.hand = self._hand(order)
        buyer, locale = self.customers.get(order.id, (None, None))
        said = StatusUpdated(
            shop=order.shop,
            order_id=order.id,
            code=order.code,
            previous=previous,
            state=self._label.state,
            label=self._label.key,
            label_texts=dict(self._label.texts),
            is_forced=is_forced,
            notify_customer=self._update.notify_customer,
            public_comment=(self._update.public_comment or "").strip() or None,
            customer=buyer,
            locale=locale,
            actor=self._actor,
        )
        event = self._book.unit.emit(said, about=order)
        data = said.model_dump(
            mode="json",
            exclude_none=True,
            include={
                "previous",
                "state",
                "label",
                "label_texts",
                "is_forced",
                "notify_customer",
                "public_comment",
            },
        )
        if is_forced and self._update.reason:
            data["reason"] = self._update.reason.strip()[:LONGEST_PUBLIC_COMMENT]
        if self._update.admin_comment:
            data["comment_id"] = str(self._comment(order))
        self._book.note(order.shop, order.id, "status_updated", event.id, self._actor, event, data)
        self._book.changed(order, event, self._actor)
        return event.id

    async def save(self) -> None:
        """Write the orders and the comments."""
        if self._comments:
            await comment_store.insert_comments(self._book.unit.connection, self._comments)
        await self._book.save()

    def _hand(self, order: Order) -> HandSet | None:
        """Return the state to store; None when it equals the automatic one."""
        facts = order.facts()
        automatic = automatic_state(facts)
        if (self._label.state, self._label.key) == (automatic, automatic_label(automatic, facts)):
            return None
        return HandSet(self._label.state, self._label.key, automatic)

    def _comment(self, order: Order) -> UUID:
        written = uuid7()
        row = comment_store.CommentRow(
            shop=order.shop,
            order_id=order.id,
            comment_id=written,
            text=usable(self._update.admin_comment or ""),
            counters=None,
            written_by=self._actor,
            written_at=self._book.unit.now,
        )
        self._comments.append(row)
        return written


async def _begin(
    unit: Unit,
    work: OrderUnit,
    shop: str,
    order_ids: Sequence[UUID],
    update: StatusUpdate,
    actor: str,
    may_force: bool,
) -> _Updating:
    if len(update.public_comment or "") > LONGEST_PUBLIC_COMMENT:
        raise PublicCommentTooLong(len(update.public_comment or ""))
    if update.admin_comment:
        usable(update.admin_comment)
    await label_store.share_labels(unit.connection, shop)
    labels = combined(await label_store.read_labels(unit.connection, shop))
    label = labels.by_key.get(update.label)
    if label is None or label.is_deleted:
        raise LabelUnknown(shop, update.label)
    updating = _Updating(work, label, update, actor, may_force)
    if update.notify_customer:
        rows = await status_store.read_customers(unit.connection, shop, order_ids)
        updating.customers = {row["order_id"]: _customer(row) for row in rows}
    return updating


def _customer(row: status_store.Row) -> tuple[Buyer, str]:
    buyer = Buyer(name=row["customer_name"], email=row["customer_email"], phone=row["customer_phone"])
    return buyer, row["locale"]
