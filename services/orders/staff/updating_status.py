"""Status updates of orders by staff: rows A20, A28 and A29 of the mission.

Invariant: the state that staff set is stored beside the automatic state at that time (`HandSet`), never instead of
it; it therefore applies until a fact changes the automatic state, and rows do not depend on the order of messages.
Anything that moves money or stock is never a status update. The customer is notified only if that was ticked; the
admin comment stays internal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import uuid7
from contracts.orders.lifecycle import Buyer, OrderState, StatusUpdated
from services.chassis.messaging.unit import Unit
from services.chassis.texts import trimmed
from services.orders.order.history import require_revision
from services.orders.order.record import Order
from services.orders.order.state import HandSet, automatic_label, automatic_state
from services.orders.order.unit.actions import OrderResult, OrderUnknown, Rejection, each_order, open_orders
from services.orders.order.unit.unit import OrderUnit
from services.orders.staff import comment_store, label_store, status_store
from services.orders.staff.commenting import usable
from services.orders.staff.labelling import LabelUnknown
from services.orders.staff.labels import Label, combined
from services.orders.staff.status_update import (
    LONGEST_PUBLIC_COMMENT,
    PublicCommentTooLong,
    StatusRefused,
    StatusUpdate,
    check,
)


@dataclass(frozen=True, slots=True)
class Updated:
    """Order after the update."""

    order_id: UUID
    state: OrderState
    label: str
    revision: int
    event_id: UUID


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
    """Set the status of one order.

    `may_force`: whether the person has the permission `orders.force`; `revision`: the one their form was built
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
    """Set the status of many orders; those for which it is refused are skipped with the reason.

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


class _Updating:
    """One update in progress on the orders of a unit of work."""

    def __init__(
        self, work: OrderUnit, label: Label, update: StatusUpdate, actor: str, may_force: bool
    ) -> None:
        self._work, self._label, self._update, self._actor = work, label, update, actor
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
        message = StatusUpdated(
            shop=order.shop,
            order_id=order.id,
            code=order.code,
            previous=previous,
            state=self._label.state,
            label=self._label.key,
            label_texts=dict(self._label.texts),
            is_forced=is_forced,
            notify_customer=self._update.notify_customer,
            public_comment=trimmed(self._update.public_comment or "") or None,
            customer=buyer,
            locale=locale,
            actor=self._actor,
        )
        event = self._work.unit.emit(message, about=order)
        data = message.model_dump(
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
        self._work.note(order.shop, order.id, "status_updated", event.id, self._actor, event, data)
        self._work.changed(order, event, self._actor)
        return event.id

    async def save(self) -> None:
        """Write the orders and the comments."""
        if self._comments:
            await comment_store.insert_comments(self._work.unit.connection, self._comments)
        await self._work.save()

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
            written_at=self._work.unit.now,
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
    await label_store.lock_labels_shared(unit.connection, shop)
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
