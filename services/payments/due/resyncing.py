"""Resync to orders from the ledger of payments: positions, every entry, receipts, refunds.

Invariant: an account is locked before it is read, so the emitted position is one that existed, and its
version names it.
"""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.messaging.snapshots import Snapshot, Standing
from services.chassis.storage.database import Connection
from services.payments.accounts.refund_words import words_of
from services.payments.accounts.telling import books_of
from services.payments.accounts.unit import store
from services.payments.due import resync_store


async def tell(connection: Connection, shop: str, orders: Sequence[UUID]) -> list[Standing]:
    """Return everything that orders copies of these accounts. Locks them."""
    accounts = await store.lock_accounts(connection, [(shop, order_id) for order_id in sorted(orders)])
    moments = await resync_store.recorded_at(connection, shop, orders)
    return [
        said for account in accounts for said in (*books_of(account, moments[account.id]), *words_of(account))
    ]


TO_ORDERS = Snapshot(resync_store.count, resync_store.find, tell)
"""The snapshot that payments re-emits to orders."""
