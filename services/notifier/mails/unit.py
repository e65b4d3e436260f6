"""Unit of work for recipients and mails: existing ones loaded at once, new ones written at once.

Nothing is locked: both kinds of rows are written once, except for an order's edits of its recipient. A mail
and its effect are planned in the same transaction, so there is never a mail without an effect that sends it
nor an effect without its mail.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.notifier.mails import MailUncertain
from services.chassis.messaging.subscribers import UnitOfWork
from services.chassis.messaging.unit import Unit
from services.notifier.mails import erasure_store, recipient_store, resending, store
from services.notifier.mails.holding.holds import Holds
from services.notifier.mails.mail import Mail, Recipient, Template, is_about_an_order, without_order
from services.notifier.mails.needs import MailNeeds
from services.notifier.mails.recent import recent
from services.notifier.mails.recipient_store import OrderKey
from services.notifier.mails.rules.changes import RuleChanges
from services.notifier.mails.settings import ShopProfile, shop_directory
from services.notifier.mails.texts.changes import TextChanges
from services.notifier.mails.texts.planning import plan_mails


class MailUnit(UnitOfWork[MailNeeds]):
    """Orders' recipients and planned mails of one unit."""

    needs = MailNeeds

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._recipients: dict[OrderKey, Recipient] = {}
        self._met: list[Recipient] = []
        self._corrected: dict[OrderKey, Recipient] = {}
        self._forgotten: dict[OrderKey, datetime] = {}
        self._decided: dict[UUID, Mail] = {}
        self._mails: dict[UUID, Mail] = {}
        self._written: set[tuple[str, UUID, Template]] = set()
        self.requested_again: list[tuple[Mail, str, Envelope, bool]] = []
        self.texts, self.rules, self.holds = TextChanges(unit), RuleChanges(unit), Holds(unit)
        self._caused_at: dict[UUID, datetime] = {}
        self.last_steps: list[Callable[[Unit], Awaitable[None]]] = []

    async def load(self, needs: MailNeeds) -> None:
        """Load the recipients of the orders whose customers will be notified, and the mails commands name."""
        connection = self.unit.connection
        if needs.recipients:
            found = await recipient_store.read_recipients(connection, sorted(needs.recipients))
            self._recipients |= {(recipient.shop, recipient.order_id): recipient for recipient in found}
        if needs.mails:
            self._mails = {mail.id: mail for mail in await store.read_mails(connection, sorted(needs.mails))}
        if causes := needs.once | (set() if self.unit.has_effects else needs.causes):
            self._written = await store.read_written(connection, sorted(causes))

        await self.texts.load(needs.texts, needs.profiles)
        await self.rules.load(needs.rules)
        await self.holds.load(needs.holds, needs.invoiced)

    def mail(self, identifier: UUID) -> Mail | None:
        """Return a mail that a command of this batch names, if it exists."""
        return self._mails.get(identifier)

    def shop(self, name: str) -> ShopProfile:
        """Return a shop's profile. Raises ShopUnknown."""
        return shop_directory().profile(name)

    def recipient(self, shop: str, order_id: UUID) -> Recipient | None:
        """Return an order's recipient, if the order was received."""
        return self._recipients.get((shop, order_id))

    def meet(self, recipient: Recipient) -> None:
        """Add a new order's recipient."""
        self._recipients.setdefault((recipient.shop, recipient.order_id), recipient)
        self._met.append(recipient)

    def correct(self, recipient: Recipient) -> None:
        """Record an edit of an order's recipient."""
        key = recipient.shop, recipient.order_id
        self._recipients[key] = self._corrected[key] = recipient

    def forget(self, recipient: Recipient, deleted_at: datetime) -> None:
        """Remove all data of a deleted order's customer."""
        key = recipient.shop, recipient.order_id
        self._recipients[key] = replace(recipient, deleted_at=deleted_at)
        self._forgotten[key] = deleted_at
        decided = self._decided.items()
        self._decided = {of: mail for of, mail in decided if (mail.shop, mail.order_id) != key}

    def decide(self, mail: Mail, caused_at: datetime | None = None) -> None:
        """Add a mail and plan its sending, unless the shop had it switched off when its cause happened (now, if
        not given); the same mail twice is one. A mere repetition adds no second mail with this template, though
        the address may have been corrected since.
        """
        if (mail.shop, mail.cause_id, mail.template) in self._written:
            return
        self._decided.setdefault(mail.id, mail)
        self._caused_at.setdefault(mail.id, caused_at or self.unit.now)

    async def save(self) -> None:
        """Write new recipients and mails and plan the mails' sending."""
        if self._met:
            await recipient_store.insert_recipients(self.unit.writes, self._met)
        if self._corrected:
            await recipient_store.correct_recipients(self.unit.writes, list(self._corrected.values()))
        await self.texts.save()
        await self.rules.save()
        await self.holds.save()
        if self._decided:
            self._decided = await self.rules.due(self._decided, self._caused_at)
        if self._decided:
            self._decided = await plan_mails(self.unit, self._decided.values())
        if self._decided and not self.unit.has_effects:
            self.unit.emit(self._unsent())
        if self._forgotten:
            await self.unit.writes.send()
            await erasure_store.forget_orders(self.unit.connection, self._forgotten, self.unit.now)
        for mail, actor, command, again in self.requested_again:
            await resending.carry_out(self.unit, mail, actor, command, again=again)
        for step in self.last_steps:
            await step(self.unit)
        if self.unit.has_effects:
            self.unit.after_commit(self._keep)

    def _unsent(self) -> MailUncertain:
        """Return the report on mails that a replay added: staff decide, since they may have been sent before."""
        return MailUncertain(
            mails=[
                resending.report(mail, self.unit.why_without_effects, self.unit)
                for mail in self._decided.values()
            ]
        )

    def _keep(self) -> None:
        recent.keep((mail, self._recipient(mail)) for mail in self._decided.values())

    def _recipient(self, mail: Mail) -> Recipient:
        if mail.order_id is None or not is_about_an_order(mail):
            return without_order(mail)
        return self._recipients[mail.shop, mail.order_id]
