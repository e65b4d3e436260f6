"""Metric of the ledger: the amounts posted, by kind of entry."""

from collections.abc import Iterable, Sequence

from prometheus_client import Counter

from contracts import money
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import Entry

AMOUNTS = Counter(
    "comptoir_ledger_amount_total",
    "Amounts posted to the ledger in units of the currency (12.30 EUR: 12.3), by kind of entry.",
    ["shop", "currency", "kind"],
)


def count_entries(posted: Iterable[tuple[Account, Sequence[Entry]]]) -> None:
    """Count entries that were committed, with their accounts."""
    for account, entries in posted:
        for entry in entries:
            amount = money.to_decimal(entry.amount_minor, account.currency)
            AMOUNTS.labels(account.shop, account.currency, entry.kind.value).inc(float(amount))
