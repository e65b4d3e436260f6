"""Operators' HTTP routes: statistics, parked messages, replays; all need the internal token.

Invariant: nothing here changes the data a service owns. A redrive or replay only delivers a message again, a
discard only records that nobody will handle it; each is recorded as an event or row with the person's name.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.catalogue import heard_by, queue_of, queues_of
from contracts.envelope import uuid7, uuid7_floor, uuid7_time
from contracts.service import MessageDiscarded, MessageRedriven
from contracts.timestamps import RANGE, is_in_range
from services.chassis.http.edge import problem
from services.chassis.messaging import store
from services.chassis.messaging.inbound.parking import storable
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.process import Process
from services.chassis.messaging.rating import Rates
from services.chassis.messaging.recovery import losing, operations_store, resync_store, resyncing
from services.chassis.messaging.recovery.explaining import readable_body
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.storage.database import Connection

log = structlog.get_logger()
MOST_LISTED = 500
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


class BadRequest(Exception):
    """The request is invalid; the text names what to send instead."""


def may_operate(process: Process, request: Request) -> bool:
    """Return whether the request has the operators' bearer token. Compared in constant time."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    expected = process.settings.internal_token.get_secret_value().encode()
    return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), expected)


def may_scrape(process: Process, request: Request) -> bool:
    """Return whether the request may read the metrics, with the metrics token or the operators' token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    own = process.settings.metrics_token
    is_own = own is not None and hmac.compare_digest(token.encode(), own.get_secret_value().encode())
    return (scheme.lower() == "bearer" and is_own) or may_operate(process, request)


def routes(process: OperatedProcess, what_is_missing: Missing, warnings_of: Warnings) -> list[Route]:
    """Return the operators' routes of a service."""
    desk = _Operations(process, what_is_missing, warnings_of)
    return [
        Route("/internal/operations", desk.guarded(desk.operations)),
        Route("/internal/parked", desk.guarded(desk.parked)),
        Route("/internal/parked/{id:int}", desk.guarded(desk.explain)),
        Route("/internal/parked/redrive", desk.guarded(desk.redrive), methods=["POST"]),
        Route("/internal/parked/discard", desk.guarded(desk.discard), methods=["POST"]),
        Route("/internal/replay", desk.guarded(desk.replay), methods=["POST"]),
        Route("/internal/sent", desk.guarded(desk.sent), methods=["POST"]),
        Route("/internal/unheard", desk.guarded(desk.unheard), methods=["POST"]),
        Route("/internal/send-again", desk.guarded(desk.send_again), methods=["POST"]),
        Route("/internal/resync", desk.guarded(desk.resync), methods=["POST"]),
    ]


