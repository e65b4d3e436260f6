"""Two hundred seeded shuffles of a whole life, each message three times, through the real broker.

One order goes through its life on a whole system. Then each service alone receives two hundred copies of its
messages of that life (and nothing that other services publish about the copies): shuffled, tripled, all at once,
with its webhooks. In the end every copy's rows equal the original's, row by row, and the mail server has each mail
once.
"""

import asyncio
import importlib
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import aio_pika
import asyncpg
import httpx2
import pytest

from contracts.catalogue import SERVICES, queues_of
from contracts.fulfillment.stock import SetStock, StockLevel
from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.sales.sale import OnlineStory
from deploy.demo.script import Script
from deploy.demo.standins.provider import sign
from deploy.local.mailserver import read_journal
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.system import System
from tests.journeys.recorded_life import Life, Received, record, rename_back
from tests.lives.living import SETUP, History, some_lives
from tests.lives.timeline import where_everything_stands
from tests.preloading import Preloaded

SHUFFLES = 200
TIMES = 3
DEADLINE_SECONDS = 120.0
MUCH = 900_000
DERIVED = {
    "orders": {"code", "content_hash"},
    "payments": {"id", "deliveries"},
    "fulfillment": set[str](),
    "notifier": {"id", "message_id", "thread_mail_id"},
}
"""Columns computed from an id by a one-way function, which cannot be renamed back, and counters of repeats."""
NOT_OF_ONE_LIFE = {"stock_level", "msg.effect", "command"}
"""Tables shared by all lives, or (commands) with the service's own requests."""


