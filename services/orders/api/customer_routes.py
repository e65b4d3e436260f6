"""Route of the notifier's customer page: one order, as its customer may see it. Below /internal, so with the
operators' token only.
"""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis.http.problems import Problem
from services.chassis.runtime.hub import Hub
from services.orders.api.customer_document import show_to_customer
from services.orders.api.customer_store import read_for_customer
from services.orders.staff.labels import labels_of

router = APIRouter(prefix="/internal", include_in_schema=False)


@router.get("/customer-orders/{shop}/{order_id}")
async def show_customer_order(shop: str, order_id: UUID, request: Request) -> Response:
    """Return a placed order for its customer's page; changes nothing."""
    hub: Hub = request.app.state.hub
    async with hub.acquire() as connection:
        row = await read_for_customer(connection, shop, order_id)
        labels = await labels_of.get(connection, hub.owner, shop) if row else None
    if row is None or labels is None:
        raise Problem(404, "order_unknown", f"Shop {shop} has no placed order {order_id}.")
    return JSONResponse(show_to_customer(row, labels), headers={"Cache-Control": "no-store"})
