"""Erasure in the notifier: who mails went to, what they held, and what was written to and by the customer.

That there were mails, and what became of them, stays. Mails that were not sent yet are never sent.
"""

from collections.abc import Sequence
from typing import Any

from contracts.notifier.conversation import MailFiled
from services.chassis.messaging.erasure.erasing import Eraseable, Erasure
from services.chassis.messaging.erasure.redacting import redact
from services.chassis.messaging.unit import Unit
from services.notifier.conversation import erasure_store
from services.notifier.conversation.store import forget_threads
from services.notifier.mails import erasure_store as recipient_erasure
from services.notifier.mails.abandoned.store import delete_reminders
from services.notifier.sending.bounces.store import hide_suppressed


async def _erase_mails(unit: Unit, pass_: Erasure) -> None:
    keys = [(pass_.shop, order_id) for order_id in pass_.orders]
    pass_.counts["mail"] += await recipient_erasure.count_named(unit.connection, keys)
    await hide_suppressed(unit.connection, pass_.shop, pass_.person.addresses)
    await recipient_erasure.forget_orders(unit.connection, dict.fromkeys(keys, unit.now), unit.now)
    answers = await recipient_erasure.read_answers(unit.connection, keys)
    changed = [(key, new) for key, detail in answers if (new := _without(detail, pass_)) != detail]
    await recipient_erasure.write_answers(unit.connection, changed)
    pass_.counts["effect"] += len(changed)
    pass_.counts["timer"] += await delete_reminders(unit.connection, keys)


def _without(detail: str, pass_: Erasure) -> str:
    without: str = redact({"detail": detail}, pass_.person)["detail"]
    return without


async def _texts(unit: Unit, pass_: Erasure) -> Sequence[Any]:
    """Return the customer's names and addresses. Those of earlier mails are on no order any more after an edit."""
    found = await erasure_store.read_addresses(unit.connection, pass_.shop, pass_.orders)
    return [{"customer_name": name, "customer_email": address} for name, address in found]


async def _erase_conversations(unit: Unit, pass_: Erasure) -> None:
    connection, keys = unit.connection, [(pass_.shop, order_id) for order_id in pass_.orders]
    pass_.counts["message"] += await erasure_store.count_written(connection, pass_.shop, pass_.orders)
    await forget_threads(connection, keys)
    if addresses := sorted({text.lower() for text in pass_.person.addresses}):
        erased, aside = await erasure_store.erase_unfiled(connection, pass_.shop, addresses, unit.now)
        pass_.counts["inbound_mail"] += erased
        for inbound_id in aside:
            unit.emit(
                MailFiled(shop=pass_.shop, inbound_id=inbound_id, filed_by="notifier", filed_at=unit.now)
            )


async def _rest(unit: Unit, pass_: Erasure) -> None:
    await _erase_conversations(unit, pass_)
    await _erase_mails(unit, pass_)


_BY_REST = (
    *("addressee", "mail", "page_link", "recap_hold"),
    *("thread", "participant", "customer_address", "message", "inbound_mail"),
)
ERASEABLE = Eraseable(first="addressee", kept=_BY_REST, texts=_texts, rest=_rest)
"""What the notifier erases beside its tables with rows about orders."""
