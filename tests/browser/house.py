"""A running Comptoir with its back office and many shops, of which every file of tests takes one for itself.

    async def test_a_cheque_is_taken_in(shop: OwnShop, visit: Visit) -> None:
        [order] = await shop.order(shop.sale(notebooks(2), method=PaymentMethod.CHEQUE))
        visitor = await visit("accountant", f"/orders/{order}", lang="en")

A shop of its own means that lists and counts hold what the file's tests put there and nothing else. `OwnShop` is the
journeys' `Shop`: customers order, Stripe reports, the API packs and ships, letters arrive.
"""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.catalogue import SERVICES
from contracts.storefront import Module, SubmittedLine
from deploy.demo.sales.merchant import GARANCE
from deploy.demo.sales.sale import Sale
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.system import BACKOFFICE, ShopSetup, System
from tests.journeys.sales import INK, NOTEBOOK, PLENTY, a_sale
from tests.journeys.shop import Shop
from tests.lives.living import QUICK

SHOPS = 40
"""More than there are files of tests; a shop that nobody takes costs nothing."""
NAMES = {
    "owner": "Garance Leroy",
    "manager": "Malik Benali",
    "fulfilment": "Fanny Hamon",
    "accountant": "Achille Comte",
}


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in."""

    login: str
    password: str
    role: str
    name: str


class OwnShop(Shop):
    """A shop that only one file of tests uses, open for shop and events."""

    def __init__(self, system: System, letters: Path, profile: dict[str, str]) -> None:
        super().__init__(system, letters, profile)
        self._people: dict[str, Person] = {}

    def sale(self, *lines: SubmittedLine, **changes: Any) -> Sale:
        """A sale of this shop: two notebooks by card unless said otherwise (see `tests.journeys.sales`)."""
        return a_sale(*lines, shop=self.name, **changes)

    async def person(self, role: str = "owner") -> Person:
        """The shop's one person of a role; tests share them."""
        if role not in self._people:
            self._people[role] = await self.hire(role)
        return self._people[role]

    async def hire(self, role: str = "owner", name: str | None = None) -> Person:
        """Somebody new, for a test that changes what is kept of a person (language, password, role)."""
        login = f"{role}.{secrets.token_hex(4)}@{self.name}.example.org"
        person = Person(login, secrets.token_urlsafe(15), role, name or NAMES[role])
        await self.system.add_staff(self.name, login, person.password, role, person.name)
        return person


class House:
    """The system and its free shops."""

    def __init__(self, folder: Path, postgres: Postgres, rabbitmq: RabbitMQ) -> None:
        self.letters, (port,) = folder / "letters", free_ports(1)
        self.letters.mkdir(parents=True)
        self._free = [_profile(number) for number in range(1, SHOPS + 1)]
        postbox = [sys.executable, "-m", "tests.journeys.postbox", "--port", str(port)]
        self.system = System(
            folder,
            postgres,
            rabbitmq,
            [ShopSetup(profile, ()) for profile in self._free],
            overrides=dict.fromkeys((*SERVICES, BACKOFFICE), QUICK),
            mail_argv=[*postbox, "--journal", folder / "mails.jsonl", "--folder", self.letters],
            smtp_port=port,
        )

    @property
    def origin(self) -> str:
        """Where the back office answers."""
        return self.system.url(BACKOFFICE)

    async def take_shop(self) -> OwnShop:
        """A shop that nobody had; to be entered with `async with`."""
        profile = self._free.pop(0)
        await self.system.open_modules(profile["shop"], (Module.SHOP.value, Module.EVENTS.value))
        return OwnShop(self.system, self.letters, profile)


async def fill_shelves(shop: OwnShop) -> None:
    """Plenty of what `tests.journeys.sales` sells."""
    await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})


def _profile(number: int) -> dict[str, str]:
    shop = f"maison-{number:02d}"
    mail = f"{shop}.example.org"
    own = {"shop": shop, "merchant_email": f"commandes@{mail}", "from_email": f"boutique@{mail}"}
    return {**GARANCE.profile, **own}
