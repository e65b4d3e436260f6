"""Resync to orders from the ledger of payments: positions, every entry, receipts, refunds, disputes,
invoices.

Invariant: an account is locked before it is read, so the emitted position is one that existed, and its
version names it.
"""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.messaging.snapshots import Snapshot, Standing
from services.chassis.storage.database import Connection
from services.payments.accounts.dispute_messages import disputes_of
from services.payments.accounts.publishing import books_of
from services.payments.accounts.refund_messages import current_messages
from services.payments.accounts.unit import store
from services.payments.due import resync_store
from services.payments.invoices import store as invoice_store
from services.payments.invoices.document import read
from services.payments.invoices.publishing import event_of


async def tell(connection: Connection, shop: str, orders: Sequence[UUID]) -> list[Standing]:
    """Return everything that orders copies of these accounts. Locks them."""
    accounts = await store.lock_accounts(connection, [(shop, order_id) for order_id in sorted(orders)])
    moments = await resync_store.recorded_at(connection, shop, orders)
    documents = await invoice_store.read_of_orders(connection, [(shop, one) for one in sorted(orders)])
    issued = [
        Standing(
            event_of(shop, read(row["content"]), row["issued_at"], mails_customer=False), row["issued_at"]
        )
        for row in documents
    ]
    return issued + [
        said
        for account in accounts
        for said in (
            *books_of(account, moments[account.id]),
            *current_messages(account),
            *disputes_of(account),
        )
    ]


TO_ORDERS = Snapshot(resync_store.count, resync_store.find, tell)
"""The snapshot that payments re-emits to orders."""
