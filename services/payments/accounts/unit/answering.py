"""The answers to a command that changed nothing: rejected with every reason, already done, or not yet.

A command may arrive before its order; it waits two minutes, then it is rejected. Somebody looking at the page
gets the outcome; nothing waits for days on a mistyped id.
"""

from datetime import timedelta
from typing import Any

from contracts.message import Reason
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.payments.accounts.account import Account
from services.payments.accounts.unit.unit import AccountUnit

PATIENCE = timedelta(minutes=2)
"""The time a command waits for its order to arrive here."""


def account_of(work: AccountUnit, received: ReceivedMessage[Any]) -> Account | None:
    """Return the account a command is about. Raises Wait while it may still arrive; afterwards the command is
    rejected.
    """
    command = received.message
    account = work.find(command.shop, command.order_id)
    if account is None:
        if work.unit.now - received.first_seen_at < PATIENCE:
            raise Wait(
                order_key(command.order_id), f"order {command.order_id} is not known yet", PATIENCE * 2
            )
        text = f"no order {command.order_id} in shop {command.shop} after {PATIENCE}; check the order's id"
        reject(work, received, [Reason(code="unknown_order", message=text, field="order_id")])
    return account


def reject(work: AccountUnit, received: ReceivedMessage[Any], reasons: list[Reason]) -> None:
    """Answer that the command is rejected, with every reason."""
    command = received.message
    answer = CommandRejected(
        shop=command.shop,
        order_id=command.order_id,
        command_id=received.envelope.id,
        command_type=received.envelope.type,
        reasons=reasons,
    )
    work.unit.emit(answer, cause=received.envelope)


def done(work: AccountUnit, received: ReceivedMessage[Any]) -> None:
    """Answer that the state the command requests already holds."""
    command = received.message
    answer = CommandDone(
        shop=command.shop,
        order_id=command.order_id,
        command_id=received.envelope.id,
        command_type=received.envelope.type,
    )
    work.unit.emit(answer, cause=received.envelope)


def deleted(account: Account) -> list[Reason]:
    """Return the reason against giving money to an order that was deleted, if it was."""
    if account.closed_at is None:
        return []
    text = f"order {account.code} was deleted at {account.closed_at:%Y-%m-%d %H:%M}; choose another order"
    return [Reason(code="order_deleted", message=text, field="order_id")]


def other_currency(account: Account, currency: str) -> list[Reason]:
    """Return the reason against an amount in another currency than the account's, if it is in one."""
    if currency == account.currency:
        return []
    text = f"{currency} for an account in {account.currency}; enter the amount in {account.currency}"
    return [Reason(code="currency_differs", message=text, field="currency")]


def not_positive(amount_minor: int) -> list[Reason]:
    """Return the reason against an amount that is not above zero, if it is not."""
    if amount_minor > 0:
        return []
    text = f"amount {amount_minor} is not above zero; to correct an entry, reverse it"
    return [Reason(code="amount_not_positive", message=text, field="amount_minor")]
