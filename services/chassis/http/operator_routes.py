"""Operators' HTTP routes: statistics, parked messages, replays; all need the internal token.

Invariant: nothing here changes the data a service owns. A retry or replay only delivers a message again, a
discard only records that nobody will handle it; each is recorded as an event or row with the operator's name.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.envelope import uuid7, uuid7_floor, uuid7_time
from contracts.service import MessageDiscarded
from services.chassis.http.bodies import read_object
from services.chassis.http.operator_input import (
    BadRequest,
    consumer_queue,
    entered_actor,
    entered_reason,
    one_or_alike,
    parked_id_before,
    timestamp,
)
from services.chassis.http.paging import LARGEST_PAGE
from services.chassis.http.problems import Errors, problem
from services.chassis.messaging import outbox_store, parked_store
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.process import Process
from services.chassis.messaging.rates import Rates
from services.chassis.messaging.recovery import (
    known_shop,
    lost_messages,
    operations_store,
    pausing,
    redriving,
    resync_store,
    resyncing,
)
from services.chassis.messaging.recovery.readable_body import readable_body, readable_headers
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.storage.database import Connection

log = structlog.get_logger()
MOST_DISCARDED = 10_000
STATES = ("waiting", "dead")
Missing = Callable[[], Awaitable[list[str]]]
Warnings = Callable[[], list[str]]


class OperatedProcess(Process, Protocol):
    """One process of a service as its operators' routes see it."""

    @property
    def subscribers(self) -> Subscribers[Any]: ...

    @property
    def readers(self) -> Sequence[QueueReader]: ...

    @property
    def rates(self) -> Rates: ...

    async def queue_counts(self) -> dict[str, tuple[int, int]]:
        """Return the number of ready messages and of consumers by queue."""


ERRORS: Errors = {
    BadRequest: 422,
    known_shop.ShopUnknown: 422,
    lost_messages.CannotCompare: 422,
    pausing.CannotPause: 422,
    resyncing.CannotResync: 422,
}


def routes(process: OperatedProcess, what_is_missing: Missing, warnings_of: Warnings) -> list[Route]:
    """Return the operators' routes of a service."""
    desk = _Operations(process, what_is_missing, warnings_of)
    return [
        Route("/internal/operations", _json(desk.operations)),
        Route("/internal/parked", _json(desk.parked)),
        Route("/internal/parked/{id:int}", _json(desk.explain)),
        Route("/internal/parked/redrive", _json(desk.redrive), methods=["POST"]),
        Route("/internal/parked/discard", _json(desk.discard), methods=["POST"]),
        Route("/internal/replay", _json(desk.replay), methods=["POST"]),
        Route("/internal/sent", _json(desk.sent), methods=["POST"]),
        Route("/internal/unheard", _json(desk.unheard), methods=["POST"]),
        Route("/internal/send-again", _json(desk.send_again), methods=["POST"]),
        Route("/internal/resync", _json(desk.resync), methods=["POST"]),
        Route("/internal/pause", _json(desk.pause), methods=["POST"]),
        Route("/internal/resume", _json(desk.resume), methods=["POST"]),
    ]


