"""Messages about refunds: one whenever a refund's state differs from the last one published. Pure.

The cause of the change does not matter. A consumer receives each refund whole with the position's version, so
messages about one refund may arrive in any order.
"""

from collections.abc import Iterator
from uuid import UUID, uuid5

from contracts.envelope import Envelope
from contracts.message import Message
from contracts.payments import (
    Refund,
    RefundCause,
    RefundConfirmed,
    RefundFailed,
    RefundMarked,
    RefundMode,
    RefundSent,
    RefundState,
    RefundUncertain,
)
from services.chassis.messaging.snapshots import Standing
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import ENTRY_NAMESPACE, MANUAL
from services.payments.accounts.refunds import ProviderRefund, RequestedRefund, Word, word_of

RefundWord = RefundMarked | RefundSent | RefundConfirmed | RefundFailed | RefundUncertain
_MESSAGES: dict[RefundState, type[RefundWord]] = {
    RefundState.MARKED: RefundMarked,
    RefundState.SENT: RefundSent,
    RefundState.CONFIRMED: RefundConfirmed,
    RefundState.FAILED: RefundFailed,
    RefundState.UNCERTAIN: RefundUncertain,
}


def external_id(shop: str, made: ProviderRefund) -> UUID:
    """Return the id of a refund made at the provider without us."""
    return uuid5(ENTRY_NAMESPACE, f"{shop}/external-refund/{made.provider}/{made.object_id}")


def standing(account: Account) -> dict[UUID, Word]:
    """Return the state of every refund of the account, including those made without us."""
    external = {external_id(account.shop, one): word_of(one) for one in account.refunds.matching().external}
    return account.refunds.words() | external


def news(account: Account) -> Iterator[tuple[Message, Envelope | None]]:
    """Return the messages to publish since the account was loaded, each with the command it answers."""
    made = {external_id(account.shop, one): one for one in account.refunds.matching().external}
    for refund_id, word in sorted(standing(account).items()):
        told = account.words_told.get(refund_id)
        if told == word:
            continue
        asked = account.refunds.asked.get(refund_id)
        refund = _of_ours(account, asked, word) if asked else _of_theirs(account, made[refund_id], word)
        for message in _first_words(asked, told, word):
            said = message(shop=account.shop, order_id=account.id, code=account.code, refund=refund)
            yield said, _cause(account, asked, message)


def words_of(account: Account) -> Iterator[Standing]:
    """Return the current message about every refund of the account, since it was requested or made."""
    made = {external_id(account.shop, one): one for one in account.refunds.matching().external}
    for refund_id, word in sorted(standing(account).items()):
        asked = account.refunds.asked.get(refund_id)
        refund = _of_ours(account, asked, word) if asked else _of_theirs(account, made[refund_id], word)
        said = _MESSAGES[word.state](shop=account.shop, order_id=account.id, code=account.code, refund=refund)
        yield Standing(said, refund.asked_at)


def _first_words(asked: RequestedRefund | None, told: Word | None, word: Word) -> list[type[RefundWord]]:
    """Return the first messages about a refund of ours: marked or sent, which answers its command and
    releases its goods; or uncertain, until its outcome is found.
    """
    now = _MESSAGES[word.state]
    is_told = told is not None and told.state is not RefundState.UNCERTAIN
    if asked is None or is_told or asked.refusal is not None or word.state is RefundState.UNCERTAIN:
        return [now]
    first = RefundMarked if asked.is_mark else RefundSent
    return [first] if now is first else [first, now]


def _cause(account: Account, asked: RequestedRefund | None, message: type[Message]) -> Envelope | None:
    if asked is None:
        return None
    if message is RefundConfirmed:
        return account.causes.get(asked.id)
    return Envelope(
        id=asked.command_id,
        source="/orders",
        type="orders.order.refund.v1",
        time=asked.asked_at,
        shop=account.shop,
        subject=str(account.id),
        correlation_id=str(account.id),
    )


def _of_ours(account: Account, asked: RequestedRefund, word: Word) -> Refund:
    by_provider = asked.provider != MANUAL
    return Refund(
        refund_id=asked.id,
        version=account.position.version,
        mode=asked.mode,
        state=word.state,
        amount_minor=asked.amount_minor,
        confirmed_minor=word.confirmed_minor,
        currency=account.currency,
        provider=asked.provider if by_provider else None,
        payment_reference=asked.payment if by_provider else None,
        provider_reference=word.provider_reference,
        reference=asked.reference if asked.is_mark else None,
        lines=list(asked.lines),
        cause=asked.cause,
        reason=asked.reason,
        actor=asked.actor,
        asked_at=asked.asked_at,
        detail=word.detail,
        notify_customer=asked.notify_customer,
        public_comment=asked.public_comment,
    )


def _of_theirs(account: Account, made: ProviderRefund, word: Word) -> Refund:
    return Refund(
        refund_id=external_id(account.shop, made),
        version=account.position.version,
        mode=RefundMode.EXTERNAL,
        state=word.state,
        amount_minor=made.amount_minor,
        confirmed_minor=word.confirmed_minor,
        currency=account.currency,
        provider=made.provider,
        payment_reference=made.payment,
        provider_reference=made.object_id,
        cause=RefundCause.OVERPAID if made.is_duplicate else RefundCause.CREDIT,
        actor=made.provider,
        asked_at=made.made_at,
        detail=word.detail,
    )
