"""The accounts of one transaction: locked in (shop, order) order, changed in memory, written back at once.

One BalanceChanged per changed account and transaction, with the complete position and the entries it posted.
Locks are always acquired in this order: accounts, then the keys that webhooks wait for. A transaction that
adds a way to find an order holds its key while looking for webhooks that wait for it, and the worker that
finds no order holds it while recording that one waits, so neither can miss the other.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.envelope import Envelope
from contracts.orders.changes import OrderEdited
from contracts.payments.accounts import ReassignPayment
from contracts.payments.refunds import SettleRefund
from services.chassis.background.effects import decide, states_of
from services.chassis.messaging.subscribers import ReceivedMessage, UnitOfWork, order_key
from services.chassis.messaging.unit import Unit
from services.chassis.storage.bulk import Table, write_tables
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import find_payment
from services.payments.accounts.refund_matching import RequestedRefund
from services.payments.accounts.remarks import Remark, Topic
from services.payments.accounts.unit import (
    change_store,
    dispute_store,
    refund_store,
    remark_store,
    store,
    webhook_store,
)
from services.payments.accounts.unit.needs import AccountNeeds
from services.payments.accounts.unit.publication import (
    count_entries,
    end_doubts,
    end_failures,
    publish_changes,
)
from services.payments.accounts.unit.sale_changes import SaleChanges

UNMATCHED_TIMER = "webhook_unmatched"
Key = tuple[str, UUID]


def object_key(provider: str, object_id: str) -> str:
    """Return the key under which webhooks wait for a claim of a provider's object."""
    return f"{provider}:{object_id}"


