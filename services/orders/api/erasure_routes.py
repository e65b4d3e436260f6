"""Route of `comptoir erase`: erase the customer of an order, in all services. Below /internal, so with the
operators' token only.

The order's code names the customer, so that no personal data comes into a shell's history or a log.
"""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from services.chassis.http.problems import Problem
from services.chassis.runtime.hub import Hub
from services.chassis.texts import Seen
from services.orders.order.erasure import requesting
from services.orders.order.requests import STRICT

router = APIRouter(prefix="/internal", include_in_schema=False)


class ErasureRequest(BaseModel):
    """Which customer is erased, and why. With `dry` the orders are only listed."""

    model_config = ConfigDict(extra="forbid")

    shop: str = Field(min_length=1, max_length=63, pattern=r"^[^\x00]*$")
    order: str = Field(min_length=1, max_length=40, pattern=r"^[^\x00]*$")
    reason: Annotated[str, Seen] = Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")
    actor: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")
    with_running: Annotated[bool, STRICT] = False
    dry: Annotated[bool, STRICT] = False


@router.post("/erasures")
async def erase(erasure: ErasureRequest, request: Request) -> Response:
    """Erase the customer of an order: the orders with their codes, and the ids of the erasures that were begun."""
    hub: Hub = request.app.state.hub
    async with hub.acquire() as connection:
        order_id, _ = await requesting.find_named(connection, erasure.shop, erasure.order)
        if order_id is None:
            detail = f"no order {erasure.order} in shop {erasure.shop}; give a code such as K7F3-QD9M"
            raise Problem(404, "order_unknown", detail)
        found = await requesting.find_orders(connection, erasure.shop, order_id)
    orders = [{"code": one.code, "is_running": one.is_running} for one in found]
    if erasure.dry:
        return JSONResponse({"orders": orders, "erasures": []})
    try:
        async with hub.unit() as unit:
            begun = await requesting.request(
                unit, erasure.shop, order_id, erasure.actor, erasure.reason, with_running=erasure.with_running
            )
    except (requesting.NothingToErase, requesting.OrdersRunning) as refused:
        raise Problem(409, "erasure_refused", str(refused)) from None
    return JSONResponse({"orders": orders, "erasures": [str(one) for one in begun]})
