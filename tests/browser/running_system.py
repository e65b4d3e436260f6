"""A running Comptoir with its back office and many shops; every test file uses one of its own.

    async def test_a_cheque_is_taken_in(shop: OwnShop, visit: Visit) -> None:
        [order] = await shop.order(shop.sale(notebooks(2), method=PaymentMethod.CHEQUE))
        visitor = await visit("accountant", f"/orders/{order}", lang="en")

With a shop of its own, a file's lists and counts contain only what its tests created. `OwnShop` is the journeys'
`Shop`: customers order, Stripe reports, the API packs and ships, mails arrive.
"""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from contracts.catalogue import SERVICES
from contracts.sale import Module, SubmittedLine
from deploy.demo.sales.sale import Sale
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.spawning import Launcher
from deploy.local.system import BACKOFFICE, ShopSetup, System
from deploy.samples.merchants import GARANCE
from services.chassis.testing import wait_until
from tests.journeys.sales import INK, NOTEBOOK, PLENTY, a_sale
from tests.journeys.shop import Shop
from tests.lives.living import QUICK

SHOPS = 40
"""More than there are test files; an unused shop costs nothing."""
NAMES = {
    "owner": "Garance Leroy",
    "manager": "Malik Benali",
    "fulfilment": "Fanny Hamon",
    "accountant": "Achille Comte",
}


@dataclass(frozen=True)
class Person:
    """A member of staff who may sign in."""

    login: str
    password: str
    role: str
    name: str


class OwnShop(Shop):
    """A shop that only one test file uses, with the modules shop and events."""

    def __init__(self, system: System, mail_folder: Path, profile: dict[str, str]) -> None:
        super().__init__(system, mail_folder, profile)
        self._people: dict[str, Person] = {}
        self.sessions: dict[str, str] = {}
        """The session's token of each role's shared person, once they have signed in."""

    def sale(self, *lines: SubmittedLine, **changes: Any) -> Sale:
        """Return a sale of this shop: by default two notebooks by card (see `tests.journeys.sales`)."""
        return a_sale(*lines, shop=self.name, **changes)

    async def until_searchable(self, code: str) -> None:
        """Return once an order is found by its words: the search index is written a second after the order."""
        connection = await asyncpg.connect(self.system.databases["orders"])

        async def is_indexed() -> bool:
            return bool(
                await connection.fetchval(
                    """SELECT 1 FROM orders JOIN order_search USING (order_id) WHERE orders.shop = $1 AND code = $2
                       AND order_id NOT IN (SELECT order_id FROM order_search_due)""",
                    self.name,
                    code,
                )
            )

        try:
            await wait_until(is_indexed)
        finally:
            await connection.close()

    async def person(self, role: str = "owner") -> Person:
        """Return the shop's shared person of a role."""
        if role not in self._people:
            self._people[role] = await self.hire(role)
        return self._people[role]

    async def hire(self, role: str = "owner", name: str | None = None) -> Person:
        """Add and return a new person, for a test that changes a person's stored data (language, password, role)."""
        login = f"{role}.{secrets.token_hex(4)}@{self.name}.example.org"
        person = Person(login, secrets.token_urlsafe(15), role, name or NAMES[role])
        await self.system.add_staff(self.name, login, person.password, role, person.name)
        return person


class RunningSystem:
    """The running system and its unused shops."""

    def __init__(self, folder: Path, postgres: Postgres, rabbitmq: RabbitMQ, launcher: Launcher) -> None:
        self.mail_folder, (port,) = folder / "mails", free_ports(1)
        self.mail_folder.mkdir(parents=True)
        self._free = [_profile(number) for number in range(1, SHOPS + 1)]
        mailbox = [sys.executable, "-m", "tests.journeys.mailbox", "--port", str(port)]
        self.system = System(
            folder,
            postgres,
            rabbitmq,
            [ShopSetup(profile, ()) for profile in self._free],
            overrides=dict.fromkeys((*SERVICES, BACKOFFICE), QUICK),
            mail_argv=[*mailbox, "--journal", folder / "mails.jsonl", "--folder", self.mail_folder],
            smtp_port=port,
            launcher=launcher,
        )
        self.system.accounts.is_stripe_shared = True

    @property
    def origin(self) -> str:
        """Return the origin of the back office."""
        return self.system.url(BACKOFFICE)

    async def take_shop(self) -> OwnShop:
        """Return an unused shop, to be entered with `async with`."""
        profile = self._free.pop(0)
        await self.system.open_modules(profile["shop"], (Module.SHOP.value, Module.EVENTS.value))
        return OwnShop(self.system, self.mail_folder, profile)


async def fill_shelves(shop: OwnShop) -> None:
    """Set the stock of the articles of `tests.journeys.sales` to plenty."""
    await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})


def _profile(number: int) -> dict[str, str]:
    shop = f"maison-{number:02d}"
    mail = f"{shop}.example.org"
    own = {"shop": shop, "merchant_email": f"commandes@{mail}", "from_email": f"boutique@{mail}"}
    return {**GARANCE.profile, **own}
