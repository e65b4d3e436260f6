"""Routes by which placed orders are changed: edited, cancelled, reinstated, deleted; and what that would do.

They answer like commands: the same key and request give the same answer.
"""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from services.orders.api.actions import change_actions
from services.orders.api.edges import COMMAND, Context, Key, OrderName, guarded_router
from services.orders.api.problems import described
from services.orders.changes import previewing
from services.orders.changes.requests import (
    CancellationRequest,
    DeletionRequest,
    EditRequest,
    ReinstatementRequest,
)
from services.orders.listing.documents import PreviewResponse
from services.orders.listing.order_parts import CommandResponse

router = guarded_router()
CHANGE: dict[str, Any] = {
    **COMMAND,
    "response_model": CommandResponse | PreviewResponse,
    "status_code": 200,
    "response_description": "Done; with `preview` what it would do.",
    "responses": {
        202: {
            "model": CommandResponse,
            "description": "Requested; no outcome after two seconds: poll `Location` after `Retry-After`.",
        },
        **described(400, 404, 409, 413),
    },
}
IsPreview = Annotated[bool, Query(description="Only report what it would do.")]


@router.patch("/orders/{order}", **CHANGE)
async def edit_order(
    order: OrderName, request: EditRequest, key: Key, context: Context, preview: IsPreview = False
) -> Response:
    """Edit a placed order. Only the fields sent change; stock, parcels and the amount due follow."""
    shop, order_id, actor = await context.named(order)
    if preview:
        return await context.preview(previewing.preview_edit(context.hub, shop, order_id, request))
    return await context.carry_out(change_actions.edit(shop, order_id, key, actor, request))


@router.post("/orders/{order}/cancellation", **CHANGE)
async def cancel_order(
    order: OrderName,
    request: CancellationRequest,
    key: Key,
    context: Context,
    preview: IsPreview = False,
) -> Response:
    """Cancel everything not yet shipped, and credit it."""
    shop, order_id, actor = await context.named(order)
    if preview:
        look = previewing.preview_cancellation(context.hub, shop, order_id, request.revision)
        return await context.preview(look)
    return await context.carry_out(change_actions.cancel(shop, order_id, key, actor, request))


@router.post("/orders/{order}/reinstatement", **CHANGE)
async def reinstate_order(
    order: OrderName,
    request: ReinstatementRequest,
    key: Key,
    context: Context,
    preview: IsPreview = False,
) -> Response:
    """Reinstate a cancelled order, if there is stock for all of it."""
    shop, order_id, actor = await context.named(order)
    if preview:
        look = previewing.preview_reinstatement(context.hub, shop, order_id, request.revision)
        return await context.preview(look)
    return await context.carry_out(change_actions.reinstate(shop, order_id, key, actor, request))


@router.delete("/orders/{order}", **{**CHANGE, "response_model": CommandResponse})
async def delete_order(
    order: OrderName, request: Annotated[DeletionRequest, Query()], key: Key, context: Context
) -> Response:
    """Delete an order irreversibly, unless money ever moved, a tracking number exists or it is completed."""
    shop, order_id, actor = await context.named(order)
    return await context.carry_out(change_actions.delete(shop, order_id, key, actor, request))
