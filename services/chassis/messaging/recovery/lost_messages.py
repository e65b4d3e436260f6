"""Lost messages of a queue: found by comparing the sender's log with the consumer's inbox, then sent again.

Sender and consumer each have half of the record, so an operator of both asks the sender for what it sent and
the consumer for what of it was never handled. The messages are sent unmarked, not as a replay: commands, and
events with their effects; the inbox prevents that a message which was handled after all is handled twice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from contracts.catalogue import SERVICES, consumed_by, queue_of, queues_of
from contracts.envelope import uuid7, uuid7_floor, uuid7_time
from services.chassis.messaging.process import Transactions
from services.chassis.messaging.recovery import lost_store, operations_store
from services.chassis.messaging.recovery.known_shop import check_shop, named_shop

log = structlog.get_logger()
MOST_AT_ONCE = 5000
"""The most messages that one request or response may name."""


class CannotCompare(Exception):
    """The request is invalid; the text names what to send instead."""


async def sent(
    process: Transactions, body: Mapping[str, Any], since: datetime, until: datetime
) -> dict[str, Any]:
    """Return the messages this service sent to a consumer in a period: `messages` with id and type, and
    `next`, the last id of a full page, which is the `after` of the following one. Raises CannotCompare, ShopUnknown."""
    queue, types = _consumed(process.service, body)
    after = _id(body["after"]) if body.get("after") else uuid7_floor(since)
    async with process.acquire() as connection:
        await check_shop(connection, process.service, body)
        rows = await lost_store.read_sent(
            connection, queue, types, after, uuid7_floor(until), MOST_AT_ONCE, named_shop(body)
        )
    last = rows[-1]["id"] if len(rows) == MOST_AT_ONCE else None
    return {"messages": [{"id": row["id"], "type": row["type"]} for row in rows], "next": last}


async def unheard(process: Transactions, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return which `ids` of a `sender` this service neither handled (other than in a replay) nor parked.
    Raises CannotCompare."""
    sender = str(body.get("sender", ""))
    if queue_of(process.service, sender) not in queues_of(process.service):
        raise CannotCompare(f"sender must be a service from which {process.service} receives messages")
    async with process.acquire() as connection:
        found = await lost_store.read_unheard(connection, process.service, f"/{sender}", _ids(body))
    return {"ids": found}


async def send_again(process: Transactions, body: Mapping[str, Any], actor: str) -> dict[str, Any]:
    """Send the messages of these `ids` to a `consumer` again, not as a replay; return how many. Raises
    CannotCompare."""
    queue, types = _consumed(process.service, body)
    if not (ids := _ids(body)):
        return {"queue": queue, "messages": 0}
    async with process.unit() as unit:
        count = await lost_store.send_again(
            unit.connection, process.service, queue, types, ids, process.owner, named_shop(body)
        )
        span = uuid7_time(min(ids)), uuid7_time(max(ids))
        await operations_store.note_replay(
            unit.connection,
            uuid7(),
            queue,
            types,
            *span,
            count,
            actor,
            unit.now,
            shop=named_shop(body),
            is_whole=True,
        )
    log.info("sent again", actor=actor, queue=queue, messages=count)
    return {"queue": queue, "messages": count}


def _consumed(service: str, body: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the queue of the consumer and every type it receives from this service, commands too."""
    consumer = str(body.get("consumer", ""))
    queue = queue_of(consumer, service)
    if queue not in queues_of(consumer):
        raise CannotCompare(no_such_consumer(service, consumer))
    return queue, [entry.type for entry in consumed_by(consumer) if entry.sender == service]


def no_such_consumer(service: str, consumer: str) -> str:
    """Return why a consumer can't be one of a service's messages, with those that are."""
    names = ", ".join(one for one in SERVICES if queue_of(one, service) in queues_of(one))
    return f"{consumer or 'nobody'} receives no messages from {service}; its consumers are: {names or 'none'}"


def _ids(body: Mapping[str, Any]) -> list[UUID]:
    named = body.get("ids")
    if not isinstance(named, list) or len(named) > MOST_AT_ONCE:
        raise CannotCompare(f"give ids as a list of at most {MOST_AT_ONCE:,} message ids")
    return [_id(one) for one in named]


def _id(text: Any) -> UUID:
    try:
        found = UUID(str(text))
    except ValueError:
        raise CannotCompare(f"{str(text)[:40]!r} is not a message id") from None
    if found.version != 7:
        raise CannotCompare(f"{found} is not a message id: it has no time in it")
    return found
