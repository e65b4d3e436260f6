"""The floor: the rows and messages of real orders written again as fast as the same libraries can, with no rules.

A process takes a service's place. It hears the service's queues, and for up to a hundred messages at a time writes
with one `unnest` statement per table the inbox rows, the event log, the outbox and, at the first message of a life,
every row the service ever holds of that order; then it acks and publishes with pipelined confirms what the service
said next. Nothing is parsed, checked, loaded or locked; in-between states of rows are not written at all. Mails are raw
commands and one ready-made text. So it is what any program with these guarantees has to pay.

`python -m tests.bench.floor`: the plan comes as JSON in the environment variable BENCH_FLOOR_PLAN. What was committed
when is written to the file `report` as JSON lines [second, {type: messages}].
"""

import asyncio
import json
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID, uuid4

import aio_pika
import aiormq
import asyncpg
import uvloop
from aiormq import spec
from aiormq.abc import DeliveredMessage

from contracts.catalogue import queues_of
from contracts.envelope import CONTENT_TYPE, PREFIX, uuid7
from services.chassis.storage.partitions import keep_partitions
from tests.bench.raw_smtp import Mails
from tests.bench.sequel import (
    PLACED,
    SUBMITTED,
    Published,
    mails_after,
    mails_reported,
    read_mail_sent,
    read_sequels,
    read_types,
)
from tests.bench.template import Table, read_tables, shifted

BATCH = 100
PREFETCH = 300
IN_FLIGHT = 256
LEAVE_SECONDS = 8.0
LEASE = timedelta(seconds=10)
INBOX = """INSERT INTO msg.inbox (event_id, source, consumer, seen_at)
    SELECT event_id, source, $3, $4 FROM unnest($1::uuid[], $2::text[]) AS k (event_id, source) ORDER BY 1, 2
    ON CONFLICT DO NOTHING"""
LOG = """INSERT INTO msg.event_log
    (id, type, time, shop, subject, sequence, correlation_id, causation_id, traceparent, body)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                         $8::uuid[], $9::text[], $10::bytea[])"""
DISPATCH = """INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until)
    SELECT d.*, $6, $7 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[]) AS d"""
SHELVES = "INSERT INTO stock_level VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
FORGET = "DELETE FROM msg.dispatch WHERE id = ANY($1)"
Outgoing = tuple[UUID, UUID, Published, bytes]
"""Dispatch id, event id, what was said, body."""


