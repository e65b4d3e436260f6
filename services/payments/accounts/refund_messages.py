"""Messages about refunds: one whenever a refund's state differs from the last one published. Pure.

The cause of the change does not matter. A consumer receives each refund whole with the position's version, so
messages about one refund may arrive in any order.
"""

from collections.abc import Iterator
from uuid import UUID, uuid5

from contracts.envelope import Envelope
from contracts.message import Message
from contracts.payments.refunds import (
    Refund,
    RefundCause,
    RefundConfirmed,
    RefundFailed,
    RefundMarked,
    RefundMarkOverdue,
    RefundMode,
    RefundSent,
    RefundState,
    RefundUncertain,
)
from services.chassis.messaging.snapshots import Standing
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import ENTRY_NAMESPACE, MANUAL
from services.payments.accounts.refund_matching import ProviderRefund, RequestedRefund
from services.payments.accounts.refunds import RefundStatus, status_of

RefundMessage = RefundMarked | RefundSent | RefundConfirmed | RefundFailed | RefundUncertain
_MESSAGES: dict[RefundState, type[RefundMessage]] = {
    RefundState.MARKED: RefundMarked,
    RefundState.SENT: RefundSent,
    RefundState.CONFIRMED: RefundConfirmed,
    RefundState.FAILED: RefundFailed,
    RefundState.UNCERTAIN: RefundUncertain,
}


def external_id(shop: str, made: ProviderRefund) -> UUID:
    """Return the id of a refund made at the provider without us."""
    return uuid5(ENTRY_NAMESPACE, f"{shop}/external-refund/{made.provider}/{made.object_id}")


def standing(account: Account) -> dict[UUID, RefundStatus]:
    """Return the state of every refund of the account, including those made without us."""
    external = {external_id(account.shop, one): status_of(one) for one in account.refunds.matching().external}
    return account.refunds.statuses() | external


def news(account: Account) -> Iterator[tuple[Message, Envelope | None]]:
    """Return the messages to publish since the account was loaded, each with the command it answers."""
    made = {external_id(account.shop, one): one for one in account.refunds.matching().external}
    for refund_id, status in sorted(standing(account).items()):
        published = account.published_refunds.get(refund_id)
        if published == status:
            continue
        asked = account.refunds.asked.get(refund_id)
        refund = _of_ours(account, asked, status) if asked else _of_theirs(account, made[refund_id], status)
        for message in _first_messages(asked, published, status):
            said = message(shop=account.shop, order_id=account.id, code=account.code, refund=refund)
            yield said, _cause(account, asked, message)


def current_messages(account: Account) -> Iterator[Standing]:
    """Return the current message about every refund of the account, since it was requested or made."""
    made = {external_id(account.shop, one): one for one in account.refunds.matching().external}
    for refund_id, status in sorted(standing(account).items()):
        asked = account.refunds.asked.get(refund_id)
        refund = _of_ours(account, asked, status) if asked else _of_theirs(account, made[refund_id], status)
        said = _MESSAGES[status.state](
            shop=account.shop, order_id=account.id, code=account.code, refund=refund
        )
        yield Standing(said, refund.asked_at)


def overdue_mark(account: Account, refund_id: UUID) -> RefundMarkOverdue | None:
    """Return the warning about a recorded refund; None for one that something has confirmed, or that failed."""
    asked, status = account.refunds.asked.get(refund_id), account.refunds.statuses().get(refund_id)
    if asked is None or status is None or status.state is not RefundState.MARKED:
        return None
    refund = _of_ours(account, asked, status)
    return RefundMarkOverdue(shop=account.shop, order_id=account.id, code=account.code, refund=refund)


def _first_messages(
    asked: RequestedRefund | None, published: RefundStatus | None, status: RefundStatus
) -> list[type[RefundMessage]]:
    """Return the first messages about a refund of ours: marked or sent, which answers its command and
    releases its goods; or uncertain, until its outcome is found.
    """
    now = _MESSAGES[status.state]
    is_told = published is not None and published.state is not RefundState.UNCERTAIN
    if asked is None or is_told or asked.refusal is not None or status.state is RefundState.UNCERTAIN:
        return [now]
    first = RefundMarked if asked.is_mark else RefundSent
    return [first] if now is first else [first, now]


def _cause(account: Account, asked: RequestedRefund | None, message: type[Message]) -> Envelope | None:
    if asked is None:
        return None
    if message is RefundConfirmed:
        return account.causes.get(asked.id)
    if asked.part_of is not None:  # the command is answered once, by the first part
        return None
    return Envelope(
        id=asked.command_id,
        source="/orders",
        type="orders.order.refund.v1",
        time=asked.asked_at,
        shop=account.shop,
        subject=str(account.id),
        correlation_id=str(account.id),
    )


def _of_ours(account: Account, asked: RequestedRefund, status: RefundStatus) -> Refund:
    by_provider = asked.provider != MANUAL
    return Refund(
        refund_id=asked.id,
        version=account.position.version,
        mode=asked.mode,
        state=status.state,
        amount_minor=asked.amount_minor,
        confirmed_minor=status.confirmed_minor,
        currency=account.currency,
        provider=asked.provider if by_provider else None,
        payment_reference=asked.payment if by_provider else None,
        provider_reference=status.provider_reference,
        reference=asked.reference if asked.is_mark else None,
        lines=list(asked.lines),
        cause=asked.cause,
        reason=asked.reason,
        actor=asked.actor,
        asked_at=asked.asked_at,
        detail=status.detail,
        notify_customer=asked.notify_customer,
        public_comment=asked.public_comment,
        part_of=asked.part_of,
    )


def _of_theirs(account: Account, made: ProviderRefund, status: RefundStatus) -> Refund:
    return Refund(
        refund_id=external_id(account.shop, made),
        version=account.position.version,
        mode=RefundMode.EXTERNAL,
        state=status.state,
        amount_minor=made.amount_minor,
        confirmed_minor=status.confirmed_minor,
        currency=account.currency,
        provider=made.provider,
        payment_reference=made.payment,
        provider_reference=made.object_id,
        cause=RefundCause.OVERPAID if made.is_duplicate else RefundCause.CREDIT,
        actor=made.provider,
        asked_at=made.made_at,
        detail=status.detail,
    )