class _Operations:
    """The request handlers, one per route."""

    def __init__(self, process: OperatedProcess, what_is_missing: Missing, warnings_of: Warnings) -> None:
        self._process = process
        self._what_is_missing, self._warnings_of = what_is_missing, warnings_of

    def guarded(self, endpoint: Callable[[Request], Awaitable[dict[str, Any] | Response]]) -> Any:
        """Return the endpoint, restricted to operators; an invalid request is answered with the error's text."""

        async def check(request: Request) -> Response:
            if not may_operate(self._process, request):
                return problem(401, "send the operators' token: Authorization: Bearer …")
            try:
                said = await endpoint(request)
            except (BadRequest, losing.CannotCompare) as fault:
                return problem(422, str(fault))
            return said if isinstance(said, Response) else JSONResponse(_plain(said))

        return check

    async def operations(self, _: Request) -> dict[str, Any]:
        """Return the state of this service: queues, outbox, effects, timers and parked messages."""
        process = self._process
        now = process.clock.now()
        counts = await process.queue_counts()
        async with process.acquire() as connection:
            parked = await store.count_parked(connection)
            return {
                "service": process.service,
                "at": now,
                "missing": await self._what_is_missing(),
                "warnings": self._warnings_of(),
                "queues": [_queue(process, reader, counts.get(reader.queue)) for reader in process.readers],
                "outbox": await _outbox(connection, now),
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
        before, shop = _number(query.get("before")), query.get("shop")
        async with self._process.acquire() as connection:
            if group is not None:
                return {"groups": await operations_store.group_parked(connection, states, shop)}
            print_ = query.get("fingerprint")
            rows = await store.list_parked(connection, states, MOST_LISTED, print_, before, shop)
        return {"parked": rows}

    async def explain(self, request: Request) -> dict[str, Any] | Response:
        """Return one parked message as far as an operator needs it. A message that names no shop may contain
        data of any shop's customers: an operator of a single shop never sees these."""
        parked_id, query = request.path_params["id"], request.query_params
        shop = query.get("shop")
        async with self._process.acquire() as connection:
            row = (
                await operations_store.read_parked(connection, parked_id, shop) if parked_id < 2**63 else None
            )
        if row is None:
            return problem(404, f"nothing is parked as {parked_id}")
        headers: Any = json.loads(row["headers"])
        with_persons = query.get("personal") == "shown" and shop in (None, row["shop"])
        body = readable_body(row["body"], with_persons=with_persons)
        return {"parked": {**row, "headers": headers, "body": body}}

    async def redrive(self, request: Request) -> dict[str, Any]:
        """Deliver dead messages to their handlers again."""
        body = await _body(request)
        parked_id, print_ = _one_or_alike(body)
        actor, shop = _text(body, "actor") or "operator", _text(body, "shop")
        async with self._process.unit() as unit:
            rows = await store.redrive(unit.connection, actor, parked_id, print_, unit.now, shop)
            for row in rows:
                said = MessageRedriven(
                    message_id=row["event_id"], message_type=row["type"], queue=row["queue"], actor=actor
                )
                unit.emit(said)
        self._process.nudge("retries")
        return {"redriven": len(rows)}

    async def discard(self, request: Request) -> Response:
        """Discard parked messages, with the reason."""
        body = await _body(request)
        parked_id, print_ = _one_or_alike(body)
        why, actor = _text(body, "reason"), _text(body, "actor") or "operator"
        if not why:
            raise BadRequest("give the reason for discarding it")
        async with self._process.unit() as unit:
            rows = await store.discard(
                unit.connection,
                actor,
                parked_id,
                print_,
                why,
                unit.now,
                MOST_DISCARDED,
                _text(body, "shop"),
            )
            for row in rows:
                said = MessageDiscarded(
                    message_id=row["event_id"],
                    message_type=row["type"],
                    queue=row["queue"],
                    actor=actor,
                    reason=why,
                )
                unit.emit(said)
        return JSONResponse({"discarded": len(rows)}, 200 if rows else 404)

    async def replay(self, request: Request) -> dict[str, Any]:
        """Replay a range of events to one consumer, which handles them as new but without external effects.
        With `dry` they are only counted."""
        process, body = self._process, await _body(request)
        queue, types = _listened(process.service, body)
        since, until, actor = _moment(body, "from"), _moment(body, "to"), _text(body, "actor") or "operator"
        replay_id, ids = uuid7(), (uuid7_floor(since), uuid7_floor(until))
        if body.get("dry") is True:
            async with process.acquire() as connection:
                count = await operations_store.count_replay(connection, types, ids)
            return {"replay_id": None, "queue": queue, "types": types, "messages": count}
        async with process.unit() as unit:
            count = await operations_store.ask_replay(
                unit.connection, replay_id, process.service, queue, types, ids, process.owner
            )
            await operations_store.note_replay(
                unit.connection, replay_id, queue, types, since, until, count, actor, unit.now
            )
        log.info("replay", actor=actor, queue=queue, types=types, messages=count, replay_id=str(replay_id))
        return {"replay_id": replay_id, "queue": queue, "types": types, "messages": count}

    async def sent(self, request: Request) -> dict[str, Any]:
        """Return the messages sent to a consumer in a period, one page at a time."""
        body = await _body(request)
        return await losing.sent(self._process, body, _moment(body, "from"), _moment(body, "to"))

    async def unheard(self, request: Request) -> dict[str, Any]:
        """Return which of a sender's messages were never handled here."""
        return await losing.unheard(self._process, await _body(request))

    async def send_again(self, request: Request) -> dict[str, Any]:
        """Send messages again, unmarked: not as a replay."""
        body = await _body(request)
        return await losing.send_again(self._process, body, _text(body, "actor") or "operator")

    async def resync(self, request: Request) -> dict[str, Any]:
        """Start a resync: re-emit the current state of a shop's orders to one consumer, from this service's
        tables."""
        body = await _body(request)
        try:
            truths = self._process.subscribers.truths
            return await resyncing.ask(self._process, truths, body, _text(body, "actor") or "operator")
        except resyncing.CannotTell as fault:
            raise BadRequest(str(fault)) from None


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
    rows, oldest = await store.dispatch_backlog(connection)
    is_dated = oldest is not None and oldest.version == 7
    age = (now - uuid7_time(oldest)).total_seconds() if oldest is not None and is_dated else None
    return {
        "messages": rows,
        "oldest_seconds": round(max(age, 0.0), 1) if age is not None else None,
        "refused": await operations_store.count_refused(connection),
    }


def _one_or_alike(body: dict[str, Any]) -> tuple[int | None, str | None]:
    parked_id, print_ = body.get("id"), _text(body, "fingerprint")
    is_id = type(parked_id) is int and 0 < parked_id < 2**63
    if (parked_id is None) == (print_ is None) or not (parked_id is None or is_id):
        raise BadRequest("give either id (one message) or fingerprint (all that failed alike)")
    return parked_id, print_


def _listened(service: str, body: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the queue of the consumer and the events it receives from this service. Commands are never
    replayed: each is issued only once."""
    consumer, wanted = str(body.get("consumer", "")), body.get("types")
    queue = queue_of(consumer, service)
    if queue not in queues_of(consumer):
        raise BadRequest(f"consumer must be a service that hears {service}")
    types = [entry.type for entry in heard_by(consumer) if entry.sender == service and not entry.is_command]
    if wanted is None:
        return queue, types
    if not isinstance(wanted, list) or not wanted or not set(map(str, wanted)) <= set(types):
        raise BadRequest(f"{consumer} can hear again from {service}: {', '.join(types)}")
    return queue, sorted(set(map(str, wanted)))


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, Any], name: str) -> str | None:
    """Return a text that a person entered, cut to the length a message may have."""
    value = body.get(name)
    return storable(str(value))[:200] if value else None


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) >= 2**63:
        raise BadRequest("before is the id of a parked message")
    return int(text)


def _moment(body: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(body.get(name)))
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - has no time zone either
    if moment.tzinfo is None:
        raise BadRequest("give from and to as ISO 8601 times with an offset")
    if not is_in_range(moment):
        raise BadRequest(f"{name} is out of range; give a time from {RANGE}")
    return moment.astimezone(UTC)


def _plain(value: Any) -> Any:
    """Return a value as JSON can represent it; a row is a mapping of its columns."""
    if isinstance(value, Mapping) or hasattr(value, "items"):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