class Floor:
    """One service's place."""

    def __init__(self, plan: dict[str, Any], pool: Any, report: TextIO) -> None:
        self.service: str = plan["service"]
        self.order_ids = [UUID(each) for each in plan["order_ids"]]
        self._plan, self._pool, self._report = plan, pool, report
        self._received: Counter[str] = Counter()
        self._tables: list[Table] = []
        self._sequels: dict[str, Any] = {}
        self._mail_sent: Published | None = None
        self._relay_queue: deque[Outgoing] = deque()
        self._relay_work = asyncio.Event()
        self._relay_is_busy = False
        self._mails: Mails | None = None
        self._first = SUBMITTED if self.service == "orders" else PLACED

    async def learn(self) -> None:
        """Read what our own services wrote and said about the sample of orders."""
        sources = {name: await asyncpg.connect(url) for name, url in self._plan["sources"].items()}
        own = sources[self.service]
        types = await read_types(sources, self.order_ids)
        self._tables = await read_tables(own, self.order_ids)
        self._sequels = dict(await read_sequels(self.service, own, self.order_ids, types))
        if self.service == "notifier":
            self._mail_sent = await read_mail_sent(own)
            self._mails = Mails("127.0.0.1", self._plan["smtp_port"])
        shelves = await own.fetch("SELECT * FROM stock_level") if self.service == "fulfillment" else []
        async with self._pool.acquire() as connection:
            await keep_partitions(connection, datetime.now(UTC).date(), 45, 30)
            if shelves:
                await connection.executemany(SHELVES, [tuple(row) for row in shelves])
        for connection in sources.values():
            await connection.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop."""
        listener = await aio_pika.connect(self._plan["amqp_url"])
        speaking = await aio_pika.connect(self._plan["amqp_url"])
        channel = await (await speaking.channel(publisher_confirms=True)).get_underlay_channel()
        loops = [asyncio.create_task(self._relay(channel))]
        loops += [
            asyncio.create_task(await self._receive(listener, queue)) for queue in queues_of(self.service)
        ]
        done, _ = await asyncio.wait(
            [asyncio.create_task(stop.wait()), *loops], return_when=asyncio.FIRST_COMPLETED
        )
        for loop in loops:
            if loop in done:
                loop.result()
        await asyncio.wait_for(self._all_left(), LEAVE_SECONDS)
        for loop in loops:
            loop.cancel()
        await listener.close()
        await speaking.close()

    async def _receive(self, connection: Any, queue: str) -> Any:
        channel = await (await connection.channel()).get_underlay_channel()
        await channel.basic_qos(prefetch_count=PREFETCH)
        arrived: deque[DeliveredMessage] = deque()
        work = asyncio.Event()

        async def collect(message: DeliveredMessage) -> None:
            arrived.append(message)
            work.set()

        await channel.basic_consume(queue, collect)
        return self._commit_all(channel, arrived, work)

    async def _commit_all(
        self, channel: aiormq.abc.AbstractChannel, arrived: deque[DeliveredMessage], work: asyncio.Event
    ) -> None:
        while True:
            await work.wait()
            work.clear()
            while arrived:
                batch = [arrived.popleft() for _ in range(min(len(arrived), BATCH))]
                await self._commit(batch)
                assert batch[-1].delivery_tag is not None
                await channel.basic_ack(batch[-1].delivery_tag, multiple=True, wait=False)

    async def _commit(self, batch: Sequence[DeliveredMessage]) -> None:
        headers = [message.header.properties.headers or {} for message in batch]
        types = Counter(str(each[PREFIX + "type"]) for each in headers)
        clones = {received: self._clones(received, count) for received, count in types.items()}
        outgoing = self._published(clones)
        mails = sum(mails_after(received) * count for received, count in types.items()) if self._mails else 0
        if self._mails and mails:
            await self._mails.send(mails)
            assert self._mail_sent is not None
            outgoing.append((uuid4(), uuid7(), self._mail_sent, mails_reported(self._mail_sent, mails)))
        async with self._pool.acquire() as connection, connection.transaction():
            await self._write(connection, headers, clones.get(self._first, []), outgoing)
        self._relay_queue.extend(one for one in outgoing if one[2].exchange is not None)
        self._relay_work.set()
        self._report.write(json.dumps([time.time(), types]) + "\n")

    def _clones(self, event_type: str, count: int) -> list[tuple[int, int]]:
        """Which of the sample's orders these messages stand for, and under which clone number."""
        start = self._received[event_type]
        self._received[event_type] += count
        size, first = len(self.order_ids), self._plan["first_clone"]
        return [(number % size, first + number // size) for number in range(start, start + count)]

    def _published(self, clones: dict[str, list[tuple[int, int]]]) -> list[Outgoing]:
        return [
            (uuid4(), shifted(event.envelope.id, clone) or uuid7(), event, event.body)
            for received, wanted in clones.items()
            if received in self._sequels
            for rank, clone in wanted
            for event in self._sequels[received][rank]
        ]

    async def _write(
        self,
        connection: Any,
        headers: Sequence[Any],
        first_clones: Sequence[tuple[int, int]],
        outgoing: Sequence[Outgoing],
    ) -> None:
        now = datetime.now(UTC)
        ids = [UUID(each[PREFIX + "id"]) for each in headers]
        await connection.execute(INBOX, ids, [each[PREFIX + "source"] for each in headers], self.service, now)
        for table in self._tables:
            columns = table.cloned(first_clones)
            if columns is not None:
                await connection.execute(table.statement, *columns)
        if outgoing:
            await connection.execute(LOG, *_log_columns(outgoing))
        leaving = [one for one in outgoing if one[2].exchange is not None]
        if leaving:
            await connection.execute(DISPATCH, *_dispatch_columns(leaving), uuid4(), now + LEASE)

    async def _all_left(self) -> None:
        """What was said is published and forgotten: the next process finds an empty outbox."""
        while self._relay_queue or self._relay_is_busy:
            await asyncio.sleep(0.01)

    async def _relay(self, channel: Any) -> None:
        while True:
            await self._relay_work.wait()
            self._relay_work.clear()
            while self._relay_queue:
                self._relay_is_busy = True
                count = min(len(self._relay_queue), IN_FLIGHT)
                batch = [self._relay_queue.popleft() for _ in range(count)]
                await asyncio.gather(*(_publish(channel, one, self.service) for one in batch))
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute("SET LOCAL synchronous_commit = off")
                    await connection.execute(FORGET, [one[0] for one in batch])
            self._relay_is_busy = False


def _log_columns(outgoing: Sequence[Outgoing]) -> list[list[Any]]:
    envelopes = [one.envelope for _, _, one, _ in outgoing]
    return [
        [event_id for _, event_id, _, _ in outgoing],
        [e.type for e in envelopes],
        [e.time for e in envelopes],
        [e.shop for e in envelopes],
        [e.subject for e in envelopes],
        [e.sequence for e in envelopes],
        [e.correlation_id for e in envelopes],
        [e.causation_id for e in envelopes],
        [e.traceparent for e in envelopes],
        [body for _, _, _, body in outgoing],
    ]


def _dispatch_columns(leaving: Sequence[Outgoing]) -> list[list[Any]]:
    return [
        [one[0] for one in leaving],
        [one[1] for one in leaving],
        [one[2].exchange for one in leaving],
        [one[2].routing_key for one in leaving],
        [one[2].mandatory for one in leaving],
    ]


async def _publish(channel: Any, outgoing: Outgoing, service: str) -> None:
    dispatch_id, event_id, published, body = outgoing
    headers: dict[str, Any] = {**published.envelope.headers(), PREFIX + "id": str(event_id)}
    await channel.basic_publish(
        body,
        exchange=published.exchange,
        routing_key=published.routing_key,
        properties=spec.Basic.Properties(
            content_type=CONTENT_TYPE,
            headers=headers,
            delivery_mode=2,
            correlation_id=published.envelope.correlation_id,
            message_id=str(dispatch_id),
            timestamp=published.envelope.time,
            message_type=published.envelope.type,
            app_id=service,
        ),
        mandatory=published.mandatory,
        wait=False,
    )


async def main(plan: dict[str, Any]) -> None:
    """Stand in for a service until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    pool = await asyncpg.create_pool(plan["database_url"], min_size=2, max_size=6)
    with Path(plan["report"]).open("a", buffering=1) as report:  # noqa: ASYNC230 - once, at the start
        floor = Floor(plan, pool, report)
        await floor.learn()
        await floor.run(stop)
    pool.terminate()


if __name__ == "__main__":
    uvloop.run(main(json.loads(os.environ["BENCH_FLOOR_PLAN"])))
