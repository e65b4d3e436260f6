"""What the account says after a change: the whole position, and the entries that were posted. Pure.

An entry is told with its number and the balance after it, so that whoever copies the ledger shows the same running
balance as these books without adding anything up.
"""

from contracts.payments import BalanceChanged, LedgerEntry
from services.payments.account import Account
from services.payments.ledger import MANUAL, ORDER, Entry, balances_after, entry_id, entry_id_of_payment

_OURSELVES = frozenset((MANUAL, ORDER))


def balance_changed(account: Account) -> BalanceChanged:
    """The message about an account that has changed."""
    balances = balances_after(account.entries)
    return BalanceChanged(
        shop=account.shop,
        order_id=account.id,
        code=account.code,
        position=account.position,
        entries=[_told(account, n, entry, balances[n - 1]) for n, entry in account.new_entries],
    )


def _told(account: Account, number: int, entry: Entry, balance_minor: int) -> LedgerEntry:
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
