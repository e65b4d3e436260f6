"""The notifier's events about conversations: each thread's state and last message, and the outcome of received mails.

The texts stay with the notifier. Invariant: a thread's row holds the highest version received, so it does not matter
which of two events about one thread arrives first.
"""

from contracts.notifier.conversation import (
    MailFiled,
    MailReceived,
    MessagePosted,
    ParticipantAdded,
    ParticipantRemoved,
    ThreadChange,
    ThreadChanged,
    ThreadSummary,
)
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.conversation.thread_store import ReceivedMailRow, ThreadRow, completed, merged
from services.orders.order.record import Order
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes

_KINDS = {
    ThreadChange.CLOSE: "thread_closed",
    ThreadChange.REOPEN: "thread_reopened",
    ThreadChange.ASSIGN: "thread_assigned",
}
"""Changes that the activity shows; marking as read is not among them."""


def copy_message(work: OrderUnit, received: ReceivedMessage[MessagePosted]) -> None:
    """Copy the thread's state and its last message, and record the activity. Raises Wait for an unknown order.

    Idempotent: a repeat, or an older version, changes nothing.
    """
    posted, cause = received.message, received.envelope
    order = work.find(posted.shop, posted.order_id)
    row = _row(order, posted.thread)
    if not posted.is_automatic:
        row = row._replace(
            message_version=posted.thread.version,
            last_role=posted.author_role,
            last_author=posted.author,
            excerpt=posted.excerpt,
        )
    _keep(work, row)
    kind = "automatic_mail_received" if posted.is_automatic else "message_posted"
    data = {"author": posted.author, "author_role": posted.author_role, "via": posted.via}
    work.note(order.shop, order.id, kind, posted.message_id, posted.author, cause, data)
    outcomes.settle(work, received)


def copy_change(work: OrderUnit, received: ReceivedMessage[ThreadChanged]) -> None:
    """Copy the thread's state, and record the activity. Raises Wait for an unknown order."""
    changed, cause = received.message, received.envelope
    order = work.find(changed.shop, changed.order_id)
    _keep(work, _row(order, changed.thread))
    if kind := _KINDS.get(changed.change):
        data = {"assignee": changed.thread.assignee or "–"}
        work.note(order.shop, order.id, kind, cause.id, changed.changed_by, cause, data)
    outcomes.settle(work, received)


def note_participant(work: OrderUnit, received: ReceivedMessage[ParticipantAdded]) -> None:
    """Record that an address was recognised as the customer's. Raises Wait for an unknown order."""
    added = received.message
    _note_address(work, received, "participant_added", added.added_by, added.address)


def note_removed_participant(work: OrderUnit, received: ReceivedMessage[ParticipantRemoved]) -> None:
    """Record that an address does not count as the customer's any more. Raises Wait for an unknown order."""
    removed = received.message
    _note_address(work, received, "participant_removed", removed.removed_by, removed.address)


def note_received(work: OrderUnit, received: ReceivedMessage[MailReceived]) -> None:
    """Copy the outcome of a received mail. It waits for no order: most mails to be filed refer to none."""
    mail = received.message
    row = ReceivedMailRow(
        shop=mail.shop,
        inbound_id=mail.inbound_id,
        order_id=mail.order_id,
        outcome=mail.outcome,
        reason=mail.reason,
        received_at=mail.received_at,
        filed_at=None,
        filed_by=None,
    )
    _complete(work, row)


def note_filed(work: OrderUnit, received: ReceivedMessage[MailFiled]) -> None:
    """Copy the order under which staff filed a received mail, or that it was set aside. Its message follows."""
    filed = received.message
    row = ReceivedMailRow(
        shop=filed.shop,
        inbound_id=filed.inbound_id,
        order_id=filed.order_id,
        outcome=None,
        reason=None,
        received_at=None,
        filed_at=filed.filed_at,
        filed_by=filed.filed_by,
    )
    _complete(work, row)
    outcomes.settle(work, received)


def _note_address(
    work: OrderUnit,
    received: ReceivedMessage[ParticipantAdded] | ReceivedMessage[ParticipantRemoved],
    kind: str,
    actor: str,
    address: str,
) -> None:
    message, cause = received.message, received.envelope
    order = work.find(message.shop, message.order_id)
    work.note(order.shop, order.id, kind, cause.id, actor, cause, {"address": address})
    outcomes.settle(work, received)


def _row(order: Order, thread: ThreadSummary) -> ThreadRow:
    return ThreadRow(
        shop=order.shop,
        order_id=order.id,
        version=thread.version,
        state=thread.state,
        unread=thread.unread,
        last_at=thread.last_at,
        assignee=thread.assignee,
        message_version=0,
        last_role=None,
        last_author=None,
        excerpt=None,
    )


def _keep(work: OrderUnit, row: ThreadRow) -> None:
    key = row.shop, row.order_id
    known = work.threads.get(key)
    work.threads[key] = merged(known, row) if known else row


def _complete(work: OrderUnit, row: ReceivedMailRow) -> None:
    key = row.shop, row.inbound_id
    known = work.received_mails.get(key)
    work.received_mails[key] = completed(known, row) if known else row
