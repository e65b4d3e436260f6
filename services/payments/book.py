"""The accounts of one transaction: locked in (shop, order) order, changed in memory, written back at once.

One BalanceChanged per changed account and transaction, with the whole position and the entries it posted. Locks are
always taken in this sequence: accounts, then the keys that webhooks wait for; whoever adds a way to find an order
holds its key while looking for webhooks that wait for it, and the worker that finds no order holds it while noting
that one waits, so neither can miss the other.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from contracts.orders import OrderEdited
from services.chassis.subscribers import Book, Delivery, order_key
from services.chassis.unit import Unit
from services.payments import change_store, store, webhook_store
from services.payments.account import Account
from services.payments.telling import balance_changed

UNMATCHED_TIMER = "webhook_unmatched"
Key = tuple[str, UUID]


def object_key(provider: str, object_id: str) -> str:
    """The key under which webhooks wait for somebody to claim a provider's object."""
    return f"{provider}:{object_id}"


class AccountBook(Book):
    """Accounts by (shop, order id). `on_woken` is rung after a commit that gave the webhook worker something to do."""

    on_woken: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._accounts: dict[Key, Account] = {}
        self._links: dict[tuple[str, str, str], UUID] = {}
        self._made: set[tuple[str, str]] = set()
        self._held: set[tuple[str, str]] = set()
        self._closed: list[Account] = []
        self._edits: list[tuple[Any, ...]] = []

    async def load(self, deliveries: Sequence[Delivery[Any]]) -> None:
        await self.load_accounts(
            (delivery.message.shop, delivery.message.order_id) for delivery in deliveries
        )
        edited = {
            (d.message.shop, d.message.order_id) for d in deliveries if isinstance(d.message, OrderEdited)
        }
        if edited & self._accounts.keys():
            for key, edit_id in await change_store.read_edits(self.unit.connection, sorted(edited)):
                self._accounts[key].edits.add(edit_id)

    async def load_accounts(self, keys: Iterable[Key]) -> None:
        """Lock and load the accounts that exist among these."""
        for account in await store.lock_accounts(self.unit.connection, sorted(set(keys))):
            self._accounts[account.shop, account.id] = account

    def find(self, shop: str, order_id: UUID) -> Account | None:
        return self._accounts.get((shop, order_id))

    def open(self, account: Account) -> None:
        """Add a new account: what waits for its order is woken."""
        self._accounts[account.shop, account.id] = account
        self._made.add((account.shop, order_key(account.id)))
        self.unit.wake(order_key(account.id))

    def close(self, account: Account, closed_at: datetime) -> None:
        """Close an account: no order claims its money any more."""
        account.closed_at = closed_at
        self._closed.append(account)

    def note_edit(self, account: Account, edit: OrderEdited, posted_minor: int) -> None:
        """An edit was heard, and so much of what it asks for was posted (same sign)."""
        account.edits.add(edit.edit_id)
        asked = (edit.edit_id, edit.cause.value, edit.due_change_minor)
        self._edits.append((account.shop, account.id, *asked, posted_minor))

    def link(self, account: Account, provider: str, object_id: str) -> None:
        """Remember that a provider's object belongs to this order: webhooks that wait for it are woken."""
        self._links[account.shop, provider, object_id] = account.id
        self._made.add((account.shop, object_key(provider, object_id)))

    def hold(self, keys: Iterable[tuple[str, str]]) -> None:
        """Lock these (shop, key) pairs with the others in `save`; what waits for them goes on waiting."""
        self._held.update(keys)

    async def save(self) -> None:
        changed = [account for _, account in sorted(self._accounts.items()) if account.has_changed]
        for account in changed:
            self.unit.emit(balance_changed(account), about=account, cause=account.cause)
        writes = self.unit.writes
        await store.insert_accounts(writes, [account for account in changed if account.is_new])
        await store.update_accounts(writes, [account for account in changed if not account.is_new])
        await store.append_entries(writes, changed, self.unit.now)
        await store.append_attempts(writes, changed)
        if self._edits:
            await change_store.append_edits(writes, self._edits)
        if self._closed:
            await store.close_accounts(writes, self._closed)
        if self._links:
            await store.link_objects(writes, self._links)
        if self._made or self._held:
            await webhook_store.lock_keys(self.unit.connection, sorted(self._made | self._held))
        if self._made:
            await self._wake_webhooks()

    async def _wake_webhooks(self) -> None:
        woken = await webhook_store.wake(self.unit.connection, sorted(self._made))
        for webhook_id in woken:
            self.unit.cancel_timer(UNMATCHED_TIMER, str(webhook_id))
        if woken:
            self.unit.after_commit(type(self).on_woken)
