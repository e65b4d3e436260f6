"""Unit of work for conversations: mails as before, and threads, new messages and received mails.

A thread has one writer at a time: the order's recipient is locked.
"""

from dataclasses import dataclass
from uuid import UUID

from services.chassis.messaging.unit import Unit
from services.notifier.conversation import inbound_store, store
from services.notifier.conversation.inbound import InboundMail
from services.notifier.conversation.needs import ConversationNeeds
from services.notifier.conversation.thread import Thread
from services.notifier.mails.needs import MailNeeds, OrderKey
from services.notifier.mails.settings import ShopUnknown
from services.notifier.mails.unit import MailUnit


@dataclass(frozen=True, slots=True)
class Filing:
    """A staff decision on a received mail: the order it belongs to, or a reason to set it aside."""

    inbound_id: UUID
    order_id: UUID | None
    reason: str | None
    actor: str


class ConversationUnit(MailUnit):
    """Threads and received mails of one unit, besides its mails."""

    needs = ConversationNeeds

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._threads: dict[OrderKey, Thread] = {}
        self._changed: dict[OrderKey, Thread] = {}
        self._written_messages: set[tuple[str, UUID]] = set()
        self.inbound: dict[UUID, InboundMail] = {}
        self.filings: dict[UUID, Filing] = {}

    async def load(self, needs: MailNeeds) -> None:
        """Lock the threads' recipients and the received mails, and load all rows of the needs."""
        connection = self.unit.connection
        if not isinstance(needs, ConversationNeeds):
            await super().load(needs)
            return
        if needs.threads:
            needs.recipients |= needs.threads
            for thread in await store.lock_threads(connection, sorted(needs.threads)):
                self._threads[thread.shop, thread.order_id] = thread
        await super().load(needs)
        if needs.messages:
            self._written_messages |= await store.read_written(connection, needs.messages)
        if needs.inbound:
            found = await inbound_store.lock_inbound(connection, sorted(needs.inbound))
            self.inbound |= {mail.inbound_id: mail for mail in found}

    def thread(self, shop: str, order_id: UUID) -> Thread:
        """Return the thread of an order whose recipient is locked; a new one if it has none yet."""
        thread = self._threads.setdefault((shop, order_id), Thread(shop, order_id))
        thread.version = max(thread.version, self.unit.restored.version_floor)
        return thread

    def changed(self, thread: Thread) -> None:
        """Have a thread written."""
        self._changed[thread.shop, thread.order_id] = thread
        self._written_messages |= {(thread.shop, message.message_id) for message in thread.added}

    def has_message(self, shop: str, message_id: UUID) -> bool:
        """Return whether a message of this id exists."""
        return (shop, message_id) in self._written_messages

    async def save(self) -> None:
        """Write threads, messages and filings, then the mails."""
        gone = self._forgotten.keys()
        changed = [self._changed[key] for key in sorted(self._changed) if key not in gone]
        if changed:
            await store.write_threads(self.unit.writes, changed)
            await store.insert_messages(self.unit.writes, changed)
        for filing in self.filings.values():
            await inbound_store.file_inbound(
                self.unit.connection,
                filing.inbound_id,
                filing.order_id,
                filing.actor,
                self.unit.now,
                filing.reason,
            )
        await super().save()
        if self._forgotten:
            await store.forget_threads(self.unit.connection, sorted(self._forgotten))

    def is_shop_known(self, shop: str) -> bool:
        """Return whether mails can be sent for the shop."""
        try:
            self.shop(shop)
        except ShopUnknown:
            return False
        return True
