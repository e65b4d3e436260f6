"""Payments over HTTP: the providers' endpoints, and the read access of the back office and the auditor.

The edge lets only holders of the operators' token reach what is below /internal.
"""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.http import edge
from services.chassis.http.paging import LARGEST_PAGE, dated
from services.chassis.http.problems import problem
from services.chassis.runtime.hub import Hub
from services.payments.accounts.unit import refund_store, store
from services.payments.closings.api import Closings
from services.payments.endpoints.api import Endpoints
from services.payments.entries import store as entry_store
from services.payments.entries.listing import entries_wanted
from services.payments.invoices.reading.api import Invoices
from services.payments.invoices.rendering.process import Renderer
from services.payments.plain_json import plain
from services.payments.reconciliation.api import Reconciliation
from services.payments.settings import PaymentsSettings
from services.payments.webhooks.api import Webhooks
from services.payments.webhooks.receiving import Receiver


def build(hub: Hub, receiver: Receiver, renderer: Renderer) -> Starlette:
    """Return the application."""
    assert isinstance(hub.settings, PaymentsSettings)
    providers = hub.settings.providers

    async def account(request: Request) -> Response:
        shop, order_id = request.path_params["shop"], request.path_params["order_id"]
        async with hub.acquire() as connection:
            row = await store.read_account(connection, shop, order_id)
            entries = await store.read_entries(connection, shop, order_id)
            requested, provider_refunds = await refund_store.read_refunds_of(connection, shop, order_id)
        if row is None:
            return problem(404, f"no account of order {order_id} in shop {shop}")
        tables = {"entries": entries, "refunds": requested, "provider_refunds": provider_refunds}
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
        place = dated(last["recorded_at"], last["id"]) if last else None
        return JSONResponse({"entries": [plain(row) for row in rows[:limit]], "next": place})

    async def unmatched(request: Request) -> Response:
        shop = request.query_params.get("shop")
        if not shop:
            return problem(422, "shop is missing: ?shop=…")
        async with hub.acquire() as connection:
            rows = await entry_store.read_unmatched(connection, shop, LARGEST_PAGE)
        payments = [{**plain(row), "clues": details_of(row["provider"], row["body"])} for row in rows]
        return JSONResponse({"payments": payments})

    def details_of(provider: str, body: bytes) -> dict[str, Any]:
        return providers[provider].payment_details(body) if provider in providers else {}

    webhooks, reconciliation, closings = Webhooks(hub), Reconciliation(hub), Closings(hub)
    endpoints = Endpoints(hub)

    return edge.routed(
        [
            Route("/webhooks/{provider}/{slug}", receiver.receive, methods=["POST"]),
            Route("/internal/accounts/{shop}/{order_id:uuid}", account),
            *Invoices(hub, renderer).routes(),
            Route("/internal/entries", entries),
            Route("/internal/closings", closings.shown),
            Route("/internal/reconciliation", reconciliation.shown),
            Route("/internal/reconciliation/run", reconciliation.run, methods=["POST"]),
            Route(
                "/internal/reconciliation/findings/{finding_id:uuid}/resolve",
                reconciliation.resolve,
                methods=["POST"],
            ),
            Route("/internal/unmatched", unmatched),
            Route("/internal/unmatched/set_aside", webhooks.set_payment_aside, methods=["POST"]),
            Route("/internal/endpoints", endpoints.listed),
            Route("/internal/endpoints", endpoints.add, methods=["POST"]),
            Route("/internal/endpoints/{slug}/change", endpoints.change, methods=["POST"]),
            Route("/internal/endpoints/{slug}/remove", endpoints.remove, methods=["POST"]),
            Route("/internal/endpoints/{slug}/test", webhooks.tested, methods=["POST"]),
            Route(
                "/internal/endpoints/{slug}/secrets/{secret_id:uuid}/remove",
                endpoints.remove_secret,
                methods=["POST"],
            ),
            Route("/internal/webhooks", webhooks.listed),
            Route("/internal/webhooks/subscriptions", webhooks.subscribed),
            Route("/internal/webhooks/{webhook_id:uuid}/redrive", webhooks.look_again, methods=["POST"]),
            Route("/internal/webhooks/{webhook_id:uuid}/set_aside", webhooks.set_aside, methods=["POST"]),
        ]
    )
