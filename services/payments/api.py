"""Payments over HTTP: the providers' endpoints, and what the back office and the auditor may read of the books."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.hub import Hub
from services.chassis.operating import may_operate
from services.payments import entry_store, refund_store, store, webhook_store
from services.payments.applying import WORKER
from services.payments.listing import entries_wanted
from services.payments.stripe.identifying import clues
from services.payments.webhooks import Receiver

STATES = ("received", "applied", "duplicate", "irrelevant", "waiting", "parked")
MOST_ROWS = 500


def build(hub: Hub, receiver: Receiver) -> Starlette:
    """The application. Everything below /internal needs the operators' token."""

    async def account(request: Request) -> Response:
        shop, order_id = request.path_params["shop"], request.path_params["order_id"]
        async with hub.acquire() as connection:
            row = await store.read_account(connection, shop, order_id)
            entries = await store.read_entries(connection, shop, order_id)
            asked, made = await refund_store.read_refunds_of(connection, shop, order_id)
        if row is None:
            return _problem(404, f"no account of order {order_id} in shop {shop}")
        tables = {"entries": entries, "refunds": asked, "provider_refunds": made}
        listed = {name: [_plain(row) for row in rows] for name, rows in tables.items()}
        return JSONResponse({"account": _plain(row), **listed})

    async def entries(request: Request) -> Response:
        try:
            wanted, limit = entries_wanted(request.query_params)
        except ValueError as wrong:
            return _problem(422, str(wrong))
        async with hub.acquire() as connection:
            rows = await entry_store.read_entries(connection, wanted, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        place = f"{last['recorded_at'].isoformat()}_{last['id']}" if last else None
        return JSONResponse({"entries": [_plain(row) for row in rows[:limit]], "next": place})

    async def unmatched(request: Request) -> Response:
        shop = request.query_params.get("shop")
        if not shop:
            return _problem(422, "shop is missing: ?shop=…")
        async with hub.acquire() as connection:
            rows = await entry_store.read_unmatched(connection, shop, MOST_ROWS)
        payments = [{**_plain_but_body(row), "clues": clues(row["body"])} for row in rows]
        return JSONResponse({"payments": payments})

    async def webhooks(request: Request) -> Response:
        state, before = request.query_params.get("state"), request.query_params.get("before")
        if state is not None and state not in STATES:
            return _problem(422, f"state must be one of {', '.join(STATES)}")
        try:
            before_id = UUID(before) if before else None
        except ValueError:
            return _problem(422, "before must be the id of a webhook")
        async with hub.acquire() as connection:
            rows = await webhook_store.read_webhooks(connection, state, before_id, MOST_ROWS)
            tally = await webhook_store.read_tally(connection)
            refused = await webhook_store.read_refused(connection, MOST_ROWS)
        tables = {"webhooks": rows, "tally": tally, "refused": refused}
        return JSONResponse({name: [_plain(row) for row in table] for name, table in tables.items()})

    async def redrive(request: Request) -> Response:
        webhook_id = request.path_params["webhook_id"]
        async with hub.acquire() as connection:
            if not await webhook_store.redrive(connection, webhook_id):
                return _problem(
                    404, f"no parked webhook {webhook_id}; GET /internal/webhooks?state=parked lists them"
                )
        hub.nudge(WORKER)
        return JSONResponse({"id": str(webhook_id), "state": "received"}, 202)

    def guarded(endpoint: Any) -> Any:
        async def check(request: Request) -> Response:
            if not may_operate(hub, request):
                return _problem(401, "send the internal token: Authorization: Bearer …")
            answer: Response = await endpoint(request)
            return answer

        return check

    return Starlette(
        routes=[
            Route("/webhooks/stripe/{slug}", receiver.receive, methods=["POST"]),
            Route("/internal/accounts/{shop}/{order_id:uuid}", guarded(account)),
            Route("/internal/entries", guarded(entries)),
            Route("/internal/unmatched", guarded(unmatched)),
            Route("/internal/webhooks", guarded(webhooks)),
            Route("/internal/webhooks/{webhook_id:uuid}/redrive", guarded(redrive), methods=["POST"]),
        ]
    )


def _plain_but_body(row: asyncpg.Record) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in row.items() if name != "body"}


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return int(value) if hasattr(value, "as_tuple") else value


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status, media_type="application/problem+json")
