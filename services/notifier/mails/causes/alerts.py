"""Warnings to the merchant: stock runs low, money has no order, a recorded refund is not confirmed, a dispute is due.

Each is mailed once per cause. Stock may run low again after it rose; money that several reports name, and a
deadline that several events repeat, are one cause, whose id is derived from what they name.
"""

from typing import Any
from uuid import UUID

from contracts.fulfillment.stock import StockRanLow
from contracts.payments.accounts import PaymentUnmatched
from contracts.payments.disputes import DisputeOpened, DisputeUpdated
from contracts.payments.refunds import RefundMarkOverdue
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.abandoned.reminder import TIMER
from services.notifier.mails.abandoned.store import timer_key
from services.notifier.mails.causes.cause_ids import deadline_cause, money_cause
from services.notifier.mails.causes.drafting import About, as_json, draft, recipient_of, shop_of
from services.notifier.mails.mail import Template
from services.notifier.mails.unit import MailUnit

_SHOWN_OF_STOCK = {"sku", "available", "threshold"}
_SHOWN_OF_MONEY = {"provider", "provider_reference", "amount_minor", "currency", "received_at"}
_SHOWN_OF_A_REFUND = {"amount_minor", "currency", "asked_at", "actor"}
_SHOWN_OF_A_DISPUTE = {"provider", "provider_reference", "amount_minor", "currency", "due_at"}


def stock_ran_low(work: MailUnit, received: ReceivedMessage[StockRanLow]) -> None:
    """Warn that a SKU ran low. Idempotent: a repeat requests a mail that exists already."""
    low = received.message
    context = as_json(low, _SHOWN_OF_STOCK)
    _warn(work, received, None, received.envelope.id, Template.STOCK_LOW, context)


def payment_unmatched(work: MailUnit, received: ReceivedMessage[PaymentUnmatched]) -> None:
    """Warn that money arrived for no known order; reported more than once, it is mailed once. The customer who paid
    is not reminded of the checkout.
    """
    money = received.message
    if money.order_id is not None:
        work.unit.cancel_timer(TIMER, timer_key(money.shop, money.order_id))
    cause = money_cause(money)
    context = as_json(money, _SHOWN_OF_MONEY)
    _warn(work, received, None, cause, Template.PAYMENT_UNMATCHED, context)


def refund_mark_overdue(work: MailUnit, received: ReceivedMessage[RefundMarkOverdue]) -> None:
    """Warn that nothing has confirmed a recorded refund, once per refund. Waits for the order's placing."""
    overdue = received.message
    recipient_of(work, overdue.shop, overdue.order_id)
    context = overdue.refund.model_dump(mode="json", include=_SHOWN_OF_A_REFUND)
    cause = overdue.refund.refund_id
    _warn(work, received, overdue, cause, Template.REFUND_MARK_OVERDUE, context)


def dispute_changed(
    work: MailUnit, received: ReceivedMessage[DisputeOpened] | ReceivedMessage[DisputeUpdated]
) -> None:
    """Warn that a dispute's deadline is near, once per dispute and deadline. Waits for the order's placing."""
    warning = received.message
    cause = deadline_cause(warning.dispute)
    if cause is None:
        return
    recipient_of(work, warning.shop, warning.order_id)
    context = warning.dispute.model_dump(mode="json", include=_SHOWN_OF_A_DISPUTE)
    _warn(work, received, warning, cause, Template.DISPUTE_DUE_SOON, context)


def _warn(
    work: MailUnit,
    received: ReceivedMessage[Any],
    about: About | None,
    cause_id: UUID,
    template: Template,
    context: dict[str, Any],
) -> None:
    shop = shop_of(work, received.message.shop)
    to, locale = shop.merchant_email, shop.default_locale
    work.decide(draft(work, shop, about, cause_id, template, to, locale, context), received.envelope.time)
