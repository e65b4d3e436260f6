"""A person's word on a refund of which nobody knows whether it was made: ask again, it was made, it was not made.

Asking again never makes a second one: the provider is asked first whether it has the refund. Whatever was said here,
the provider's own refund counts once it is known. Invariant: only an uncertain refund whose effect rests is settled.
"""

from contracts.message import Reason
from contracts.payments import RefundVerdict, SettleRefund
from services.chassis.subscribers import Delivery
from services.payments.account import Account
from services.payments.answering import account_of, done, reject
from services.payments.book import AccountBook
from services.payments.refunds import Asked


def settle_refund(book: AccountBook, delivery: Delivery[SettleRefund]) -> None:
    """Settle the refund, or answer why not."""
    command = delivery.message
    account = account_of(book, delivery)
    if account is None:
        return None
    asked = account.refunds.asked.get(command.refund_id)
    if asked is None or asked.is_mark:
        text = f"order {account.code} has no sent refund {command.refund_id}; check the refund's id"
        return reject(book, delivery, [Reason(code="refund_unknown", message=text, field="refund_id")])
    if not asked.is_uncertain or account.refunds.matching().of(asked) is not None:
        text = f"refund {asked.id} is not uncertain; look at the order again"
        return reject(book, delivery, [Reason(code="refund_not_uncertain", message=text, field="refund_id")])
    if book.effect_states.get(str(asked.id)) != "uncertain":
        text = f"the provider is being asked about refund {asked.id}; wait for its answer"
        return reject(book, delivery, [Reason(code="refund_being_asked", message=text, field="refund_id")])
    _apply(book, account, asked, delivery)
    return done(book, delivery)


def _apply(book: AccountBook, account: Account, asked: Asked, delivery: Delivery[SettleRefund]) -> None:
    command, envelope = delivery.message, delivery.envelope
    note = f"{command.verdict} by {command.actor}" + (f": {command.reason}" if command.reason else "")
    if command.verdict is RefundVerdict.ASK_AGAIN:
        book.decide_effect(str(asked.id), "planned", note)
    elif command.verdict is RefundVerdict.MADE:
        book.decide_effect(str(asked.id), "done", note)
        account.fill_refund(asked.id, envelope, is_sent=True)
    else:
        book.decide_effect(str(asked.id), "discarded", note)
        account.fill_refund(asked.id, envelope, refusal=note)
