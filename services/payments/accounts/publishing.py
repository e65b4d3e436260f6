"""The messages of an account after a change: the complete position, and the entries that were posted. Pure.

An entry is published with its number and the balance after it, so that a copy of the ledger shows the same
running balance as this one without adding anything up.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from contracts.payments.accounts import BalanceChanged, LedgerEntry, PaymentSettled
from services.chassis.messaging.snapshots import SnapshotMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import (
    MANUAL,
    ORDER,
    Entry,
    Kind,
    balances_after,
    entry_id,
    entry_id_of_payment,
)

_OURSELVES = frozenset((MANUAL, ORDER))


def balance_changed(account: Account) -> BalanceChanged:
    """Return the message about an account that has changed."""
    balances = balances_after(account.entries)
    return BalanceChanged(
        shop=account.shop,
        order_id=account.id,
        code=account.code,
        position=account.position,
        entries=[_ledger_entry(account, n, entry, balances[n - 1]) for n, entry in account.new_entries],
    )


def payment_settled(account: Account, entry: Entry, balance_minor: int) -> PaymentSettled:
    """Return the message about a receipt, with the account's balance after it."""
    is_manual = entry.provider == MANUAL
    return PaymentSettled(
        shop=account.shop,
        order_id=account.id,
        code=account.code,
        entry_id=entry_id(account.shop, entry),
        method=entry.method or account.method,
        amount_minor=entry.amount_minor,
        currency=account.currency,
        provider=None if is_manual else entry.provider,
        provider_reference=None if is_manual else entry.object_id,
        reference=entry.reference,
        received_on=entry.received_on or entry.occurred_at.date(),
        clearing_on=entry.clearing_on,
        note=entry.note,
        recorded_by=entry.actor,
        balance_minor=balance_minor,
    )


def messages_of_account(account: Account, recorded_at: Sequence[datetime]) -> Iterator[SnapshotMessage]:
    """Yield the snapshots of an account: its entries as they were posted together, each with the current
    position, and its receipts. `recorded_at` holds each entry's recording time, which its copies have as
    well.
    """
    balances = balances_after(account.entries)
    for timestamp, together in groupby(enumerate(account.entries), lambda one: recorded_at[one[0]]):
        posted = list(together)
        yield SnapshotMessage(
            BalanceChanged(
                shop=account.shop,
                order_id=account.id,
                code=account.code,
                position=account.position,
                entries=[_ledger_entry(account, n + 1, entry, balances[n]) for n, entry in posted],
            ),
            timestamp,
        )
        for n, entry in posted:
            if entry.kind is Kind.PAYMENT_RECEIVED:
                yield SnapshotMessage(payment_settled(account, entry, balances[n]), timestamp)


def _ledger_entry(account: Account, number: int, entry: Entry, balance_minor: int) -> LedgerEntry:
    by_provider = entry.provider not in _OURSELVES
    return LedgerEntry(
        entry_id=entry_id(account.shop, entry),
        number=number,
        kind=entry.kind,
        amount_minor=entry.amount_minor,
        method=entry.method,
        provider=entry.provider if by_provider else None,
        provider_reference=entry.object_id if by_provider else None,
        reference=entry.reference,
        received_on=entry.received_on,
        clearing_on=entry.clearing_on,
        note=entry.note,
        actor=entry.actor,
        payment_entry_id=entry_id_of_payment(account.shop, entry.payment) if entry.payment else None,
        occurred_at=entry.occurred_at,
        balance_after_minor=balance_minor,
    )
