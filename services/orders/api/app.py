"""The REST API of the orders service: lists and shows orders, takes the staff's commands.

OpenAPI 3.1, committed as `openapi.json` beside this file (`python -m services.orders.api.openapi` writes it).
Everything below /v1 needs a token of COMPTOIR_API_TOKENS; an order of another shop than the token's does not exist
here.
"""

from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Path, Query
from fastapi.responses import JSONResponse, Response

from contracts.fulfillment.shipping_days import faults_of_shipping, reasons_of
from contracts.sale import Module
from contracts.timestamps import in_zone
from services.chassis.http.documented import documented
from services.chassis.http.paging import CursorInvalid
from services.chassis.http.tokens import Gate
from services.chassis.runtime.hub import Hub
from services.orders.api import change_routes as api_changes
from services.orders.api import customer_routes as api_customers
from services.orders.api import erasure_routes as api_erasures
from services.orders.api import money_routes as api_money
from services.orders.api import staff_routes as api_staff
from services.orders.api.access import GUARDED, callers
from services.orders.api.actions import store as api_store
from services.orders.api.actions.action import Actions
from services.orders.api.actions.order_facts import FactsReader
from services.orders.api.context import RETRY_SECONDS, command_document, order_named, order_unknown
from services.orders.api.edges import COMMAND, Context, Key, OrderName, guarded_router
from services.orders.api.invoicing import routes as api_invoices
from services.orders.api.order_document import show
from services.orders.api.owners.clients import ServiceClients
from services.orders.api.problems import ProblemDetails, described
from services.orders.api.shop import routes as api_shop
from services.orders.listing.documents import OrderResponse, OrdersPage, SubmissionResponse
from services.orders.listing.finder.finder import Finder
from services.orders.listing.order_parts import CommandResponse
from services.orders.listing.orders import ListQuery
from services.orders.order.requests import (
    AdjustmentRequest,
    CorrectionRequest,
    DeliveryRequest,
    LossRequest,
    ParcelRequest,
    PaymentRequest,
    ShipmentCancellationRequest,
    ShipmentRequest,
    StockRequest,
    UnpackingRequest,
)
from services.orders.order.settings import OrdersSettings

router = guarded_router()


@router.get("/orders", tags=["orders"], response_model=OrdersPage, responses=described(400))
async def list_orders(query: Annotated[ListQuery, Query()], context: Context) -> Response:
    """List the shop's orders, filtered, newest first unless `sort` is set; one page at a time."""
    return JSONResponse(await context.listed(query))


@router.get("/orders/{order}", tags=["orders"], response_model=OrderResponse, responses=described(404))
async def show_order(order: OrderName, context: Context) -> Response:
    """Return one order with all its parts: money, ledger, lines, parcels, shipments, mails, activity."""
    async with context.hub.acquire() as connection:
        row = await api_store.read_order_whole(connection, context.caller.shop, *order_named(order))
        labels = await context.labels(connection)
    if row is None:
        raise order_unknown()
    return Response(show(row, labels).model_dump_json(), media_type="application/json")


@router.get(
    "/submissions/{module}/{idempotency_key:path}",
    tags=["orders"],
    response_model=SubmissionResponse,
    response_model_exclude_none=True,
    responses=described(404),
)
async def show_submission(
    module: Module,
    idempotency_key: Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")],
    context: Context,
) -> SubmissionResponse:
    """Return the result of a storefront's submission: the order it placed, or the reasons of its refusal."""
    return await context.submission(module, idempotency_key)


@router.post("/orders/{order}/payments", **COMMAND)
async def record_payment(order: OrderName, request: PaymentRequest, key: Key, context: Context) -> Response:
    """Record money received by hand for an order: a cheque, a transfer, cash."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, request.faults(facts), lambda _: request.command(facts, actor))


@router.post("/orders/{order}/parcels", **COMMAND)
async def pack_parcel(order: OrderName, request: ParcelRequest, key: Key, context: Context) -> Response:
    """Pack a parcel from units still to be packed. The server generates `parcel_id` when none is sent."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(
        key, facts, request.faults(facts), lambda command_id: request.command(facts, actor, command_id)
    )


