"""Resync to orders from the ledger of payments: positions, every entry, receipts, refunds, disputes,
invoices.

Invariant: an account is locked before it is read, so the emitted position is one that existed, and its
version names it.
"""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.messaging.snapshots import Snapshot, SnapshotMessage
from services.chassis.storage.database import Connection
from services.payments.accounts.dispute_messages import disputes_of
from services.payments.accounts.publishing import messages_of_account
from services.payments.accounts.refund_messages import current_messages
from services.payments.accounts.unit import store
from services.payments.due import resync_store
from services.payments.invoices import store as invoice_store
from services.payments.invoices.document import read
from services.payments.invoices.publishing import event_of


async def read_snapshot(connection: Connection, shop: str, orders: Sequence[UUID]) -> list[SnapshotMessage]:
    """Return everything that orders copies of these accounts. Locks them."""
    accounts = await store.lock_accounts(connection, [(shop, order_id) for order_id in sorted(orders)])
    recorded_at = await resync_store.recorded_at(connection, shop, orders)
    documents = await invoice_store.read_of_orders(connection, [(shop, one) for one in sorted(orders)])
    issued = [
        SnapshotMessage(
            event_of(shop, read(row["content"]), row["issued_at"], mails_customer=False), row["issued_at"]
        )
        for row in documents
    ]
    return issued + [
        message
        for account in accounts
        for message in (
            *messages_of_account(account, recorded_at[account.id]),
            *current_messages(account),
            *disputes_of(account),
        )
    ]


TO_ORDERS = Snapshot(resync_store.count, resync_store.find, read_snapshot)
"""The snapshot that payments re-emits to orders."""
