"""Unit of work for recipients and mails: existing ones loaded at once, new ones written at once.

Nothing is locked: both kinds of rows are written once, except for an order's edits of its recipient. A mail
and its effect are planned in the same transaction, so there is never a mail without an effect that sends it
nor an effect without its mail.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.notifier import MailUncertain
from services.chassis.messaging.store import SAID_AGAIN
from services.chassis.messaging.subscribers import UnitOfWork
from services.chassis.messaging.unit import Unit
from services.notifier.mails import resending, store
from services.notifier.mails.mail import Mail, Recipient, Template
from services.notifier.mails.needs import MailNeeds
from services.notifier.mails.recent import recent
from services.notifier.mails.settings import ShopProfile, shop_directory

MAIL = "mail"
"""The kind of the effect that sends a mail; its key is the mail's id."""


TEMPLATE = "template"
"""The part of its mail stored in the effect: the template's name."""


class MailUnit(UnitOfWork[MailNeeds]):
    """Orders' recipients and planned mails of one unit."""

    needs = MailNeeds

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._addressees: dict[store.OrderKey, Recipient] = {}
        self._met: list[Recipient] = []
        self._corrected: dict[store.OrderKey, Recipient] = {}
        self._forgotten: dict[store.OrderKey, datetime] = {}
        self._decided: dict[UUID, Mail] = {}
        self._mails: dict[UUID, Mail] = {}
        self._written: set[tuple[str, UUID, Template]] = set()
        self.asked: list[tuple[Mail, str, Envelope, bool]] = []

    async def load(self, needs: MailNeeds) -> None:
        """Load the recipients of the orders whose customers will be notified, and the mails commands name."""
        connection = self.unit.connection
        if needs.recipients:
            found = await store.read_addressees(connection, sorted(needs.recipients))
            self._addressees |= {(addressee.shop, addressee.order_id): addressee for addressee in found}
        if needs.mails:
            self._mails = {mail.id: mail for mail in await store.read_mails(connection, sorted(needs.mails))}
        if needs.causes and not self.unit.has_effects:
            self._written = await store.read_written(connection, sorted(needs.causes))

    def mail(self, identifier: UUID) -> Mail | None:
        """Return a mail that a command of this batch names, if it exists."""
        return self._mails.get(identifier)

    def shop(self, name: str) -> ShopProfile:
        """Return a shop's profile. Raises ShopUnknown."""
        return shop_directory().profile(name)

    def addressee(self, shop: str, order_id: UUID) -> Recipient | None:
        """Return an order's recipient, if the order was received."""
        return self._addressees.get((shop, order_id))

    def meet(self, addressee: Recipient) -> None:
        """Add a new order's recipient."""
        self._addressees.setdefault((addressee.shop, addressee.order_id), addressee)
        self._met.append(addressee)

    def correct(self, addressee: Recipient) -> None:
        """Record an edit of an order's recipient."""
        key = addressee.shop, addressee.order_id
        self._addressees[key] = self._corrected[key] = addressee

    def forget(self, addressee: Recipient, deleted_at: datetime) -> None:
        """Remove all data of a deleted order's customer."""
        key = addressee.shop, addressee.order_id
        self._addressees[key] = replace(addressee, deleted_at=deleted_at)
        self._forgotten[key] = deleted_at
        decided = self._decided.items()
        self._decided = {of: mail for of, mail in decided if (mail.shop, mail.order_id) != key}

    def decide(self, mail: Mail) -> None:
        """Add a mail and plan its sending; the same mail twice is one. A mere repetition adds no second mail
        with this template, though the address may have been corrected since.
        """
        if (mail.shop, mail.cause_id, mail.template) in self._written:
            return
        self._decided.setdefault(mail.id, mail)

    async def save(self) -> None:
        """Write new recipients and mails and plan the mails' sending."""
        if self._met:
            await store.insert_addressees(self.unit.writes, self._met)
        if self._corrected:
            await store.correct_addressees(self.unit.writes, list(self._corrected.values()))
        if self._decided:
            await store.insert_mails(self.unit.writes, list(self._decided.values()))
        for identifier, mail in self._decided.items():
            self.unit.plan(MAIL, str(identifier), {TEMPLATE: mail.template.value})
        if self._decided and not self.unit.has_effects:
            self.unit.emit(self._unsent())
        if self._forgotten:
            await self.unit.writes.send()
            await store.forget_orders(self.unit.connection, self._forgotten, self.unit.now)
        for mail, actor, command, again in self.asked:
            await resending.carry_out(self.unit, mail, actor, command, again=again)
        if self.unit.has_effects:
            self.unit.after_commit(self._keep)

    def _unsent(self) -> MailUncertain:
        """Return the report on mails that a replay added: a person decides, since they may have been sent before."""
        return MailUncertain(
            mails=[resending.report(mail, SAID_AGAIN, self.unit) for mail in self._decided.values()]
        )

    def _keep(self) -> None:
        recent.keep((mail, self._addressees[mail.shop, mail.order_id]) for mail in self._decided.values())