class _Operations:
    """The request handlers, one per route."""

    def __init__(self, process: OperatedProcess, what_is_missing: Missing, warnings_of: Warnings) -> None:
        self._process = process
        self._what_is_missing, self._warnings_of = what_is_missing, warnings_of

    async def operations(self, _: Request) -> dict[str, Any]:
        """Return the state of this service: queues, outbox, effects, timers and parked messages."""
        process = self._process
        now = process.clock.now()
        counts = await process.queue_counts()
        async with process.acquire() as connection:
            parked = await parked_store.count_parked(connection)
            return {
                "service": process.service,
                "at": now,
                "missing": await self._what_is_missing(),
                "warnings": self._warnings_of(),
                "queues": [_queue(process, reader, counts.get(reader.queue)) for reader in process.readers],
                "outbox": await _outbox(connection, now),
                "paused": [one._asdict() for one in await pausing.read_pauses(connection)],
                "parked": {state: parked.get(state, 0) for state in STATES},
                "effects": await operations_store.count_effects(connection),
                "timers": await operations_store.count_timers(connection, now),
                "replays": await operations_store.read_replays(connection, 20),
                "resyncs": await resync_store.read_resyncs(connection, 20),
            }

    async def parked(self, request: Request) -> dict[str, Any]:
        """Return parked messages, one by one or grouped by fingerprint."""
        query = request.query_params
        states, group = query.getlist("state") or list(STATES), query.get("group")
        if group not in (None, "fingerprint"):
            raise BadRequest("group by fingerprint, or leave group out")
        before, shop = parked_id_before(query.get("before")), known_shop.named_shop(query)
        async with self._process.acquire() as connection:
            if group is not None:
                return {"groups": await operations_store.group_parked(connection, states, shop)}
            print_ = query.get("fingerprint")
            rows = await parked_store.list_parked(connection, states, LARGEST_PAGE, print_, before, shop)
        return {"parked": rows}

    async def explain(self, request: Request) -> dict[str, Any] | Response:
        """Return one parked message as far as an operator needs it. A message that names no shop may contain
        data of any shop's customers: an operator of a single shop never sees these."""
        parked_id, query = request.path_params["id"], request.query_params
        shop = known_shop.named_shop(query)
        async with self._process.acquire() as connection:
            row = (
                await operations_store.read_parked(connection, parked_id, shop) if parked_id < 2**63 else None
            )
        if row is None:
            return problem(404, f"nothing is parked as {parked_id}")
        with_persons = query.get("personal") == "shown" and shop in (None, row["shop"])
        headers = readable_headers(json.loads(row["headers"]), with_persons=with_persons)
        body = readable_body(row["body"], row["type"], with_persons=with_persons)
        return {"parked": {**row, "headers": headers, "body": body}}

    async def redrive(self, request: Request) -> dict[str, Any]:
        """Deliver dead messages to their handlers again."""
        body = await read_object(request)
        parked_id, print_ = one_or_alike(body)
        actor, shop = entered_actor(body), known_shop.named_shop(body)
        async with self._process.unit() as unit:
            count = await redriving.redrive(unit, actor, parked_id, print_, shop)
        self._process.nudge("retries")
        return {"redriven": count}

    async def discard(self, request: Request) -> Response:
        """Discard parked messages, with the reason."""
        body = await read_object(request)
        parked_id, print_ = one_or_alike(body)
        why = entered_reason(body, "give the reason for discarding it, in characters that can be seen")
        actor = entered_actor(body)
        async with self._process.unit() as unit:
            rows = await parked_store.discard(
                unit.connection,
                actor,
                parked_id,
                print_,
                why,
                unit.now,
                MOST_DISCARDED,
                known_shop.named_shop(body),
            )
            for row in rows:
                message = MessageDiscarded(
                    message_id=row["event_id"],
                    message_type=row["type"],
                    queue=row["queue"],
                    actor=actor,
                    reason=why,
                )
                unit.emit(message)
        return JSONResponse({"discarded": len(rows)}, 200 if rows else 404)

    async def replay(self, request: Request) -> dict[str, Any]:
        """Replay a range of events to one consumer, which handles them as new but without external effects.
        With `shop` only that shop's; with `dry` they are only counted."""
        process, body = self._process, await read_object(request)
        queue, types = consumer_queue(process.service, body)
        since, until = timestamp(body, "from"), timestamp(body, "to")
        actor, shop = entered_actor(body), known_shop.named_shop(body)
        replay_id, ids = uuid7(), (uuid7_floor(since), uuid7_floor(until))
        if body.get("dry") is True:
            async with process.acquire() as connection:
                await known_shop.check_shop(connection, process.service, body)
                count = await operations_store.count_replay(connection, types, ids, shop)
            return {"replay_id": None, "queue": queue, "types": types, "messages": count}
        async with process.unit() as unit:
            await known_shop.check_shop(unit.connection, process.service, body)
            count = await operations_store.ask_replay(
                unit.connection, replay_id, process.service, queue, types, ids, process.owner, shop
            )
            await operations_store.note_replay(
                unit.connection, replay_id, queue, types, since, until, count, actor, unit.now, shop=shop
            )
        log.info("replay", actor=actor, queue=queue, types=types, messages=count, replay_id=str(replay_id))
        return {"replay_id": replay_id, "queue": queue, "types": types, "messages": count}

    async def sent(self, request: Request) -> dict[str, Any]:
        """Return the messages sent to a consumer in a period, one page at a time; with `shop` only that shop's."""
        body = await read_object(request)
        return await lost_messages.sent(self._process, body, timestamp(body, "from"), timestamp(body, "to"))

    async def unheard(self, request: Request) -> dict[str, Any]:
        """Return which of a sender's messages were never handled here."""
        return await lost_messages.unheard(self._process, await read_object(request))

    async def send_again(self, request: Request) -> dict[str, Any]:
        """Send messages again, unmarked: not as a replay."""
        body = await read_object(request)
        return await lost_messages.send_again(self._process, body, entered_actor(body))

    async def resync(self, request: Request) -> dict[str, Any]:
        """Start a resync: re-emit the current state of a shop's orders to one consumer, from this service's
        tables."""
        body = await read_object(request)
        snapshots = self._process.subscribers.snapshots
        return await resyncing.ask(self._process, snapshots, body, entered_actor(body))

    async def pause(self, request: Request) -> dict[str, Any]:
        """Pause the handling of messages, the execution of effects, or both."""
        body = await read_object(request)
        return await pausing.pause(self._process, body, entered_actor(body))

    async def resume(self, request: Request) -> dict[str, Any]:
        """Resume what was paused."""
        body = await read_object(request)
        return await pausing.resume(self._process, body, entered_actor(body))


def _json(endpoint: Callable[[Request], Awaitable[dict[str, Any] | Response]]) -> Any:
    """Return the endpoint of a route that answers with JSON."""

    async def answer(request: Request) -> Response:
        message = await endpoint(request)
        return message if isinstance(message, Response) else JSONResponse(plain(message))

    return answer


def _queue(process: OperatedProcess, reader: QueueReader, counts: tuple[int, int] | None) -> dict[str, Any]:
    """Return `ready` and `consumers` from the broker, null when it does not answer; the rest is from this
    process."""
    ready, consumers = counts or (None, None)
    return {
        "queue": reader.queue,
        "sender": reader.queue.partition(".")[2],
        "ready": ready,
        "consumers": consumers,
        "in_hand": reader.in_hand,
        "messages_per_second": process.rates.per_second(reader.queue),
        "last_commit_seconds": round(monotonic() - reader.last_commit, 1),
        "outage": reader.outage,
    }


async def _outbox(connection: Connection, now: datetime) -> dict[str, Any]:
    rows, oldest = await outbox_store.dispatch_backlog(connection)
    is_dated = oldest is not None and oldest.version == 7
    age = (now - uuid7_time(oldest)).total_seconds() if oldest is not None and is_dated else None
    return {
        "messages": rows,
        "oldest_seconds": round(max(age, 0.0), 1) if age is not None else None,
        "refused": await operations_store.count_refused(connection),
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can represent it; a row is a mapping of its columns."""
    if isinstance(value, Mapping) or hasattr(value, "items"):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
