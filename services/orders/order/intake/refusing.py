"""Refusal of a submission: it is stored with its reasons, and the storefront that sent it is notified.

Invariant: a refusal goes to the sender of the submission, never to the shop it names; and a submission in
another's name claims no key, otherwise one storefront could use up another's.
"""

from collections.abc import Sequence
from functools import partial
from typing import cast
from uuid import UUID

from contracts.envelope import MAX_BODY_BYTES
from contracts.message import Reason
from contracts.orders.lifecycle import OrderRejected
from contracts.sale import Module
from contracts.storefront import OrderRefused, OrderSubmitted
from services.chassis.messaging.subscribers import ReceivedMessage, Refuse, Unreadable
from services.chassis.messaging.unit import Unit
from services.orders.order.intake.unread import unread_row
from services.orders.order.unit import measuring
from services.orders.order.unit.submissions import submission_store
from services.orders.order.unit.submissions.submission import Accepted, Claim, storefront_of
from services.orders.order.unit.submissions.submissions import reasons_json
from services.orders.order.unit.unit import OrderUnit

NO_ID = UUID(int=0)
MOST_BYTES = MAX_BODY_BYTES - 32 * 1024
"""Size limit of a submission: `OrderPlaced` repeats the sale and numbers its lines, and must still be small
enough to be read.
"""


def refuse(work: OrderUnit, received: ReceivedMessage[OrderSubmitted], reasons: Sequence[Reason]) -> None:
    """Store the submission with its reasons, publish the refusal, and answer."""
    sale = received.message
    _keep(work, received, sale.shop, sale.module, reasons)
    refused = OrderRefused(
        shop=sale.shop,
        module=sale.module,
        idempotency_key=sale.idempotency_key,
        source_reference=sale.source_reference,
        submission_id=received.envelope.id,
        reasons=list(reasons),
    )
    work.unit.answer_storefront(refused, shop=sale.shop, module=sale.module.value, cause=received.envelope)


def refuse_foreign(work: OrderUnit, received: ReceivedMessage[OrderSubmitted]) -> None:
    """Refuse a submission that a storefront sent in another's name; only the sender is notified."""
    sale = received.message
    shop, module = _sender(received.user_id)
    reason = Reason(
        code="not_your_shop",
        message=f"The login is {shop}/{module}, the order names {sale.shop}/{sale.module}; "
        "send each shop's orders with its own login.",
        field="shop" if shop != sale.shop else "module",
    )
    _keep(work, received, shop, module, [reason])
    refused = OrderRefused(
        shop=shop,
        module=module,
        idempotency_key=sale.idempotency_key,
        source_reference=sale.source_reference,
        submission_id=received.envelope.id,
        reasons=[reason],
    )
    work.unit.answer_storefront(refused, shop=shop, module=module, cause=received.envelope)


async def answer_unreadable(unit: Unit, unreadable: Unreadable) -> bool:
    """Notify a storefront that its submission is unreadable, and show it among the refused sales.

    Return whether it was notified; the message itself is kept. The sender is known from the login, which the
    broker guarantees, even if the envelope lacks it.
    """
    sender = storefront_of(unreadable.user_id)
    if unreadable.message not in (OrderSubmitted, None) or sender is None or sender[1] not in set(Module):
        return False
    shop, module = sender[0], Module(sender[1])
    submission_id, reasons = unreadable.event_id or NO_ID, list(unreadable.reasons)
    rejected, refused = (
        kind(shop=shop, module=module, submission_id=submission_id, reasons=reasons)
        for kind in (OrderRejected, OrderRefused)
    )
    unit.emit(rejected, cause=unreadable.envelope, shop=shop, subject=submission_id)
    unit.answer_storefront(refused, shop=shop, module=module, cause=unreadable.envelope)
    row = unread_row(shop, module, unreadable.event_id, reasons, unreadable.body)
    await submission_store.insert_refusals(unit.writes, [row], unit.now)
    unit.after_commit(partial(measuring.count_refused, shop, reasons))
    return True


def conflict(received: ReceivedMessage[OrderSubmitted], placed: Accepted, differing: Sequence[str]) -> Reason:
    """Return the reason that the key belongs to another purchase.

    With a new key, a sale that was changed since would be a second order.
    """
    return Reason(
        code="idempotency_conflict",
        message=f"The idempotency key {received.message.idempotency_key!r} placed order {placed.code} "
        f"({placed.order_id}) with other content (differing: {', '.join(differing)[:300]}). If this is the same "
        "purchase, it is placed: change that order in the back office. Only another purchase needs another key.",
        field="idempotency_key",
    )


def gone(received: ReceivedMessage[OrderSubmitted], claim: Claim) -> Reason:
    """Return the reason that the order placed with the key no longer exists."""
    return Reason(
        code="order_deleted",
        message=f"The idempotency key {received.message.idempotency_key!r} placed order {claim.submission_id}, "
        "which was deleted; send a new sale with a new key.",
        field="idempotency_key",
    )


def too_large(body_bytes: int) -> Reason:
    """Return the reason that the sale, as an order, would not fit into a message."""
    return Reason(
        code="sale_too_large",
        message=f"The sale takes {body_bytes} bytes, {MOST_BYTES} is the most; shorten its texts or split it.",
    )


def not_your_checkout(sale: OrderSubmitted, owner: str | None) -> Reason:
    """Return the reason that the checkout belongs to another module."""
    return Reason(
        code="not_your_checkout",
        message=f"Checkout {sale.checkout_id} is of the module {owner}, not of {sale.module}; "
        "give each checkout an id of its own.",
        field="checkout_id",
    )


def id_taken(received: ReceivedMessage[OrderSubmitted]) -> Reason:
    """Return the reason that the submission's checkout already names an order, or its event id an order or
    another message.
    """
    if received.message.checkout_id is not None and not received.reuses_id:
        return Reason(
            code="checkout_placed",
            message=f"Checkout {received.message.checkout_id} was placed already, under another idempotency key. "
            "If this is the same purchase, send it with that key; another purchase needs a checkout of its own.",
            field="checkout_id",
        )
    return Reason(
        code="submission_id_taken",
        message=f"The event id {received.envelope.id} was used before, for another message; send this sale with a new "
        "event id and the same idempotency key.",
    )


def _keep(
    work: OrderUnit,
    received: ReceivedMessage[OrderSubmitted],
    shop: str,
    module: Module,
    reasons: Sequence[Reason],
) -> None:
    sale, event_id = received.message, received.envelope.id
    rejected = OrderRejected(
        shop=shop,
        module=module,
        submission_id=event_id,
        idempotency_key=sale.idempotency_key,
        source_reference=sale.source_reference,
        reasons=list(reasons),
    )
    work.unit.emit(rejected, cause=received.envelope, shop=shop, subject=event_id)
    work.unit.after_commit(partial(measuring.count_refused, shop, reasons))
    content = work.intake.received(received)
    work.intake.refusals[shop, module, sale.idempotency_key, content.content_hash] = (
        submission_store.RefusalRow(
            shop=shop,
            submission_id=event_id,
            module=module,
            idempotency_key=sale.idempotency_key,
            source_reference=sale.source_reference,
            reasons=reasons_json(list(reasons)),
            body=content.body.decode(),
            content_hash=content.content_hash,
        )
    )


def _sender(user_id: str | None) -> tuple[str, Module]:
    shop, module = cast(tuple[str, str], storefront_of(user_id))
    try:
        return shop, Module(module)
    except ValueError:
        raise Refuse(
            "login_unknown", f"the login {user_id} names no module; create logins with the deploy step"
        ) from None
