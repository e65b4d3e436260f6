"""Received money: a provider's report of a payment becomes entries, facts about the attempt, and
PaymentSettled.

A provider's sum is a target: the part the ledger lacks is posted, never more and never less than nothing. So
any number of webhooks about one payment, in any order, ends in the same sums.
"""

from dataclasses import replace
from datetime import UTC
from uuid import UUID

from contracts.envelope import Envelope
from contracts.payments import PaymentUnmatched
from contracts.storefront import PaymentMethod
from services.payments.accounts.account import Account
from services.payments.accounts.attempts import Attempt, over_since
from services.payments.accounts.facts import Facts, RefundFacts
from services.payments.accounts.ledger import Entry, Kind, Origin, payment_key
from services.payments.accounts.telling import payment_settled
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.accounts.unit.webhook_store import Ending
from services.payments.due import closing

_AUTOMATIC = (PaymentMethod.CARD, PaymentMethod.PAYPAL)


def settle(work: AccountUnit, account: Account, facts: Facts, webhook_id: UUID) -> Ending:
    """Bring an account up to the provider's report. A repeat changes nothing and ends as a duplicate."""
    if account.closed_at is not None:
        return closing.turn_away(work, account, facts, webhook_id)
    if facts.currency is not None and facts.currency != account.currency:
        return _other_currency(work, account, facts, webhook_id)
    account.origin = Origin("webhook", webhook_id, facts.occurred_at, facts.provider)
    changed = [_reach(work, account, facts, kind, target, webhook_id) for kind, target in facts.targets]
    changed += [account.learn(_attempt(facts, index)) for index in range(len(facts.attempts))]
    changed.append(_release(account, facts, webhook_id))
    return Ending(webhook_id, "applied" if any(changed) else "duplicate", order_id=account.id)


def settle_refunds(account: Account, facts: RefundFacts, webhook_id: UUID) -> Ending | None:
    """Record the provider's report of refunds and disputes; None when the payment has just moved to another
    order.
    """
    if account.closed_at is not None and facts.remarks:
        return _of_deleted(account, facts, webhook_id)
    if facts.currency != account.currency and facts.has_amounts:
        what = f"what went back of {facts.object_id} is in {facts.currency}"
        detail = (
            f"{what}, the account of order {account.code} in {account.currency}; look at it at the provider"
        )
        return Ending(webhook_id, "parked", "currency_differs", detail, account.id)
    if _has_moved_away(account, facts):
        return None
    account.origin = Origin("webhook", webhook_id, facts.occurred_at, facts.provider)
    changed = [account.learn_refund(made) for made in facts.made]
    changed += [account.remark(remark) for remark in facts.remarks_in(account.currency)]
    return Ending(webhook_id, "applied" if any(changed) else "duplicate", order_id=account.id)


def _of_deleted(account: Account, facts: RefundFacts, webhook_id: UUID) -> Ending:
    """Return the result for a deleted order: no page shows the order any more, so a person sees the webhook
    itself.
    """
    about = ", ".join(f"{one.topic} {one.object_id} {one.state}".strip() for one in facts.remarks)
    detail = (
        f"{about} of {facts.object_id}, whose order {account.code} was deleted; look at it at the provider"
    )
    return Ending(webhook_id, "parked", "order_deleted", detail, account.id)


def _has_moved_away(account: Account, facts: RefundFacts) -> bool:
    payment = payment_key(facts.provider, facts.object_id)
    is_known = any(made.key in account.refunds.made for made in facts.made)
    was_moved = any(e.kind is Kind.TRANSFER_OUT and e.payment == payment for e in account.entries)
    return was_moved and not is_known and account.net_received(payment) <= 0


def receive(work: AccountUnit, account: Account, entry: Entry, cause: Envelope | None = None) -> bool:
    """Post a receipt and publish it; return False when that money is in the ledger already."""
    if not account.post(entry, cause):
        return False
    work.unit.emit(
        payment_settled(account, entry, account.position.balance_minor), about=account, cause=cause
    )
    return True


def _reach(
    work: AccountUnit, account: Account, facts: Facts, kind: Kind, target_minor: int, webhook_id: UUID
) -> bool:
    posted, _ = account.posted(facts.provider, facts.object_id, kind)
    if target_minor <= posted:
        return False
    entry = _entry(account, facts, kind, target_minor - posted, webhook_id)
    return receive(work, account, entry) if kind is Kind.PAYMENT_RECEIVED else account.post(entry)


def _release(account: Account, facts: Facts, webhook_id: UUID) -> bool:
    """Release the used part of the authorisation, dated by the provider's report that it is over."""
    left = account.authorisation_to_release(facts.provider, facts.object_id)
    if not left:
        return False
    entry = _entry(account, facts, Kind.AUTHORISATION_RELEASED, left, webhook_id)
    since = over_since(account.attempts, facts.provider, facts.object_id)
    return account.post(replace(entry, occurred_at=since or entry.occurred_at))


def _entry(account: Account, facts: Facts, kind: Kind, amount_minor: int, webhook_id: UUID) -> Entry:
    _, steps = account.posted(facts.provider, facts.object_id, kind)
    return Entry(
        kind=kind,
        amount_minor=amount_minor,
        provider=facts.provider,
        object_id=facts.object_id,
        step=steps,
        source="webhook",
        caused_by=webhook_id,
        occurred_at=facts.occurred_at,
        actor=facts.provider,
        method=account.method if account.method in _AUTOMATIC else PaymentMethod.CARD,
        received_on=facts.occurred_at.astimezone(UTC).date() if kind is Kind.PAYMENT_RECEIVED else None,
    )


def _attempt(facts: Facts, index: int) -> Attempt:
    return Attempt(
        facts.provider, facts.object_id, facts.attempts[index], facts.occurred_at, facts.started_at
    )


def _other_currency(work: AccountUnit, account: Account, facts: Facts, webhook_id: UUID) -> Ending:
    if facts.received_minor and facts.currency:
        work.unit.emit(
            PaymentUnmatched(
                shop=account.shop,
                provider=facts.provider,
                provider_reference=facts.object_id,
                amount_minor=facts.received_minor,
                currency=facts.currency,
                received_at=facts.occurred_at,
                reason="currency_differs",
            ),
            subject=facts.object_id,
        )
    detail = (
        f"{facts.object_id}: {facts.received_minor} {facts.currency} for order {account.code}, whose account is in "
        f"{account.currency}; refund it at the provider or record the agreed amount by hand"
    )
    money = (facts.object_id, facts.received_minor or None, facts.currency)
    return Ending(webhook_id, "parked", "currency_differs", detail, account.id, *money)
