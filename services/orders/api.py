"""The REST API of the orders service: lists and shows orders, takes the staff's commands.

OpenAPI 3.1, committed as `openapi.json` beside this file (`python -m services.orders.openapi` writes it). Everything
below /v1 needs a token of COMPTOIR_API_TOKENS; an order of another shop than the token's does not exist here.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer

from contracts.storefront import Module
from services.chassis.hub import Hub
from services.orders import api_store, problems
from services.orders.access import GUARDED, Gate, Tokens
from services.orders.answering import RETRY_SECONDS, Errand, command_document, order_named, order_unknown
from services.orders.commanding import Commands
from services.orders.cursor import CursorUnreadable
from services.orders.documents import CommandShown, OrderShown, OrdersPage, SubmissionShown
from services.orders.finding.finder import Finder
from services.orders.listing import ListQuery
from services.orders.problems import Problem, described
from services.orders.requesting import (
    AdjustmentAsked,
    DeliveryAsked,
    ParcelAsked,
    PaymentAsked,
    ShipmentAsked,
    StockAsked,
    UnpackingAsked,
)
from services.orders.settings import OrdersSettings
from services.orders.showing import show

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token of COMPTOIR_API_TOKENS.")
router = APIRouter(prefix=GUARDED, dependencies=[Depends(_bearer)], responses=described(401, 422, 503))


async def _errand(request: Request) -> Errand:
    """Async, since FastAPI would make a plain one in a thread of its own."""
    return Errand(request)


ErrandNeeded = Annotated[Errand, Depends(_errand)]
OrderName = Annotated[str, Path(max_length=64, description="The order's id or its code (K7F3-QD9M).")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Chosen by the caller, once per command: the same key and request give the same command.",
    ),
]
COMMAND: dict[str, Any] = {
    "tags": ["commands"],
    "response_model": CommandShown,
    "status_code": 201,
    "response_description": "Done: something new is there.",
    "responses": {
        200: {"model": CommandShown, "description": "Done; nothing new had to be made."},
        202: {
            "model": CommandShown,
            "description": "Sent, without an outcome after two seconds: look at `Location` after `Retry-After`. "
            "State `parked` (no `Retry-After`): a person must look.",
        },
        **described(400, 404, 409, 413),
    },
}


@router.get("/orders", tags=["orders"], response_model=OrdersPage, responses=described(400))
async def list_orders(query: Annotated[ListQuery, Query()], errand: ErrandNeeded) -> Response:
    """Orders of the shop, filtered, newest first unless `sort` says otherwise; a page at a time."""
    try:
        return JSONResponse(await errand.listed(query))
    except CursorUnreadable as unreadable:
        raise Problem(400, "cursor_unreadable", str(unreadable)) from None


@router.get("/orders/{order}", tags=["orders"], response_model=OrderShown, responses=described(404))
async def show_order(order: OrderName, errand: ErrandNeeded) -> Response:
    """One order with everything about it: money, ledger, lines, parcels, shipments, mails, activity."""
    async with errand.hub.acquire() as connection:
        row = await api_store.read_order_whole(connection, errand.caller.shop, *order_named(order))
        labels = await errand.labels(connection)
    if row is None:
        raise order_unknown()
    return Response(show(row, labels).model_dump_json(), media_type="application/json")


@router.get(
    "/submissions/{module}/{idempotency_key:path}",
    tags=["orders"],
    response_model=SubmissionShown,
    response_model_exclude_none=True,
    responses=described(404),
)
async def show_submission(
    module: Module,
    idempotency_key: Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")],
    errand: ErrandNeeded,
) -> SubmissionShown:
    """What became of a storefront's submission: the order it placed, or why it was refused."""
    return await errand.submission(module, idempotency_key)


@router.post("/orders/{order}/payments", **COMMAND)
async def record_payment(order: OrderName, asked: PaymentAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Record money a person received for an order: a cheque, a transfer, cash."""
    facts, actor = await errand.order(order), errand.caller.actor
    return await errand.ask(key, facts, asked.faults(facts), lambda _: asked.command(facts, actor))


@router.post("/orders/{order}/parcels", **COMMAND)
async def pack_parcel(order: OrderName, asked: ParcelAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Pack a parcel from units still to be packed. The server makes `parcel_id` when none is sent."""
    facts, actor = await errand.order(order), errand.caller.actor
    return await errand.ask(key, facts, asked.faults(facts), lambda made: asked.command(facts, actor, made))


@router.post("/orders/{order}/parcels/{parcel_id}/unpacking", **COMMAND)
async def unpack_parcel(
    order: OrderName, parcel_id: UUID, asked: UnpackingAsked, key: Key, errand: ErrandNeeded
) -> Response:
    """Take a packed parcel apart that has not left; its units are to be packed again."""
    facts, actor = await errand.order(order), errand.caller.actor
    return await errand.ask(key, facts, [], lambda _: asked.command(facts, actor, parcel_id))


@router.post("/orders/{order}/shipments", **COMMAND)
async def dispatch_shipment(
    order: OrderName, asked: ShipmentAsked, key: Key, errand: ErrandNeeded
) -> Response:
    """Hand packed parcels to a carrier. The server makes `shipment_id` when none is sent."""
    facts, actor = await errand.order(order), errand.caller.actor
    return await errand.ask(key, facts, [], lambda made: asked.command(facts, actor, made))


@router.post("/orders/{order}/shipments/{shipment_id}/delivery", **COMMAND)
async def record_delivery(
    order: OrderName, shipment_id: UUID, asked: DeliveryAsked, key: Key, errand: ErrandNeeded
) -> Response:
    """Record that a shipment reached its customer, with the proof."""
    facts, actor = await errand.order(order), errand.caller.actor
    return await errand.ask(key, facts, [], lambda _: asked.command(facts, actor, shipment_id))


@router.post("/stock", **COMMAND)
async def set_stock(asked: StockAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Set what is on hand of some SKUs, after a count or an import."""
    return await errand.ask(key, None, [], lambda _: asked.command(errand.caller.shop, errand.caller.actor))


@router.post("/stock/adjustments", **COMMAND)
async def adjust_stock(asked: AdjustmentAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Change what is on hand of a SKU by so many units, saying why."""
    return await errand.ask(key, None, [], lambda _: asked.command(errand.caller.shop, errand.caller.actor))


@router.get(
    "/commands/{command_id}", tags=["commands"], response_model=CommandShown, responses=described(404)
)
async def show_command(command_id: UUID, errand: ErrandNeeded) -> Response:
    """What became of a command."""
    document = command_document(await errand.command(command_id))
    retry = {"Retry-After": str(RETRY_SECONDS)} if document["state"] == "pending" else None
    return JSONResponse(document, headers=retry)


def routes() -> FastAPI:
    """The application without a service behind it: what the document is made from."""
    app = FastAPI(
        title="Comptoir orders",
        version="1",
        summary="Orders of a shop: list, show, and have them paid, packed, shipped and delivered.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(router)
    problems.install(app)
    problems.describe(app)
    return app


def build_app(hub: Hub) -> FastAPI:
    """The application of a running service."""
    app = routes()
    assert isinstance(hub.settings, OrdersSettings)
    app.state.hub, app.state.commands, app.state.finder = hub, Commands(hub), Finder()
    app.add_middleware(Gate, tokens=Tokens(hub.settings.api_tokens))
    return app
