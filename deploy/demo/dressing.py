"""What a merchant's people have done in the list before somebody looks at it: tags, notes, old orders put away.

Orders' own matters, which no storefront, provider or carrier brings about; done with the very actions that its pages
call, on its database, as the people of the demo.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from pydantic import SecretStr

from deploy.demo.sales.orders import SEED
from deploy.demo.sales.sale import Sale
from deploy.demo.script import Script
from deploy.demo.staff import Staff
from deploy.local.system import System
from deploy.samples.merchants import TAGS
from services.chassis.runtime.hub import Hub
from services.orders.handlers import subscribers
from services.orders.order.settings import OrdersSettings
from services.orders.staff import archiving, commenting, tagging

TAGGED = (0.08, 0.06, 0.10, 0.07, 0.06, 0.04)
"""How many of all orders have each of the first tags."""
NOTES = (
    "Appelé le client : il passera à l’atelier.",
    "Emballer avec du papier de soie.",
    "Adresse vérifiée au téléphone.",
    "Asked for a handwritten card.",
)
NOTED = 0.12
"""So many of all orders have a comment."""
ARCHIVED_AFTER = timedelta(days=30)


async def dress(system: System, script: Script, staff: Staff) -> None:
    """Tag, comment and archive the orders of a script that was played, the same way for the same script."""
    hub = Hub(_settings(system), subscribers, name="demo", consumes=False)
    await hub.open()
    try:
        await _tag(hub, script, staff)
        await _comment(hub, script, staff)
        await _archive(hub, script, staff)
    finally:
        await hub.close()


def _settings(system: System) -> OrdersSettings:
    return OrdersSettings(
        database_url=SecretStr(system.databases["orders"]),
        amqp_url=SecretStr(system.amqp_url("orders")),
        internal_token=SecretStr(system.secrets.internal_token),
        http_port=0,
    )


async def _tag(hub: Hub, script: Script, staff: Staff) -> None:
    chance, actor = Random(SEED), _actor(staff, "manager")
    for (name, colour), share in zip(TAGS, TAGGED, strict=False):
        chosen = _some(chance, script.placed, share)
        async with hub.unit() as unit:
            tag = await tagging.create_tag(unit, script.merchant.shop, name, colour, actor)
            await tagging.tag_orders(unit, script.merchant.shop, chosen, [tag.id], actor)


async def _comment(hub: Hub, script: Script, staff: Staff) -> None:
    chance, actor = Random(SEED + 1), _actor(staff, "fulfilment")
    for order_id in _some(chance, script.placed, NOTED):
        async with hub.unit() as unit:
            await commenting.comment(unit, script.merchant.shop, order_id, chance.choice(NOTES), actor)


async def _archive(hub: Hub, script: Script, staff: Staff) -> None:
    """Those that are not finished are left where they are."""
    before = datetime.now(UTC) - ARCHIVED_AFTER
    old = [sale.event_id for sale in script.placed if sale.submission.submitted_at < before]
    async with hub.unit() as unit:
        await archiving.archive(unit, script.merchant.shop, old, _actor(staff, "owner"))


def _some(chance: Random, sales: Sequence[Sale], share: float) -> list[UUID]:
    return [sale.event_id for sale in chance.sample(sales, max(1, round(share * len(sales))))]


def _actor(staff: Staff, role: str) -> str:
    (person,) = (person for person in staff.people if person.role == role)
    return person.login
