"""Read-only HTTP for the back office and the operators: stock, its movements, orders, what to pick, pack and
ship.

The edge lets only holders of COMPTOIR_INTERNAL_TOKEN reach it. Nothing is changed over HTTP: commands are
messages. Which orders may be prepared is not stored here (that depends on payment), so the lists of work to do
are requested with order ids.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from pydantic import StringConstraints

from services.chassis.http.documented import documented
from services.chassis.http.paging import LARGEST_PAGE, CursorInvalid, read_keyed
from services.chassis.runtime.hub import Hub
from services.fulfillment.api import store as list_store
from services.fulfillment.api.documents import ShownOrder, ShownStock, show_order, show_stock
from services.fulfillment.api.list_documents import (
    LevelsPage,
    MovementsPage,
    PackingSlip,
    PickList,
    WaitingParcels,
    show_levels,
    show_movements,
    show_pick_list,
    show_slips,
    show_waiting_parcels,
)
from services.fulfillment.order.order import Order
from services.fulfillment.order.unit import order_store, stock_store

Skus = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]],
    Query(min_length=1, max_length=200, description="SKUs, each as a parameter of its own."),
]
OrderIds = Annotated[
    list[UUID],
    Query(min_length=1, max_length=500, alias="order_id", description="Orders, each as a parameter."),
]
ShortText = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Part = Annotated[str, Query(max_length=64, pattern=r"^[^\x00]*$", description="In any part of the SKU.")]
Sequence = Annotated[
    list_store.Sequence,
    Query(description="`available`: the fewest available first; `sku`: by SKU and location."),
]
AtMost = Annotated[
    int | None, Query(ge=0, le=10**9, description="Levels with at most this many units available.")
]
OnlyLow = Annotated[
    bool, Query(description="Only levels of SKUs that are low: at their threshold, or the default.")
]
After = Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


HubNeeded = Annotated[Hub, Depends(_hub)]
router = APIRouter(prefix="/internal")


def build_app(hub: Hub) -> FastAPI:
    """Return the service's own routes."""
    app = documented("Comptoir fulfillment, internal", [router], {CursorInvalid: 400})
    app.state.hub = hub
    return app


@router.get("/stock")
async def stock(hub: HubNeeded, shop: str, sku: Skus) -> ShownStock:
    """Return the levels of some SKUs."""
    async with hub.acquire() as connection:
        return show_stock(
            shop,
            await stock_store.read_levels(connection, shop, sku),
            await stock_store.read_thresholds(connection, shop, sku),
        )


@router.get("/stock/levels")
async def levels(
    hub: HubNeeded,
    shop: str,
    text: Part = "",
    location: ShortText | None = None,
    at_most: AtMost = None,
    low: OnlyLow = False,
    sequence: Sequence = list_store.Sequence.AVAILABLE,
    after: After = None,
    limit: Limit = 50,
) -> LevelsPage:
    """Return all levels, a page at a time."""
    key = read_keyed(after, int, str, str) if after is not None else None
    async with hub.acquire() as connection:
        rows = await list_store.read_level_page(
            connection, shop, text, location, at_most, sequence, key, limit + 1, only_low=low
        )
    return show_levels(rows, limit)


@router.get("/stock/locations")
async def locations(hub: HubNeeded, shop: str) -> list[str]:
    """Return the locations of the shop's stock, by name."""
    async with hub.acquire() as connection:
        return await list_store.read_locations(connection, shop)


@router.get("/stock/movements")
async def movements(
    hub: HubNeeded,
    shop: str,
    sku: ShortText,
    location: ShortText | None = None,
    after: After = None,
    limit: Limit = 50,
) -> MovementsPage:
    """Return the movements that explain the levels of a SKU, newest first, a page at a time."""
    key = read_keyed(after, int, str, str, int, str) if after is not None else None
    async with hub.acquire() as connection:
        rows = await list_store.read_movement_page(connection, shop, sku, location, key, limit + 1)
    return show_movements(sku, rows, limit)


@router.get("/pick-list")
async def pick_list(hub: HubNeeded, shop: str, order_ids: OrderIds) -> PickList:
    """Return what to pick for these orders, by SKU and location and by order."""
    return show_pick_list(await _orders(hub, shop, order_ids))


@router.get("/parcels/waiting")
async def waiting_parcels(hub: HubNeeded, shop: str, order_ids: OrderIds) -> list[WaitingParcels]:
    """Return the parcels of these orders that are packed and have not left."""
    return show_waiting_parcels(await _orders(hub, shop, order_ids))


@router.get("/packing-slips")
async def packing_slips(
    hub: HubNeeded, shop: str, order_ids: OrderIds, parcel_id: UUID | None = None
) -> list[PackingSlip]:
    """Return a packing slip for every parcel of these orders, or for one of them."""
    return show_slips(await _orders(hub, shop, order_ids), parcel_id)


@router.get("/orders/{shop}/{order_id}")
async def order(hub: HubNeeded, shop: str, order_id: UUID) -> ShownOrder:
    """Return everything stored about one order."""
    found = await _orders(hub, shop, [order_id])
    if not found:
        raise HTTPException(404, f"Shop {shop} has no order {order_id} here; it may not have arrived yet.")
    return show_order(found[0])


async def _orders(hub: Hub, shop: str, order_ids: list[UUID]) -> list[Order]:
    async with (
        hub.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await order_store.read_orders(connection, shop, order_ids)
