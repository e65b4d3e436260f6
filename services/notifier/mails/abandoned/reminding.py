"""Abandoned checkouts: the reminder is planned, and sent when its time has come, if the shop wants that."""

from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.orders.lifecycle import CheckoutAbandoned
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.messaging.unit import Unit
from services.notifier.mails.abandoned.reminder import TIMER, due_at, is_too_late
from services.notifier.mails.abandoned.store import timer_key
from services.notifier.mails.causes.drafting import shop_of
from services.notifier.mails.mail import Mail, Template, mail_id, message_id
from services.notifier.mails.needs import MailNeeds
from services.notifier.mails.rules.rule import ABANDONED_AFTER_MINUTES, is_on, rules_at
from services.notifier.mails.unit import MailUnit

_SHOWN = {"code", "locale", "currency", "total_minor", "resume_url"}


def checkout_abandoned(work: MailUnit, received: ReceivedMessage[CheckoutAbandoned]) -> None:
    """Plan a reminder, if the shop wanted that when the checkout was abandoned and its customer left an address.

    Abandoned again, the reminder is moved. In a replay nothing is planned: its time is over.
    """
    abandoned = received.message
    shop_of(work, abandoned.shop)
    customer = abandoned.customer
    rules = rules_at(work.rules.of(abandoned.shop), received.envelope.time)
    if not is_on(Template.CHECKOUT_ABANDONED, rules) or not work.unit.has_effects:
        return
    if customer is None or not customer.email:
        return
    due = due_at(abandoned.abandoned_at, rules.abandoned_after_minutes if rules else ABANDONED_AFTER_MINUTES)
    payload = {
        **abandoned.model_dump(mode="json", include=_SHOWN),
        "shop": abandoned.shop,
        "order_id": str(abandoned.order_id),
        "email": customer.email,
        "name": customer.name or "",
        "due_at": due.isoformat(),
    }
    work.unit.set_timer(TIMER, timer_key(abandoned.shop, abandoned.order_id), due, payload)


async def remind(unit: Unit, _: str, payload: dict[str, Any]) -> None:
    """Send the reminder, unless the order was placed meanwhile or the mail was switched off. The timer's handler."""
    key = payload["shop"], UUID(payload["order_id"])
    work = MailUnit(unit)
    await work.load(MailNeeds(recipients={key}, once={key[1]}))
    is_late = is_too_late(datetime.fromisoformat(payload["due_at"]), unit.now)
    if work.recipient(*key) is None and not is_late:
        work.decide(_mail(work, key[1], payload))
    await work.save()


def _mail(work: MailUnit, order_id: UUID, payload: dict[str, Any]) -> Mail:
    shop, template, to = shop_of(work, payload["shop"]), Template.CHECKOUT_ABANDONED, payload["email"]
    identifier = mail_id(shop.shop, order_id, to, template)
    return Mail(
        id=identifier,
        shop=shop.shop,
        order_id=order_id,
        code=payload["code"],
        cause_id=order_id,
        template=template,
        recipient=to,
        locale=payload["locale"],
        message_id=message_id(identifier, shop.from_email),
        context={name: payload.get(name) for name in ("name", "currency", "total_minor", "resume_url")},
        created_at=work.unit.now,
    )
