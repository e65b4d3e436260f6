"""Routes for what this service does itself: tags, archive, comments, statuses; and for mails sent again.

They answer like commands: the same key and request give the same answer.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse, Response

from contracts.notifier.mails import ConfirmMail, ResendMail
from services.chassis.messaging.unit import Unit
from services.orders.api.actions.staff_requests import (
    ArchivingRequest,
    CommentRequest,
    MailRequest,
    StatusRequest,
    TaggingRequest,
)
from services.orders.api.edges import COMMAND, Context, Key, OrderName, guarded_router
from services.orders.listing.documents import StatusesResponse, StatusResponse, TagResponse, TagsResponse
from services.orders.order.unit.actions import OrderResult
from services.orders.staff import archiving, commenting, tagging
from services.orders.staff.updating_status import update_status

STATUS = "orders.order.status"

router = guarded_router()


@router.get("/tags", tags=["orders"], response_model=TagsResponse)
async def list_tags(context: Context) -> TagsResponse:
    """List the shop's tags with the number of orders that have each."""
    async with context.hub.acquire() as connection:
        tags = await tagging.tags_of_shop(connection, context.caller.shop)
    shown = [TagResponse(tag_id=tag.id, name=tag.name, colour=tag.colour, orders=tag.orders) for tag in tags]
    return TagsResponse(tags=shown)


@router.get("/statuses", tags=["orders"], response_model=StatusesResponse)
async def list_statuses(context: Context) -> StatusesResponse:
    """List the statuses of the shop: the built-in ones and its own."""
    async with context.hub.acquire() as connection:
        labels = (await context.labels(connection)).choices()
    return StatusesResponse(
        statuses=[
            StatusResponse(
                key=label.key,
                fr=label.text("fr"),
                en=label.text("en"),
                state=label.state,
                colour=label.colour,
                is_built_in=label.is_built_in,
            )
            for label in labels
        ]
    )


@router.post("/tagging", **COMMAND)
async def tag_orders(request: TaggingRequest, key: Key, context: Context) -> Response:
    """Add and remove tags of orders; `outcome` tells for each order whether it changed."""
    shop, actor = context.caller.shop, context.caller.actor

    async def act(unit: Unit) -> dict[str, Any]:
        added = [await tagging.create_tag(unit, shop, tag.name, tag.colour, actor) for tag in request.add]
        removed = await tagging.tags_named(unit.connection, shop, request.remove)
        names = [tag.id for tag in added], [tag.id for tag in removed]
        return outcome_of(await tagging.retag_orders(unit, shop, request.orders, *names, actor))

    return await context.act(key, None, tagging.RETAG, request, act)


@router.post("/archiving", **COMMAND)
async def archive_orders(request: ArchivingRequest, key: Key, context: Context) -> Response:
    """Archive finished orders, or restore archived ones; `outcome` tells for each order whether it changed."""
    move = archiving.archive if request.archived else archiving.unarchive
    action = archiving.ARCHIVE if request.archived else archiving.UNARCHIVE

    async def act(unit: Unit) -> dict[str, Any]:
        return outcome_of(await move(unit, context.caller.shop, request.orders, context.caller.actor))

    return await context.act(key, None, action, request, act)


@router.post("/orders/{order}/comments", **COMMAND)
async def comment_on_order(order: OrderName, request: CommentRequest, key: Key, context: Context) -> Response:
    """Add an internal comment to an order."""
    facts = await context.order(order)

    async def act(unit: Unit) -> dict[str, Any]:
        written = await commenting.comment(
            unit, facts.shop, facts.order_id, request.text, context.caller.actor, request.counters
        )
        return {"comment_id": str(written)}

    return await context.act(key, facts.order_id, commenting.COMMENT, request, act)


@router.post("/orders/{order}/status", **COMMAND)
async def give_status(order: OrderName, request: StatusRequest, key: Key, context: Context) -> Response:
    """Update an order's status; the customer gets a mail if `notify_customer` is set."""
    facts = await context.order(order)

    async def act(unit: Unit) -> dict[str, Any]:
        updated = await update_status(
            unit,
            facts.shop,
            facts.order_id,
            request.update(),
            context.caller.actor,
            may_force=True,
            revision=request.revision,
        )
        return {
            "state": updated.state,
            "label": updated.label,
            "revision": updated.revision,
            "event_id": str(updated.event_id),
        }

    return await context.act(key, facts.order_id, STATUS, request, act)


@router.post("/mails/{mail_id}/resend", **COMMAND)
async def resend_mail(mail_id: UUID, request: MailRequest, key: Key, context: Context) -> JSONResponse:
    """Send again a mail that was sent, failed or may not have arrived."""
    shop, actor = context.caller.shop, context.caller.actor
    return await context.send(key, None, [], lambda _: ResendMail(shop=shop, mail_id=mail_id, actor=actor))


@router.post("/mails/{mail_id}/confirm", **COMMAND)
async def confirm_mail(mail_id: UUID, request: MailRequest, key: Key, context: Context) -> JSONResponse:
    """Confirm that an uncertain mail arrived."""
    shop, actor = context.caller.shop, context.caller.actor
    return await context.send(key, None, [], lambda _: ConfirmMail(shop=shop, mail_id=mail_id, actor=actor))


def outcome_of(results: Sequence[OrderResult]) -> dict[str, Any]:
    """Return the result for each order, in the form of an outcome."""
    return {
        "changed": sum(result.changed for result in results),
        "orders": [
            {
                "order_id": str(result.order_id),
                "code": result.code,
                "changed": result.changed,
                "reason": result.reason,
                "detail": result.detail,
            }
            for result in results
        ],
    }
