"""What a completed order and a resumed checkout lead to: a mail for the shops that want it, and no reminder."""

from contracts.orders.lifecycle import CheckoutResumed, OrderCompleted
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.abandoned.reminder import TIMER
from services.notifier.mails.abandoned.store import timer_key
from services.notifier.mails.causes.drafting import draft, recipient_of, shop_of
from services.notifier.mails.mail import Template
from services.notifier.mails.unit import MailUnit


def order_completed(work: MailUnit, received: ReceivedMessage[OrderCompleted]) -> None:
    """Notify the customer that the order is complete. Waits for the placing of the order.

    The mail's cause is the order: completed again after a return, it is mailed once.
    """
    completed = received.message
    shop, recipient = shop_of(work, completed.shop), recipient_of(work, completed.shop, completed.order_id)
    if not recipient.email:
        return
    template, cause, locale = Template.ORDER_COMPLETED, completed.order_id, recipient.locale
    mail = draft(work, shop, completed, cause, template, recipient.email, locale, {})
    work.decide(mail, received.envelope.time)


def checkout_resumed(work: MailUnit, received: ReceivedMessage[CheckoutResumed]) -> None:
    """Cancel the reminder of the checkout. A replay does not: the checkout may have been abandoned again since."""
    if work.unit.has_effects or work.unit.restored.is_unfinished:
        work.unit.cancel_timer(TIMER, timer_key(received.message.shop, received.message.order_id))
