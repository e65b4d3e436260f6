"""The addressees and mails of one unit: known ones loaded at once, new ones written at once.

Nothing is locked: both kinds of rows are written once. A mail and its effect are planned in the same transaction, so
there is never a mail that nobody will send nor an effect without its mail.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.fulfillment import ShipmentDispatched
from services.chassis.subscribers import Book, Delivery
from services.chassis.unit import Unit
from services.notifier import store
from services.notifier.mail import Addressee, Mail
from services.notifier.recent import recent
from services.notifier.settings import ShopProfile, shop_directory

MAIL = "mail"
"""The kind of the effect that sends a mail; its key is the mail's id."""


class MailBook(Book):
    """What one unit knows of orders and decides to write."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self._addressees: dict[store.OrderKey, Addressee] = {}
        self._met: list[Addressee] = []
        self._decided: dict[UUID, Mail] = {}

    async def load(self, deliveries: Sequence[Delivery[Any]]) -> None:
        """Load the addressees of the orders whose customers will be told of a shipment."""
        wanted = {
            (delivery.message.shop, delivery.message.order_id)
            for delivery in deliveries
            if isinstance(delivery.message, ShipmentDispatched) and delivery.message.notify_customer
        }
        if wanted:
            found = await store.read_addressees(self.unit.connection, sorted(wanted))
            self._addressees |= {(addressee.shop, addressee.order_id): addressee for addressee in found}

    def shop(self, name: str) -> ShopProfile:
        """A shop's profile. Raises UnknownShop."""
        return shop_directory().profile(name)

    def addressee(self, shop: str, order_id: UUID) -> Addressee | None:
        """An order's addressee, if the order is known."""
        return self._addressees.get((shop, order_id))

    def meet(self, addressee: Addressee) -> None:
        """Keep a new order's addressee."""
        self._addressees.setdefault((addressee.shop, addressee.order_id), addressee)
        self._met.append(addressee)

    def decide(self, mail: Mail) -> None:
        """Write a mail and plan its sending; the same mail twice is one."""
        self._decided.setdefault(mail.id, mail)

    async def save(self) -> None:
        """Write new addressees and mails and plan the mails' sending."""
        if self._met:
            await store.insert_addressees(self.unit.connection, self._met)
        if self._decided:
            await store.insert_mails(self.unit.connection, list(self._decided.values()))
        for identifier in self._decided:
            self.unit.plan(MAIL, str(identifier), {})
        self.unit.after_commit(self._keep)

    def _keep(self) -> None:
        recent.keep((mail, self._addressees[mail.shop, mail.order_id]) for mail in self._decided.values())