@router.post("/orders/{order}/parcels/{parcel_id}/unpacking", **COMMAND)
async def unpack_parcel(
    order: OrderName, parcel_id: UUID, request: UnpackingRequest, key: Key, context: Context
) -> Response:
    """Unpack a packed parcel that has not been shipped; its units are to be packed again."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor, parcel_id))


@router.post("/orders/{order}/shipments", **COMMAND)
async def dispatch_shipment(
    order: OrderName, request: ShipmentRequest, key: Key, context: Context
) -> Response:
    """Dispatch packed parcels with a carrier. The server generates `shipment_id` when none is sent."""
    facts, actor = await context.order(order), context.caller.actor
    faults = reasons_of(faults_of_shipping(request.shipped_on, request.expected_on, context.today))
    return await context.send(
        key, facts, faults, lambda command_id: request.command(facts, actor, command_id)
    )


@router.post("/orders/{order}/shipments/{shipment_id}/correction", **COMMAND)
async def correct_shipment(
    order: OrderName, shipment_id: UUID, request: CorrectionRequest, key: Key, context: Context
) -> Response:
    """Correct a dispatched shipment: carrier, tracking, days. Send every field, also those that stay the same."""
    facts, actor = await context.order(order), context.caller.actor
    days = await context.days_of(key, facts, shipment_id)
    faults = days.faults_of_correction(request.shipped_on, request.expected_on, context.today) if days else []
    return await context.send(
        key, facts, reasons_of(faults), lambda _: request.command(facts, actor, shipment_id)
    )


@router.post("/orders/{order}/shipments/{shipment_id}/cancellation", **COMMAND)
async def cancel_shipment(
    order: OrderName, shipment_id: UUID, request: ShipmentCancellationRequest, key: Key, context: Context
) -> Response:
    """Cancel a dispatch: its parcels are packed again, and their units are reserved as before."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor, shipment_id))


@router.post("/orders/{order}/parcels/{parcel_id}/loss", **COMMAND)
async def report_parcel_lost(
    order: OrderName, parcel_id: UUID, request: LossRequest, key: Key, context: Context
) -> Response:
    """Report a shipped parcel as lost; its units are to be packed again or refunded."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor, parcel_id))


@router.post("/orders/{order}/shipments/{shipment_id}/delivery", **COMMAND)
async def record_delivery(
    order: OrderName, shipment_id: UUID, request: DeliveryRequest, key: Key, context: Context
) -> Response:
    """Record that a shipment reached its customer, with the proof."""
    facts, actor = await context.order(order), context.caller.actor
    days = await context.days_of(key, facts, shipment_id)
    faults = (
        days.faults_of_delivery(in_zone(request.delivered_at, context.zone).date(), context.today)
        if days
        else []
    )
    return await context.send(
        key, facts, reasons_of(faults), lambda _: request.command(facts, actor, shipment_id)
    )


@router.post("/stock", **COMMAND)
async def set_stock(request: StockRequest, key: Key, context: Context) -> Response:
    """Set the stock on hand of some SKUs, after a count or an import."""
    return await context.send(
        key, None, [], lambda _: request.command(context.caller.shop, context.caller.actor)
    )


@router.post("/stock/adjustments", **COMMAND)
async def adjust_stock(request: AdjustmentRequest, key: Key, context: Context) -> Response:
    """Change the stock on hand of a SKU by a number of units, with a reason."""
    return await context.send(
        key, None, [], lambda _: request.command(context.caller.shop, context.caller.actor)
    )


@router.get(
    "/commands/{command_id}", tags=["commands"], response_model=CommandResponse, responses=described(404)
)
async def show_command(command_id: UUID, context: Context) -> Response:
    """Return a command and its outcome."""
    document = command_document(await context.command(command_id))
    retry = {"Retry-After": str(RETRY_SECONDS)} if document["state"] == "pending" else None
    return JSONResponse(document, headers=retry)


ROUTERS = (
    router,
    api_changes.router,
    api_staff.router,
    api_money.router,
    api_invoices.router,
    api_shop.router,
    api_customers.router,
    api_erasures.router,
)


def routes() -> FastAPI:
    """Return the application without a service, from which the document is generated."""
    return documented(
        "Comptoir orders",
        ROUTERS,
        {CursorInvalid: (400, "cursor_unreadable")},
        summary="Orders of a shop: list, show, and have them paid, packed, shipped and delivered.",
        openapi_url="/openapi.json",
        details=ProblemDetails,
    )


def build_app(hub: Hub) -> FastAPI:
    """Return the application of a running service."""
    app = routes()
    assert isinstance(hub.settings, OrdersSettings)
    app.state.hub, app.state.actions, app.state.finder = hub, Actions(hub), Finder()
    app.state.facts, app.state.clients = FactsReader(hub), ServiceClients(hub.settings)
    app.add_middleware(Gate, under=GUARDED, tokens=callers(hub.settings.api_tokens))
    return app
