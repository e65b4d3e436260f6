"""Admin comments: internal remarks of staff about an order.

Invariant: the text of an admin comment is stored in the table `comment` only. It is in no message, so in no
event log and no outbox, and no mail can quote it; the activity refers to the comment, and its text is joined when
a user with the permission reads it. A comment is never edited or deleted: a wrong one is corrected by another.
"""

from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.messaging.unit import Unit
from services.chassis.texts import trimmed
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.unit.actions import OrderUnknown, new_action, open_orders
from services.orders.staff import comment_store

COMMENT = "orders.order.comment"
LONGEST_COMMENT = 4000


class CommentUnusable(Refusal):
    """Error: a comment is empty or too long."""

    code = "comment_unusable"

    def __init__(self, length: int) -> None:
        super().__init__(f"the comment has {length} characters; write 1 to {LONGEST_COMMENT}")


class CommentUnknown(Refusal):
    """Error: the comment to be corrected is not one of this order's."""

    code = "comment_unknown"
    status = 404

    def __init__(self, order: Order, comment_id: UUID) -> None:
        super().__init__(f"order {order.code} has no comment {comment_id}; look at its activity again")


async def comment(
    unit: Unit, shop: str, order_id: UUID, text: str, actor: str, counters: UUID | None = None
) -> UUID:
    """Write a comment on an order and return its id; `counters` is the comment it corrects.

    Raises OrderUnknown, CommentUnusable, CommentUnknown.
    """
    work = await open_orders(unit, shop, [order_id])
    order = work.orders.get((shop, order_id))
    if order is None:
        raise OrderUnknown(shop, order_id)
    if counters and not await comment_store.has_comment(unit.connection, shop, order_id, counters):
        raise CommentUnknown(order, counters)
    cause, written = new_action(unit, COMMENT, actor), uuid7()
    row = comment_store.CommentRow(
        shop=shop,
        order_id=order_id,
        comment_id=written,
        text=usable(text),
        counters=counters,
        written_by=actor,
        written_at=unit.now,
    )
    await comment_store.insert_comments(unit.connection, [row])
    data = {"comment_id": str(written), **({"counters": str(counters)} if counters else {})}
    work.note(shop, order_id, "comment_added", written, actor, cause, data)
    work.changed(order, cause, actor)
    await work.save()
    return written


def usable(text: str) -> str:
    """Return the comment without surrounding spaces. Raises CommentUnusable."""
    text = trimmed(text.replace("\0", ""))
    if not 1 <= len(text) <= LONGEST_COMMENT:
        raise CommentUnusable(len(text))
    return text
