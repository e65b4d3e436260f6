"""Payments over HTTP: the providers' endpoints, and the read access of the back office and the auditor."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.http import edge
from services.chassis.http.edge import problem
from services.chassis.http.operating import may_operate
from services.chassis.runtime.hub import Hub
from services.payments.accounts.unit import refund_store, store
from services.payments.entries import store as entry_store
from services.payments.entries.listing import entries_wanted
from services.payments.plain_json import plain
from services.payments.providers.stripe.identifying import clues
from services.payments.webhooks.api import Webhooks
from services.payments.webhooks.receiving import Receiver

MOST_ROWS = 500


def build(hub: Hub, receiver: Receiver) -> Starlette:
    """Return the application. Every route below /internal requires the operators' token."""

    async def account(request: Request) -> Response:
        shop, order_id = request.path_params["shop"], request.path_params["order_id"]
        async with hub.acquire() as connection:
            row = await store.read_account(connection, shop, order_id)
            entries = await store.read_entries(connection, shop, order_id)
            asked, made = await refund_store.read_refunds_of(connection, shop, order_id)
        if row is None:
            return problem(404, f"no account of order {order_id} in shop {shop}")
        tables = {"entries": entries, "refunds": asked, "provider_refunds": made}
        listed = {name: [plain(row) for row in rows] for name, rows in tables.items()}
        return JSONResponse({"account": plain(row), **listed})

    async def entries(request: Request) -> Response:
        try:
            wanted, limit = entries_wanted(request.query_params)
        except ValueError as wrong:
            return problem(422, str(wrong))
        async with hub.acquire() as connection:
            rows = await entry_store.read_entries(connection, wanted, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        place = f"{last['recorded_at'].isoformat()}_{last['id']}" if last else None
        return JSONResponse({"entries": [plain(row) for row in rows[:limit]], "next": place})

    async def unmatched(request: Request) -> Response:
        shop = request.query_params.get("shop")
        if not shop:
            return problem(422, "shop is missing: ?shop=…")
        async with hub.acquire() as connection:
            rows = await entry_store.read_unmatched(connection, shop, MOST_ROWS)
        payments = [{**plain(row), "clues": clues(row["body"])} for row in rows]
        return JSONResponse({"payments": payments})

    webhooks = Webhooks(hub)

    def guarded(endpoint: Any) -> Any:
        async def check(request: Request) -> Response:
            if not may_operate(hub, request):
                return problem(401, "send the internal token: Authorization: Bearer …")
            answer: Response = await endpoint(request)
            return answer

        return check

    app = Starlette(
        routes=[
            Route("/webhooks/stripe/{slug}", receiver.receive, methods=["POST"]),
            Route("/internal/accounts/{shop}/{order_id:uuid}", guarded(account)),
            Route("/internal/entries", guarded(entries)),
            Route("/internal/unmatched", guarded(unmatched)),
            Route("/internal/unmatched/set_aside", guarded(webhooks.set_payment_aside), methods=["POST"]),
            Route("/internal/webhooks", guarded(webhooks.listed)),
            Route(
                "/internal/webhooks/{webhook_id:uuid}/redrive", guarded(webhooks.look_again), methods=["POST"]
            ),
            Route(
                "/internal/webhooks/{webhook_id:uuid}/set_aside",
                guarded(webhooks.set_aside),
                methods=["POST"],
            ),
        ]
    )
    edge.install(app)
    return app
