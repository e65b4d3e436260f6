"""Routes by which placed orders are changed: edited, cancelled, reinstated, deleted; and what that would do.

They answer like commands: the same key and request give the same answer.
"""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from services.orders.api.actions import change_commands
from services.orders.api.edges import COMMAND, ErrandNeeded, Key, OrderName, guarded_router
from services.orders.api.problems import described
from services.orders.changes import previewing
from services.orders.changes.requests import (
    CancellationRequest,
    DeletionRequest,
    EditRequest,
    ReinstatementRequest,
)
from services.orders.listing.documents import CommandResponse, PreviewResponse

router = guarded_router()
CHANGE: dict[str, Any] = {
    **COMMAND,
    "response_model": CommandResponse | PreviewResponse,
    "status_code": 200,
    "response_description": "Done; with `preview` what it would do.",
    "responses": {
        202: {
            "model": CommandResponse,
            "description": "Asked, without an outcome after two seconds: look at `Location` after `Retry-After`.",
        },
        **described(400, 404, 409, 413),
    },
}
IsPreview = Annotated[bool, Query(description="Only tell what it would do.")]


@router.patch("/orders/{order}", **CHANGE)
async def edit_order(
    order: OrderName, asked: EditRequest, key: Key, context: ErrandNeeded, preview: IsPreview = False
) -> Response:
    """Edit a placed order: what is named changes, the rest stays. Stock, parcels and what is due follow."""
    shop, order_id, actor = await context.named(order)
    if preview:
        return await context.preview(previewing.preview_edit(context.hub, shop, order_id, asked))
    return await context.change(change_commands.edit(shop, order_id, key, actor, asked))


@router.post("/orders/{order}/cancellation", **CHANGE)
async def cancel_order(
    order: OrderName, asked: CancellationRequest, key: Key, context: ErrandNeeded, preview: IsPreview = False
) -> Response:
    """Cancel what has not left, and credit it."""
    shop, order_id, actor = await context.named(order)
    if preview:
        look = previewing.preview_cancellation(context.hub, shop, order_id, asked.revision)
        return await context.preview(look)
    return await context.change(change_commands.cancel(shop, order_id, key, actor, asked))


@router.post("/orders/{order}/reinstatement", **CHANGE)
async def reinstate_order(
    order: OrderName, asked: ReinstatementRequest, key: Key, context: ErrandNeeded, preview: IsPreview = False
) -> Response:
    """Take a cancellation back, if there is stock for all of it."""
    shop, order_id, actor = await context.named(order)
    if preview:
        look = previewing.preview_reinstatement(context.hub, shop, order_id, asked.revision)
        return await context.preview(look)
    return await context.change(change_commands.reinstate(shop, order_id, key, actor, asked))


@router.delete("/orders/{order}", **{**CHANGE, "response_model": CommandResponse})
async def delete_order(
    order: OrderName, asked: Annotated[DeletionRequest, Query()], key: Key, context: ErrandNeeded
) -> Response:
    """Delete an order for ever, unless money ever moved, a tracking number exists or it is completed."""
    shop, order_id, actor = await context.named(order)
    return await context.change(change_commands.delete(shop, order_id, key, actor, asked))
