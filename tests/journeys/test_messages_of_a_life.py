"""The number of messages of an order's whole life, counted in the services' logs and inboxes, and by the broker.

Every message is work for several processes, so adding one is a deliberate decision, recorded here.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from urllib.parse import quote, urlsplit

import asyncpg

from contracts.catalogue import CATALOGUE, SERVICES
from contracts.sale import Module
from contracts.storefront import OrderAccepted
from deploy.auditor.auditing import until_quiet
from deploy.auditor.inputs import open_inputs
from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.sales.orders import demo_sales, demo_stock
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.sales.storefront import Storefront
from deploy.demo.standins.delivering import Journal
from deploy.demo.standins.provider import Provider
from deploy.local.mailserver import read_journal
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.system import PROGRAMS, ShopSetup, System
from deploy.samples.merchants import GARANCE
from deploy.topology import Management
from services.chassis.testing import wait_until
from tests.preloading import Preloaded

MOST_PUBLISHED, MOST_DELIVERED = 17, 20
"""One of them informs the notifier that the order is complete, for the shops that send a mail about it. One
message reports all mails sent in one batch: on a busy machine the recap and the merchant's mail may be sent in two
batches, which is one more.
"""
PATIENCE_SECONDS = 30.0
STARTS = len(PROGRAMS)
"""Each process publishes a message for no queue at its start, to check its right to publish."""
SENT = [entry.type for entry in CATALOGUE.values() if entry.listeners or entry.public]
"""Types that leave a service; the others are only logged."""


async def test_a_whole_life_costs_no_more_messages_than_agreed(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> None:
    sale = plain_life()
    setup = ShopSetup(GARANCE.profile, [sale.module])
    async with System(parts_folder / "messages", postgres, rabbitmq, [setup], launcher=preloaded) as system:
        desk = MerchantDesk(system.url("orders"), system.secrets.api_tokens[GARANCE.shop])
        async with desk:
            await desk.set_stock(demo_stock())
            before = await counted(system, answers=0, submissions=0)
            async with open_storefront(system, sale) as storefront:
                shown = await live(system, desk, sale, storefront)
                after = await counted(system, answers=1, submissions=1)
        mails = len(list(read_journal(system.mail_journal)))
    assert (shown["state"], shown["payment_status"], shown["fulfilment_status"]) == (
        "completed",
        "paid",
        "delivered",
    )
    assert mails >= 2
    published, delivered = (after[key] - before[key] for key in ("published", "delivered"))
    assert 0 < published <= MOST_PUBLISHED, f"{published} messages published in a life"
    assert 0 < delivered <= MOST_DELIVERED, f"{delivered} messages delivered in a life"


def plain_life() -> Sale:
    """Return a card order of the demo, published once, delivered in one parcel, with a dispatch mail."""
    for sale in demo_sales():
        story = sale.story
        goes_all_the_way = len(story.parcels) == 1 and all(each.is_delivered for each in story.dispatches)
        if (
            sale.is_placed
            and sale.copies == 1
            and sale.module == Module.SHOP.value
            and sale.provider == "stripe"
            and story.online is OnlineStory.ONCE
            and goes_all_the_way
            and story.dispatches
            and story.dispatches[0].notify_customer
        ):
            return sale
    raise LookupError("the demo has no card order that is delivered in one parcel with a mail")


@asynccontextmanager
async def open_storefront(system: System, sale: Sale) -> AsyncIterator[Storefront]:
    """Yield the sale's storefront, to be closed after counting: the broker may drop the statistics of a
    short-lived channel.
    """
    url = system.amqp_url(f"storefront.{GARANCE.shop}.{sale.module}")
    storefront = await Storefront(GARANCE.shop, sale.module).open(url)
    try:
        yield storefront
    finally:
        await storefront.close()


async def live(system: System, desk: MerchantDesk, sale: Sale, storefront: Storefront) -> Mapping[str, str]:
    """Run the life, from submission to the completed order."""
    provider = Provider(
        system.webhook_url(GARANCE.shop),
        system.accounts.stripe_secret,
        Journal(system.folder / "webhooks.jsonl"),
        Random(1),
    )
    try:
        await storefront.submit(sale)
        await wait_until(lambda: sale.event_id in storefront.answers, PATIENCE_SECONDS)
        assert isinstance(storefront.answers[sale.event_id], OrderAccepted)
        await provider.report_payment(sale)
        await desk.work_on(sale)

        async def completed() -> Mapping[str, str] | None:
            shown = await desk.order(sale.event_id)
            return shown if shown["state"] == "completed" else None

        return await wait_until(completed, PATIENCE_SECONDS)
    finally:
        await provider.close()


async def counted(system: System, *, answers: int, submissions: int) -> dict[str, int]:
    """Return the number of messages so far, once the system is idle and the broker's counts equal those of our
    tables.
    """
    async with open_inputs(system.databases) as inputs:
        assert await until_quiet(inputs, PATIENCE_SECONDS), "it does not come to rest"
    ours = {"published": submissions + STARTS, "delivered": answers}
    for service in SERVICES:
        connection = await asyncpg.connect(system.databases[service])
        sent = "SELECT count(*) FROM msg.event_log WHERE type = ANY($1)"
        ours["published"] += await connection.fetchval(sent, SENT)
        ours["delivered"] += await connection.fetchval("SELECT count(*) FROM msg.inbox")
        await connection.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (brokers := await asyncio.to_thread(counted_by_broker, system)) != ours:
        assert time.monotonic() < deadline, f"the broker counts {brokers}, our tables {ours}"
        await asyncio.sleep(0.2)
    return ours


def counted_by_broker(system: System) -> dict[str, int]:
    """Return RabbitMQ's counts of published and delivered messages in this virtual host."""
    parts = urlsplit(system.rabbitmq.management_url)
    user, password = quote(system.rabbitmq.user), quote(system.rabbitmq.password)
    address = parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()
    management = Management(address, system.vhost)
    stats = management.get(f"vhosts/{quote(system.vhost, safe='')}").get("message_stats", {})
    return {"published": stats.get("publish", 0), "delivered": stats.get("deliver_get", 0)}
