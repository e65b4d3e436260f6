"""Received money: a provider's report of a payment becomes entries, facts about the attempt, and
PaymentSettled.

A provider's sum is a target: the part the ledger lacks is posted, never more and never less than nothing. So
any number of webhooks about one payment, in any order, ends in the same sums.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from uuid import UUID

from contracts.envelope import Envelope
from contracts.payments.accounts import PaymentUnmatched
from contracts.sale import PaymentMethod
from services.payments.accounts.account import Account
from services.payments.accounts.attempts import Attempt, over_since
from services.payments.accounts.disputes import in_currency
from services.payments.accounts.facts import Facts, RefundFacts
from services.payments.accounts.ledger import Entry, Kind, Origin, payment_key
from services.payments.accounts.publishing import payment_settled
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.accounts.unit.webhook_store import Ending
from services.payments.due import closing

_AUTOMATIC = (PaymentMethod.CARD, PaymentMethod.PAYPAL)


def settle(
    work: AccountUnit, account: Account, facts: Facts, webhook_id: UUID, source: str = "webhook"
) -> Ending:
    """Bring an account up to the provider's report. A repeat changes nothing and ends as a duplicate."""
    if account.closed_at is not None:
        return closing.end_webhook(work, account, facts, webhook_id)
    if facts.currency is not None and facts.currency != account.currency:
        return _other_currency(work, account, facts, webhook_id)
    every = (facts, *facts.also)
    if (other := _other_amount(account, every, webhook_id)) is not None:
        return other
    changed = [_settle_one(work, account, one, webhook_id, source) for one in every]
    return Ending(webhook_id, "applied" if any(changed) else "duplicate", order_id=account.id)


def _settle_one(work: AccountUnit, account: Account, facts: Facts, webhook_id: UUID, source: str) -> bool:
    """Bring an account up to the report about one payment; return whether anything was new."""
    account.origin = Origin(source, webhook_id, facts.occurred_at, facts.provider)
    changed = [_reach(work, account, facts, kind, target, webhook_id) for kind, target in facts.targets]
    changed += [account.learn(_attempt(facts, index)) for index in range(len(facts.attempts))]
    changed.append(_release(account, facts, webhook_id))
    return any(changed)


def _other_amount(account: Account, every: Sequence[Facts], webhook_id: UUID) -> Ending | None:
    """Return the result if a payment whose amount never changes was posted with another amount."""
    for facts in every:
        for kind, target in facts.targets if facts.is_final else ():
            posted, _ = account.posted(facts.provider, facts.object_id, kind)
            if posted and posted != target:
                difference = (
                    f"{facts.object_id} was posted with {posted} and now has {target} {account.currency}"
                )
                detail = f"{difference}; look at it at the provider, and correct the order by hand"
                return Ending(webhook_id, "parked", "amount_differs", detail, account.id)
    return None


def settle_refunds(
    account: Account, facts: RefundFacts, webhook_id: UUID, source: str = "webhook"
) -> Ending | None:
    """Record the provider's report of refunds and disputes; None when the payment has just moved to another
    order.
    """
    if account.closed_at is not None and (facts.remarks or facts.reports):
        return _of_deleted(account, facts, webhook_id)
    if facts.currency != account.currency and facts.has_amounts:
        what = f"the refund of {facts.object_id} is in {facts.currency}"
        detail = (
            f"{what}, the account of order {account.code} in {account.currency}; look at it at the provider"
        )
        return Ending(webhook_id, "parked", "currency_differs", detail, account.id)
    if (other := _other_refund_amount(account, facts, webhook_id)) is not None:
        return other
    if _has_moved_away(account, facts):
        return None
    account.origin = Origin(source, webhook_id, facts.occurred_at, facts.provider)
    changed = [account.learn_refund(provider_refund) for provider_refund in facts.made]
    changed += [account.remark(remark) for remark in facts.remarks_in(account.currency)]
    is_same = facts.currency == account.currency
    reports, movements = in_currency(facts.reports, facts.movements, is_same=is_same)
    changed += [account.report_dispute(report) for report in reports]
    changed += [account.move_disputed(movement) for movement in movements]
    return Ending(webhook_id, "applied" if any(changed) else "duplicate", order_id=account.id)


def _other_refund_amount(account: Account, facts: RefundFacts, webhook_id: UUID) -> Ending | None:
    """Return the result if a refund is recorded with another amount, which never changes."""
    for one in facts.made:
        known = account.refunds.made.get(one.key)
        if known is not None and known.amount_minor != one.amount_minor:
            difference = f"refund {one.object_id} was {known.amount_minor} and is {one.amount_minor}"
            detail = f"{difference} {account.currency}; look at it at the provider"
            return Ending(webhook_id, "parked", "amount_differs", detail, account.id)
    return None


def _of_deleted(account: Account, facts: RefundFacts, webhook_id: UUID) -> Ending:
    """Return the result for a deleted order: no page shows the order any more, so staff see the webhook
    itself.
    """
    topics = [f"{one.topic} {one.object_id}" for one in facts.remarks]
    about = ", ".join([*topics, *(f"dispute {one.object_id} {one.state}" for one in facts.reports)])
    detail = (
        f"{about} of {facts.object_id}, whose order {account.code} was deleted; look at it at the provider"
    )
    return Ending(webhook_id, "parked", "order_deleted", detail, account.id)


def _has_moved_away(account: Account, facts: RefundFacts) -> bool:
    """Return whether the facts belong to the order that has the payment's money now: the account has neither
    that nor an earlier fact about the same refund or dispute, all of whose facts stay in one account.
    """
    payment = payment_key(facts.provider, facts.object_id)
    is_known = any(provider_refund.key in account.refunds.made for provider_refund in facts.made)
    is_known = is_known or any(account.disputes.find(key) for key in facts.disputes)
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
        source=account.origin.source if account.origin else "webhook",
        caused_by=webhook_id,
        occurred_at=facts.occurred_at,
        actor=facts.provider,
        method=_method(account, facts.provider),
        received_on=facts.occurred_at.astimezone(UTC).date() if kind is Kind.PAYMENT_RECEIVED else None,
    )


def _method(account: Account, provider: str) -> PaymentMethod:
    """Return how the customer paid: a provider that is a method by itself, else the order's method or a card."""
    own = next((method for method in _AUTOMATIC if method == provider), None)
    return own or (account.method if account.method in _AUTOMATIC else PaymentMethod.CARD)


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
