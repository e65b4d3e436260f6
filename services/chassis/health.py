"""What a process says of itself over HTTP: alive, ready, its figures, and its parked messages for the operators.

`/livez` fails only when the process should be replaced. `/readyz` fails while a dependency is away and says which;
`/readyz/intake` asks for PostgreSQL alone, which is all that receiving a webhook needs.
"""

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from contracts.catalogue import heard_by, queues_of
from contracts.envelope import uuid7_floor
from contracts.service import MessageDiscarded, MessageRedriven
from services.chassis import database, store
from services.chassis.parking import storable
from services.chassis.watchdog import Watchdog

if TYPE_CHECKING:
    from services.chassis.hub import Hub

PUBLIC_PATHS = ("/livez", "/readyz", "/readyz/intake", "/metrics")
"""Routes that need no token; they tell nothing of an order."""


def routes(hub: "Hub", watchdog: Watchdog) -> list[Route]:
    """The routes every service has."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse(watchdog.stuck or "alive", 503 if watchdog.stuck else 200)

    async def readyz(_: Request) -> Response:
        missing = await what_is_missing(hub)
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    async def readyz_intake(_: Request) -> Response:
        missing = await _database_missing(hub)
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/readyz/intake", readyz_intake),
        Route("/metrics", metrics),
        *_operators_routes(hub),
    ]


async def what_is_missing(hub: "Hub") -> list[str]:
    """Why this process can't do its work now; empty when it can."""
    missing = await _database_missing(hub)
    if hub.stopping.is_set():
        missing.append("stopping")
    if not hub.consumes:
        return missing  # it can work without a broker: what it says waits in the outbox
    if hub.consumers is None or not hub.consumers.is_consuming:
        missing.append(
            f"broker: not consuming ({hub.consumers.last_error if hub.consumers else 'not started'})"
        )
    elif trouble := hub.relay.trouble:
        missing.append(f"broker: not publishing ({trouble})")
    missing += [
        f"database: {reader.queue} waits ({reader.outage})" for reader in hub.readers if reader.outage
    ]
    return missing


async def _database_missing(hub: "Hub") -> list[str]:
    if await database.answers(hub.settings.database_url.get_secret_value()):
        return []
    return ["database: no answer on a fresh connection"]


def may_operate(hub: "Hub", request: Request) -> bool:
    """Whether the request carries the operators' bearer token. Compared in constant time."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    expected = hub.settings.internal_token.get_secret_value().encode()
    return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), expected)


def _operators_routes(hub: "Hub") -> list[Route]:
    async def parked(request: Request) -> Response:
        states = request.query_params.getlist("state") or ["waiting", "dead"]
        async with hub.acquire() as connection:
            rows = await store.list_parked(connection, states, 500)
        return JSONResponse(
            {"parked": [{name: _plain(value) for name, value in row.items()} for row in rows]}
        )

    async def redrive(request: Request) -> Response:
        body = await _body(request)
        parked_id, print_, actor = (
            body.get("id"),
            _text(body, "fingerprint"),
            _text(body, "actor") or "operator",
        )
        if (parked_id is None) == (print_ is None) or not _is_id(parked_id, or_none=True):
            return _problem(422, "give either id (one message) or fingerprint (all that failed alike)")
        async with hub.unit() as unit:
            rows = await store.redrive(unit.connection, actor, parked_id, print_, unit.now)
            for row in rows:
                unit.emit(
                    MessageRedriven(
                        message_id=row["event_id"], message_type=row["type"], queue=row["queue"], actor=actor
                    )
                )
        hub.nudge("retries")
        return JSONResponse({"redriven": len(rows)})

    async def discard(request: Request) -> Response:
        body = await _body(request)
        parked_id, why, actor = body.get("id"), _text(body, "reason"), _text(body, "actor") or "operator"
        if parked_id is None or not _is_id(parked_id) or not why:
            return _problem(422, "give the id of the parked message and the reason for discarding it")
        async with hub.unit() as unit:
            row = await store.discard(unit.connection, actor, parked_id, why, unit.now)
            if row is not None:
                said = MessageDiscarded(
                    message_id=row["event_id"],
                    message_type=row["type"],
                    queue=row["queue"],
                    actor=actor,
                    reason=why,
                )
                unit.emit(said)
        return JSONResponse({"discarded": row is not None}, 200 if row is not None else 404)

    async def replay(request: Request) -> Response:
        body = await _body(request)
        listener, sender = str(body.get("queue", "")).partition(".")[::2]
        if sender != hub.service or body.get("queue") not in queues_of(listener):
            return _problem(422, f"queue must be one that hears {hub.service}, such as orders.{hub.service}")
        types = [entry.type for entry in heard_by(listener) if entry.sender == hub.service]
        since, until = _moment(body.get("since")), _moment(body.get("until"))
        if since is None or until is None:
            return _problem(422, "give since and until as ISO 8601 times with an offset")
        async with hub.acquire() as connection:
            count = await store.replay(
                connection,
                hub.service,
                body["queue"],
                types,
                uuid7_floor(since),
                uuid7_floor(until),
                hub.owner,
            )
        return JSONResponse({"replayed": count})

    def guarded(endpoint: Any) -> Any:
        async def check(request: Request) -> Response:
            if not may_operate(hub, request):
                return _problem(401, "send the operators' token: Authorization: Bearer …")
            try:
                answer: Response = await endpoint(request)
            except Exception as error:
                if not database.is_outage(error):
                    raise
                return _problem(503, "the database is away; nothing was changed, or try and see")
            return answer

        return check

    return [
        Route("/parked", guarded(parked)),
        Route("/parked/redrive", guarded(redrive), methods=["POST"]),
        Route("/parked/discard", guarded(discard), methods=["POST"]),
        Route("/replay", guarded(replay), methods=["POST"]),
    ]


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, Any], name: str) -> str | None:
    """A text a person gave, cut to what a message may hold."""
    value = body.get(name)
    return storable(str(value))[:200] if value else None


def _is_id(value: Any, or_none: bool = False) -> bool:
    return (or_none and value is None) or (type(value) is int and 0 < value < 2**63)


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status, media_type="application/problem+json")


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
