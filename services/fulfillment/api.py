"""Read-only HTTP for the back office and the operators: stock levels, and everything about one order.

Bearer token COMPTOIR_INTERNAL_TOKEN. Nothing is changed over HTTP: commands are messages.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Query, Request

from services.chassis.health import may_operate
from services.chassis.hub import Hub
from services.fulfillment import store
from services.fulfillment.showing import ShownOrder, ShownStock, show_order, show_stock

Skus = Annotated[
    list[str], Query(min_length=1, max_length=200, description="SKUs, each as a parameter of its own.")
]


def build_app(hub: Hub) -> FastAPI:
    """The service's own routes."""

    def require_token(request: Request) -> None:
        if not may_operate(hub, request):
            raise HTTPException(
                401, "Send the header `Authorization: Bearer …` with COMPTOIR_INTERNAL_TOKEN."
            )

    app = FastAPI(title="Comptoir fulfillment, internal", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/internal/stock", dependencies=[Depends(require_token)])
    async def stock(shop: str, sku: Skus) -> ShownStock:
        async with hub.acquire() as connection:
            return show_stock(shop, await store.read_levels(connection, shop, sku))

    @app.get("/internal/orders/{shop}/{order_id}", dependencies=[Depends(require_token)])
    async def order(shop: str, order_id: UUID) -> ShownOrder:
        async with (
            hub.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = await store.read_order(connection, shop, order_id)
        if found is None:
            raise HTTPException(
                404, f"Shop {shop} has no order {order_id} here; it may not have arrived yet."
            )
        return show_order(found)

    return app
