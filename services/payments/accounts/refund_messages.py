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
from services.chassis.messaging.snapshots import SnapshotMessage
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


def external_id(shop: str, provider_refund: ProviderRefund) -> UUID:
    """Return the id of a refund made at the provider without us."""
    return uuid5(
        ENTRY_NAMESPACE, f"{shop}/external-refund/{provider_refund.provider}/{provider_refund.object_id}"
    )


def refund_statuses(account: Account) -> dict[UUID, RefundStatus]:
    """Return the state of every refund of the account, including those made without us."""
    external = {external_id(account.shop, one): status_of(one) for one in account.refunds.matching().external}
    return account.refunds.statuses() | external


def news(account: Account) -> Iterator[tuple[Message, Envelope | None]]:
    """Return the messages to publish since the account was loaded, each with the command it answers."""
    external = {external_id(account.shop, one): one for one in account.refunds.matching().external}
    for refund_id, status in sorted(refund_statuses(account).items()):
        published = account.published_refunds.get(refund_id)
        if published == status:
            continue
        requested = account.refunds.requested.get(refund_id)
        refund = (
            _of_ours(account, requested, status)
            if requested
            else _of_theirs(account, external[refund_id], status)
        )
        for message in _first_messages(requested, published, status):
            event = message(shop=account.shop, order_id=account.id, code=account.code, refund=refund)
            yield event, _cause(account, requested, message)


def current_messages(account: Account) -> Iterator[SnapshotMessage]:
    """Return the current message about every refund of the account, since it was requested or made."""
    external = {external_id(account.shop, one): one for one in account.refunds.matching().external}
    for refund_id, status in sorted(refund_statuses(account).items()):
        requested = account.refunds.requested.get(refund_id)
        refund = (
            _of_ours(account, requested, status)
            if requested
            else _of_theirs(account, external[refund_id], status)
        )
        message = _MESSAGES[status.state](
            shop=account.shop, order_id=account.id, code=account.code, refund=refund
        )
        yield SnapshotMessage(message, refund.asked_at)


def overdue_mark(account: Account, refund_id: UUID) -> RefundMarkOverdue | None:
    """Return the warning about a recorded refund; None for one that something has confirmed, or that failed."""
    requested, status = account.refunds.requested.get(refund_id), account.refunds.statuses().get(refund_id)
    if requested is None or status is None or status.state is not RefundState.MARKED:
        return None
    refund = _of_ours(account, requested, status)
    return RefundMarkOverdue(shop=account.shop, order_id=account.id, code=account.code, refund=refund)


def _first_messages(
    requested: RequestedRefund | None, published: RefundStatus | None, status: RefundStatus
) -> list[type[RefundMessage]]:
    """Return the first messages about a refund of ours: marked or sent, which answers its command and
    releases its goods; or uncertain, until its outcome is found.
    """
    now = _MESSAGES[status.state]
    is_published = published is not None and published.state is not RefundState.UNCERTAIN
    if (
        requested is None
        or is_published
        or requested.refusal is not None
        or status.state is RefundState.UNCERTAIN
    ):
        return [now]
    first = RefundMarked if requested.is_mark else RefundSent
    return [first] if now is first else [first, now]


def _cause(account: Account, requested: RequestedRefund | None, message: type[Message]) -> Envelope | None:
    if requested is None:
        return None
    if message is RefundConfirmed:
        return account.causes.get(requested.id)
    if requested.part_of is not None:  # the command is answered once, by the first part
        return None
    return Envelope(
        id=requested.command_id,
        source="/orders",
        type="orders.order.refund.v1",
        time=requested.asked_at,
        shop=account.shop,
        subject=str(account.id),
        correlation_id=str(account.id),
    )


def _of_ours(account: Account, requested: RequestedRefund, status: RefundStatus) -> Refund:
    by_provider = requested.provider != MANUAL
    return Refund(
        refund_id=requested.id,
        version=account.position.version,
        mode=requested.mode,
        state=status.state,
        amount_minor=requested.amount_minor,
        confirmed_minor=status.confirmed_minor,
        currency=account.currency,
        provider=requested.provider if by_provider else None,
        payment_reference=requested.payment if by_provider else None,
        provider_reference=status.provider_reference,
        reference=requested.reference if requested.is_mark else None,
        lines=list(requested.lines),
        cause=requested.cause,
        reason=requested.reason,
        actor=requested.actor,
        asked_at=requested.asked_at,
        detail=status.detail,
        notify_customer=requested.notify_customer,
        public_comment=requested.public_comment,
        part_of=requested.part_of,
    )


def _of_theirs(account: Account, provider_refund: ProviderRefund, status: RefundStatus) -> Refund:
    return Refund(
        refund_id=external_id(account.shop, provider_refund),
        version=account.position.version,
        mode=RefundMode.EXTERNAL,
        state=status.state,
        amount_minor=provider_refund.amount_minor,
        confirmed_minor=status.confirmed_minor,
        currency=account.currency,
        provider=provider_refund.provider,
        payment_reference=provider_refund.payment,
        provider_reference=provider_refund.object_id,
        cause=RefundCause.OVERPAID if provider_refund.is_duplicate else RefundCause.CREDIT,
        actor=provider_refund.provider,
        asked_at=provider_refund.made_at,
        detail=status.detail,
    )
