"""Messages, timers, ends of effects and metrics that follow from an account's changes."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from prometheus_client import Counter

from contracts import money
from contracts.payments.refunds import RefundMarked
from services.chassis.background.effects import decide, states_of
from services.chassis.messaging.unit import Unit
from services.payments.accounts import dispute_messages
from services.payments.accounts.account import Account
from services.payments.accounts.disputes import ALARM_BEFORE, Dispute
from services.payments.accounts.ledger import Entry
from services.payments.accounts.publishing import balance_changed
from services.payments.accounts.refund_messages import news

DISPUTE_TIMER = "dispute_due"
MARK_TIMER = "refund_mark_overdue"
MARK_OVERDUE_AFTER = timedelta(days=7)
"""How long a refund that was recorded here only may stay unconfirmed before the merchant is warned."""
AMOUNTS = Counter(
    "comptoir_ledger_amount_total",
    "Amounts posted to the ledger in units of the currency (12.30 EUR: 12.3), by kind of entry.",
    ["shop", "currency", "kind"],
)


def publish_changes(unit: Unit, account: Account) -> None:
    """Publish what changed about refunds and disputes, then the balance."""
    account.square()
    if account.refunds.facts:
        for message, cause in news(account):
            unit.emit(message, about=account, cause=cause)
            if isinstance(message, RefundMarked):
                _watch_mark(unit, message)
    if account.disputes.has_news:
        for word, answered, dispute in dispute_messages.news(account):
            unit.emit(word, about=account, cause=answered)
            _watch_deadline(unit, account, dispute)
    unit.emit(balance_changed(account), about=account, cause=account.cause)


def _watch_mark(unit: Unit, marked: RefundMarked) -> None:
    """Set the timer that warns when nothing has confirmed a recorded refund; it looks at the refund again."""
    refund = marked.refund
    payload = {
        "shop": marked.shop,
        "order_id": str(marked.order_id),
        "refund_id": str(refund.refund_id),
    }
    due_at = refund.asked_at + MARK_OVERDUE_AFTER
    unit.set_timer(MARK_TIMER, str(refund.refund_id), due_at, payload)


def _watch_deadline(unit: Unit, account: Account, dispute: Dispute) -> None:
    """Set the timer that warns before a dispute's deadline passes, or remove it."""
    key = f"{account.shop}/{dispute.provider}/{dispute.object_id}"
    if not dispute.is_awaiting or dispute.is_due_soon or dispute.due_at is None:
        unit.cancel_timer(DISPUTE_TIMER, key)
        return
    payload = {
        "shop": account.shop,
        "order_id": str(account.id),
        "provider": dispute.provider,
        "object_id": dispute.object_id,
    }
    unit.set_timer(DISPUTE_TIMER, key, dispute.due_at - ALARM_BEFORE, payload)


async def end_doubts(unit: Unit, changed: Sequence[Account]) -> None:
    """End the uncertain effects of refunds that the provider has reported: they were carried out, however the
    refund ended there.
    """
    known = {
        key: provider_refund
        for account in changed
        for key, provider_refund in account.refunds.doubts_ended().items()
    }
    if known:
        states = await states_of(unit, sorted(known))
        for key in sorted(key for key, state in states.items() if state == "uncertain"):
            await decide(unit, key, "done", f"{known[key].provider} reported {known[key].object_id}")


async def end_failures(unit: Unit, refunded: Sequence[Account]) -> None:
    """End the failed effects of earlier refunds of accounts of which a person requested another one."""
    requested = [one for account in refunded for one in account.refunds.requested.values()]
    refused = sorted(str(one.id) for one in requested if one.refusal is not None)
    states = await states_of(unit, refused) if refused else {}
    for key in sorted(key for key, state in states.items() if state == "failed"):
        await decide(unit, key, "discarded", "another refund was requested")


def count_entries(posted: Iterable[tuple[Account, Sequence[Entry]]]) -> None:
    """Count entries that were committed, with their accounts."""
    for account, entries in posted:
        for entry in entries:
            amount = money.to_decimal(entry.amount_minor, account.currency)
            AMOUNTS.labels(account.shop, account.currency, entry.kind.value).inc(float(amount))