class AccountUnit(UnitOfWork[AccountNeeds]):
    """Accounts by (shop, order id). `on_woken` is called after a commit that gave the webhook worker
    something to do.
    """

    needs = AccountNeeds
    on_woken: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._accounts: dict[Key, Account] = {}
        self._links: dict[tuple[str, str, str], UUID] = {}
        self._named: list[tuple[Account, str, str]] = []
        self._made: set[tuple[str, str]] = set()
        self._held: set[tuple[str, str]] = set()
        self._closed: list[Account] = []
        self._edits: list[change_store.EditRow] = []
        self._claimed: dict[tuple[str, str, str], UUID] = {}
        self._moved: dict[tuple[str, str, str], UUID] = {}
        self._holders: dict[UUID, UUID] = {}
        self._refunds: set[UUID] = set()
        self._refunded: set[Key] = set()
        self._decisions: list[tuple[str, str, str]] = []
        self.sales = SaleChanges(unit)
        self.effect_states: dict[str, str] = {}
        """The states of the effects of refunds that commands of this unit settle, by refund; locked."""
        self.unmatched: dict[tuple[str, str, str], str] = {}
        """Unmatched payments that commands name, with the currency of the webhooks that wait for them ('' if
        unstated).
        """

    async def load(self, needs: AccountNeeds) -> None:
        """Lock and load the accounts the messages name or move money from, and what else they need of them."""
        connection = self.unit.connection
        accounts = set(needs.accounts)
        if needs.reassigned:
            accounts |= await self._load_holders(needs.reassigned)
        await self.load_accounts(accounts)
        if needs.refunds:
            self._refunds = await refund_store.known_ids(connection, sorted(needs.refunds))
        if needs.settled:
            self.effect_states = await states_of(
                self.unit, sorted({str(command.refund_id) for command in needs.settled})
            )
            await self._load_named_refunds(needs.settled)
        await self.sales.load(needs)
        if needs.edits & self._accounts.keys():
            for key, edit_id in await change_store.read_edits(connection, sorted(needs.edits)):
                self._accounts[key].edits.add(edit_id)

    async def _load_named_refunds(self, commands: Sequence[SettleRefund]) -> None:
        """Load which refunds that commands name at the provider are recorded already, under any order."""
        named = {
            (command.shop, refund.provider, command.provider_reference)
            for command in commands
            if command.provider_reference
            and (account := self._accounts.get((command.shop, command.order_id)))
            and (refund := account.refunds.requested.get(command.refund_id))
            and refund.provider
        }
        if named:
            self._links |= await webhook_store.orders_of_objects(self.unit.connection, sorted(named))

    def knows_object(self, account: Account, provider: str, object_id: str) -> bool:
        """Return whether a provider's object that a command names belongs to an order of the shop."""
        return (account.shop, provider, object_id) in self._links

    async def _load_holders(self, refund: Sequence[ReceivedMessage[ReassignPayment]]) -> set[Key]:
        """Load which accounts have the payments to be reassigned, and which payments wait for an order."""
        connection = self.unit.connection
        objects = {
            d.envelope.id: (d.message.shop, d.message.provider, d.message.provider_reference)
            for d in refund
            if d.message.provider and d.message.provider_reference
        }
        keys = sorted(set(objects.values()))
        holders = await webhook_store.holders_of_objects(connection, keys)
        self.unmatched = await webhook_store.read_unmatched_currencies(connection, keys)
        entries = await store.orders_of_entries(
            connection, sorted((d.message.shop, d.message.entry_id) for d in refund if d.message.entry_id)
        )
        for d in refund:
            order = entries.get((d.message.shop, d.message.entry_id)) if d.message.entry_id else None
            order = order or holders.get(objects.get(d.envelope.id, ("", "", "")))
            if order:
                self._holders[d.envelope.id] = order
        return {
            (d.message.shop, self._holders[d.envelope.id]) for d in refund if d.envelope.id in self._holders
        }

    def holder_of(self, received: ReceivedMessage[ReassignPayment]) -> Account | None:
        """Return the account that has the payment a command names, after all changes of this unit so far."""
        command = received.message
        named = (command.shop, command.provider or "", command.provider_reference or "")
        order_id = self._moved.get(named) or self._claimed.get(named)
        order_id = order_id or self._holders.get(received.envelope.id) or self._links.get(named)
        if order_id is None and command.entry_id is not None:
            order_id = self._holder_of_new_entry(command.shop, command.entry_id)
        return self.find(command.shop, order_id) if order_id else None

    def _holder_of_new_entry(self, shop: str, entry: UUID) -> UUID | None:
        """Return the order that has a payment that came in within this unit."""
        accounts = (account for account in self._accounts.values() if account.shop == shop)
        new = ((account, [one for _, one in account.new_entries]) for account in accounts)
        return next((account.id for account, entries in new if find_payment(shop, entries, entry)), None)

    async def load_accounts(self, keys: Iterable[Key]) -> None:
        """Lock and load the accounts that exist among these."""
        for account in await store.lock_accounts(self.unit.connection, sorted(set(keys))):
            self._accounts[account.shop, account.id] = account

    def find(self, shop: str, order_id: UUID) -> Account | None:
        """Return the account after all changes of this unit so far; None when it does not exist."""
        account = self._accounts.get((shop, order_id))
        if account is not None:
            account.square()
        return account

    def decide_effect(self, key: str, state: str, note: str) -> None:
        """Record a staff decision on an effect whose state was read: `planned`, `done` or `discarded`."""
        self.effect_states[key] = state
        self._decisions.append((key, state, note))

    def open(self, account: Account) -> None:
        """Add a new account and wake the webhooks that wait for its order."""
        self._accounts[account.shop, account.id] = account
        self._made.add((account.shop, order_key(account.id)))
        self.unit.wake(order_key(account.id))

    def close(self, account: Account, closed_at: datetime) -> None:
        """Close an account: no order claims its money any more."""
        account.closed_at = closed_at
        self._closed.append(account)

    def has_refund(self, refund_id: UUID) -> bool:
        """Return whether a refund of any order, of any shop, has this id."""
        return refund_id in self._refunds

    def ask_refund(self, account: Account, refund: RequestedRefund, cause: Envelope) -> None:
        """Add a refund that staff requested: its id is in use from now on."""
        self._refunds.add(refund.id)
        self._refunded.add((account.shop, account.id))
        account.ask_refund(refund, cause)

    def note_edit(self, account: Account, edit: OrderEdited, posted_minor: int) -> None:
        """Record that an edit was received, and how much of its amount was posted (same sign)."""
        account.edits.add(edit.edit_id)
        row = change_store.EditRow(
            shop=account.shop,
            order_id=account.id,
            edit_id=edit.edit_id,
            cause=edit.cause.value,
            due_change_minor=edit.due_change_minor,
            posted_minor=posted_minor,
        )
        self._edits.append(row)

    def link(self, account: Account, provider: str, object_id: str) -> None:
        """Link a provider's object to this order, unless it has one, and wake the webhooks that wait for it."""
        self._links.setdefault((account.shop, provider, object_id), account.id)
        self._made.add((account.shop, object_key(provider, object_id)))

    def link_payment(self, account: Account, provider: str, object_id: str) -> None:
        """Link the payment that an order names for itself; an order that names another's gets a remark."""
        key = (account.shop, provider, object_id)
        holder = self._claimed.get(key) or self._links.get(key)
        self.link(account, provider, object_id)
        if holder is None:
            self._named.append((account, provider, object_id))
        else:
            _remark_shared(account, provider, object_id)

    def claim(self, account: Account, provider: str, object_id: str) -> None:
        """Assign a payment without ledger entries to an order, by a staff decision, and wake what waits
        for it.
        """
        self._claimed[account.shop, provider, object_id] = account.id
        self._made.add((account.shop, object_key(provider, object_id)))

    def move(self, account: Account, provider: str, object_id: str) -> None:
        """Record which order has a payment's money now."""
        self._moved[account.shop, provider, object_id] = account.id

    def hold(self, keys: Iterable[tuple[str, str]]) -> None:
        """Lock these (shop, key) pairs with the others in `save`; webhooks that wait for them go on waiting."""
        self._held.update(keys)

    async def save(self) -> None:
        if self._made or self._held:
            await webhook_store.lock_keys(self.unit.connection, sorted(self._made | self._held))
        if self._named:
            await self._remark_shared_payments()
        for decision in self._decisions:
            await decide(self.unit, *decision)
        changed = [account for _, account in sorted(self._accounts.items()) if account.has_changed]
        await end_doubts(self.unit, changed)
        await end_failures(self.unit, [self._accounts[key] for key in sorted(self._refunded)])
        await self.sales.answer_wishes([(one.shop, one.id) for one in self._closed])
        for account in changed:
            publish_changes(self.unit, account)
        posted = [(account, [entry for _, entry in account.new_entries]) for account in changed]
        self.unit.after_commit(lambda: count_entries(posted))
        writes = self.unit.writes
        await write_tables(
            writes,
            Table(store.insert_accounts, [one for one in changed if one.is_new]),
            Table(store.update_accounts, [one for one in changed if not one.is_new]),
        )
        await store.append_entries(writes, changed, self.unit.now)
        refunded = [one for one in changed if one.refunds.facts > one.refunds.stored]
        await write_tables(
            writes,
            Table(store.append_attempts, changed),
            Table(remark_store.append_remarks, [one for one in changed if one.new_remarks]),
            Table(dispute_store.write_disputes, [one for one in changed if one.disputes.has_changed]),
            Table(refund_store.write_refunds, refunded),
            Table(change_store.append_edits, self._edits),
            Table(store.close_accounts, self._closed),
        )
        moved = [(one.shop, one.id) for one in changed if one.new_entries and not one.is_new]
        await self.sales.save(moved, [(one.shop, one.id) for one in self._closed])
        await webhook_store.link_objects(writes, self._links)
        await webhook_store.claim_objects(writes, self._claimed)
        await webhook_store.move_objects(writes, self._moved)
        if self._made:
            await self._wake_webhooks()

    async def _remark_shared_payments(self) -> None:
        """Add a remark to orders that name a payment of another order. The keys are locked: none can be named
        meanwhile.
        """
        keys = sorted({(account.shop, provider, object_id) for account, provider, object_id in self._named})
        holders = await webhook_store.orders_of_objects(self.unit.connection, keys)
        for account, provider, object_id in self._named:
            if holders.get((account.shop, provider, object_id), account.id) != account.id:
                _remark_shared(account, provider, object_id)

    async def _wake_webhooks(self) -> None:
        woken = await webhook_store.wake(self.unit.connection, sorted(self._made))
        woken += await webhook_store.wake_parked(self.unit.connection, sorted(self._claimed))
        for webhook_id in woken:
            self.unit.cancel_timer(UNMATCHED_TIMER, str(webhook_id))
        if woken:
            self.unit.after_commit(type(self).on_woken)


def _remark_shared(account: Account, provider: str, payment: str) -> None:
    topic = Topic.PAYMENT_SHARED
    account.remark(Remark(topic, provider, payment, payment, "", 0, account.opened_at), account.cause)
