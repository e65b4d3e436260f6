"""A staff decision on a webhook or on unmatched money: set aside with a reason, or applied again.

Money is set aside whole: later webhooks of the same payment are set aside as well, and staff are not asked
twice. It still joins an order that names the payment. Applying again revokes the decision.
"""

from uuid import UUID

from services.chassis.messaging.unit import Unit
from services.payments.accounts.unit import webhook_store
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, object_key
from services.payments.webhooks import aside_store
from services.payments.webhooks.aside_store import ObjectKey, StaffDecision


async def set_webhook_aside(unit: Unit, shop: str, webhook_id: UUID, decision: StaffDecision) -> list[UUID]:
    """Set a webhook aside, and all of its payment when it carries money. Return which; none if no decision is
    needed.
    """
    row = await aside_store.read_webhook(unit.connection, shop, webhook_id)
    if row is None:
        return []
    if row["object_id"] is not None and row["amount_minor"]:
        return await set_payment_aside(unit, (row["shop"], row["provider"], row["object_id"]), decision)
    return _ended(unit, await aside_store.end_one(unit.connection, webhook_id, decision))


async def set_payment_aside(unit: Unit, payment: ObjectKey, decision: StaffDecision) -> list[UUID]:
    """Set unmatched money aside. Return the webhooks that reported it; none if there is no such money."""
    await _lock(unit, payment)
    ended = await aside_store.end_payment(unit.connection, payment, decision)
    if ended:
        await aside_store.note_payment(unit.connection, payment, decision)
    return _ended(unit, ended)


async def look_again(unit: Unit, shop: str | None, webhook_id: UUID, actor: str) -> list[UUID]:
    """Apply a webhook again that is parked, was set aside by staff, or has money and names another shop.

    Return which; none when it is none of these. A payment that was set aside stays so unless one is read
    again.
    """
    row = await aside_store.read_webhook(unit.connection, shop, webhook_id)
    if row is None:
        return []
    payment = (row["shop"], row["provider"], row["object_id"]) if row["object_id"] is not None else None
    if payment is not None:
        await _lock(unit, payment)
    taken = await aside_store.take_back(unit.connection, webhook_id, payment, actor)
    if payment is not None and taken:
        await aside_store.forget_payment(unit.connection, payment)
    return taken


async def _lock(unit: Unit, payment: ObjectKey) -> None:
    shop, provider, object_id = payment
    await webhook_store.lock_keys(unit.connection, [(shop, object_key(provider, object_id))])


def _ended(unit: Unit, webhook_ids: list[UUID]) -> list[UUID]:
    for webhook_id in webhook_ids:
        unit.cancel_timer(UNMATCHED_TIMER, str(webhook_id))
    return webhook_ids