@pytest.mark.timeout(600)
async def test_any_order_any_repetition(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> None:
    async with System(parts_folder / "shuffles", postgres, rabbitmq, [SETUP], launcher=preloaded) as system:
        life = await _live_once(system)
        copies = [life.under_other_names() for _ in range(SHUFFLES)]
        for service in SERVICES:
            await system.supervisor.stop(service)
        for service in SERVICES:
            await system.purge(service)
            await system.start(service)
            if service == "fulfillment":
                await _publish(system, [_plenty(life)])
            await _receive_all(system, service, [copy for copy, _ in copies])
            await _until_received(system, service, SHUFFLES * len(life.consumed_by(service)))
            await system.supervisor.stop(service)
            await _compare(system, service, life, copies)
        mails = Counter(mail.message_id for mail in read_journal(system.mail_journal))
        assert set(mails.values()) == {1}
        assert len(mails) == (SHUFFLES + 1) * 3


async def _live_once(system: System) -> Life:
    """Return the recorded life of an order paid by card, with parcels, a shipment with its mail, and a delivery."""
    found = [
        (script, sale)
        for script in (some_lives(4) for _ in range(20))
        for sale in script.sales
        if sale.provider == "stripe"
        and sale.story.online is OnlineStory.TWICE
        and len(sale.story.dispatches) == 1
        and sale.story.dispatches[0].is_delivered
        and sale.story.dispatches[0].notify_customer
    ]
    script, sale = found[0]
    history = History(system)
    outcome = await history.play(Script(script.merchant, script.stock, [sale]))
    assert outcome.wrong == []
    assert await history.violations() == []
    async with MerchantDesk(system.url("orders"), system.secrets.api_tokens[sale.submission.shop]) as desk:
        code = (await desk.order(sale.event_id))["code"]
    return await record(system, sale, code)


def _plenty(life: Life) -> Received:
    """Return a stock count that is enough for all copies."""
    [submission] = [
        message for message in life.messages if message.envelope.type == "storefront.order.submitted.v1"
    ]
    lines = json.loads(submission.body)["lines"]
    levels = [StockLevel(sku=sku, on_hand=MUCH) for sku in sorted({line["sku"] for line in lines})]
    [placed] = [message for message in life.messages if message.envelope.type == "orders.order.placed.v1"]
    command = SetStock(shop=str(placed.envelope.shop), levels=levels, actor="test")
    copy, _ = life.under_other_names()
    [other] = [message for message in copy.messages if message.envelope.type == "orders.order.placed.v1"]
    envelope = other.envelope.resent(type="orders.stock.set.v1", subject=None, sequence=None)
    return Received("orders", envelope, command.model_dump_json())


async def _receive_all(system: System, service: str, copies: Sequence[Life]) -> None:
    """Publish every copy's messages three times, each copy shuffled by its own seed; post its webhooks in between."""
    piles = []
    for seed, copy in enumerate(copies):
        pile: list[Received | str] = [*copy.consumed_by(service)] * TIMES
        if service == "payments":
            pile += list(copy.webhooks) * TIMES
        random.Random(seed).shuffle(pile)
        piles.append(pile)
    for start in range(0, len(piles), 10):
        window = [item for pile in piles[start : start + 10] for item in pile]
        await asyncio.gather(
            _publish(system, [item for item in window if isinstance(item, Received)]),
            _post(system, [item for item in window if isinstance(item, str)]),
        )


async def _publish(system: System, pile: Sequence[Received]) -> None:
    """Publish in this order, each sender with its own connection and login."""
    by_user: defaultdict[str, list[Received]] = defaultdict(list)
    for message in pile:
        by_user[message.user].append(message)
    await asyncio.gather(*(_publish_as(system, user, messages) for user, messages in by_user.items()))


async def _publish_as(system: System, user: str, messages: Sequence[Received]) -> None:
    async with await aio_pika.connect(system.amqp_url(user)) as connection:
        channel = await connection.channel(on_return_raises=False)
        exchange = await channel.get_exchange(user.partition(".")[0], ensure=False)
        await asyncio.gather(
            *(
                exchange.publish(
                    aio_pika.Message(
                        message.body.encode(),
                        headers=dict(message.envelope.headers()),
                        delivery_mode=2,
                        user_id=user,
                    ),
                    message.envelope.type,
                )
                for message in messages
            )
        )


async def _post(system: System, bodies: Sequence[str]) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        for body in bodies:
            header = sign(body.encode(), system.accounts.stripe_secret, int(time.time()))
            answer = await http.post(
                system.webhook_url(SETUP.shop),
                content=body.encode(),
                headers={"Stripe-Signature": header, "Content-Type": "application/json"},
            )
            assert answer.is_success


async def _until_received(system: System, service: str, messages: int) -> None:
    """Wait until the queues are empty, every copy of a message is in the inbox and no message is waiting."""
    connection = await asyncpg.connect(system.databases[service])
    before = time.monotonic()
    try:
        while True:
            known = await connection.fetchval("SELECT count(*) FROM msg.inbox")
            restless = await connection.fetchval(
                """SELECT (SELECT count(*) FROM msg.parked WHERE state IN ('waiting', 'dead'))
                        + (SELECT count(*) FROM msg.effect WHERE state IN ('planned', 'in_flight'))"""
            )
            if service == "payments":
                restless += await connection.fetchval(
                    "SELECT count(*) FROM webhook WHERE state IN ('received', 'waiting')"
                )
            if known >= messages and not restless and await _queues_are_empty(system, service):
                return
            if time.monotonic() - before > DEADLINE_SECONDS:
                stand = await where_everything_stands(system)
                raise AssertionError(f"{service} knows {known} of {messages}, {restless} wait\n{stand}")
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def _queues_are_empty(system: System, service: str) -> bool:
    async with await aio_pika.connect(system.amqp_url(service)) as connection:
        channel = await connection.channel()
        for queue in queues_of(service):
            if (await channel.declare_queue(queue, passive=True)).declaration_result.message_count:
                return False
    return True


async def _compare(
    system: System, service: str, life: Life, copies: Sequence[tuple[Life, dict[str, str]]]
) -> None:
    original = set(life.names)
    owner: dict[str, int] = {}
    for number, (copy, _) in enumerate(copies):
        owner |= dict.fromkeys(copy.names, number)
    connection = await asyncpg.connect(system.databases[service])
    differing: list[str] = []
    compared = 0
    for table, columns in _columns(service).items():
        kept = [column for column in columns if column.removesuffix("::text") not in DERIVED[service]]
        rows = await connection.fetch(f"SELECT {', '.join(kept)} FROM {table}")  # noqa: S608
        lived: list[str] = []
        copied: defaultdict[int, list[str]] = defaultdict(list)
        for row in rows:
            text = json.dumps([str(value) for value in row.values()], ensure_ascii=False)
            names = set(_names_in(text))
            if names & original:
                lived.append(text)
            elif clients := {owner[name] for name in names if name in owner}:
                [number] = clients
                copied[number].append(rename_back(text, copies[number][1]))
        compared += len(lived)
        differing += [
            f"{table} of copy {number}: {Counter(copied[number]) - Counter(lived)} "
            f"instead of {Counter(lived) - Counter(copied[number])}"
            for number in range(len(copies))
            if Counter(copied[number]) != Counter(lived)
        ]
    await connection.close()
    assert compared >= 4, f"the original life left {compared} rows at {service}: there is nothing to compare"
    assert not differing, "\n".join(differing[:3])


def _columns(service: str) -> dict[str, tuple[str, ...]]:
    tables = importlib.import_module(f"tests.{service}.tables")
    columns = getattr(tables, "EQUAL_COLUMNS", None) or tables.EQUAL_AFTER_SHUFFLE
    return {table: names for table, names in columns.items() if table not in NOT_OF_ONE_LIFE}


def _names_in(text: str) -> list[str]:
    return re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:pi|evt)_[0-9a-f]{24}", text)
