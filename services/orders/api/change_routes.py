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
from services.orders.changes.requests import CancellationAsked, DeletionAsked, EditAsked, ReinstatementAsked
from services.orders.listing.documents import CommandShown, PreviewShown

router = guarded_router()
CHANGE: dict[str, Any] = {
    **COMMAND,
    "response_model": CommandShown | PreviewShown,
    "status_code": 200,
    "response_description": "Done; with `preview` what it would do.",
    "responses": {
        202: {
            "model": CommandShown,
            "description": "Asked, without an outcome after two seconds: look at `Location` after `Retry-After`.",
        },
        **described(400, 404, 409, 413),
    },
}
IsPreview = Annotated[bool, Query(description="Only tell what it would do.")]


@router.patch("/orders/{order}", **CHANGE)
async def edit_order(
    order: OrderName, asked: EditAsked, key: Key, errand: ErrandNeeded, preview: IsPreview = False
) -> Response:
    """Edit a placed order: what is named changes, the rest stays. Stock, parcels and what is due follow."""
    shop, order_id, actor = await errand.named(order)
    if preview:
        return await errand.preview(previewing.preview_edit(errand.hub, shop, order_id, asked))
    return await errand.change(change_commands.edit(shop, order_id, key, actor, asked))


@router.post("/orders/{order}/cancellation", **CHANGE)
async def cancel_order(
    order: OrderName, asked: CancellationAsked, key: Key, errand: ErrandNeeded, preview: IsPreview = False
) -> Response:
    """Cancel what has not left, and credit it."""
    shop, order_id, actor = await errand.named(order)
    if preview:
        look = previewing.preview_cancellation(errand.hub, shop, order_id, asked.revision)
        return await errand.preview(look)
    return await errand.change(change_commands.cancel(shop, order_id, key, actor, asked))


@router.post("/orders/{order}/reinstatement", **CHANGE)
async def reinstate_order(
    order: OrderName, asked: ReinstatementAsked, key: Key, errand: ErrandNeeded, preview: IsPreview = False
) -> Response:
    """Take a cancellation back, if there is stock for all of it."""
    shop, order_id, actor = await errand.named(order)
    if preview:
        look = previewing.preview_reinstatement(errand.hub, shop, order_id, asked.revision)
        return await errand.preview(look)
    return await errand.change(change_commands.reinstate(shop, order_id, key, actor, asked))


@router.delete("/orders/{order}", **{**CHANGE, "response_model": CommandShown})
async def delete_order(
    order: OrderName, asked: Annotated[DeletionAsked, Query()], key: Key, errand: ErrandNeeded
) -> Response:
    """Delete an order for ever, unless money ever moved, a tracking number exists or it is completed."""
    shop, order_id, actor = await errand.named(order)
    return await errand.change(change_commands.delete(shop, order_id, key, actor, asked))
