"""Routes for what this service does itself: tags, archive, comments, statuses; and for mails sent again.

They answer like commands: the same key and request give the same answer.
"""

from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse, Response

from contracts.notifier import ConfirmMail, ResendMail
from services.chassis.messaging.unit import Unit
from services.orders.api.actions.deciding import outcome_of
from services.orders.api.actions.staff_requests import (
    ArchivingRequest,
    CommentRequest,
    MailRequest,
    StatusRequest,
    TaggingRequest,
)
from services.orders.api.edges import COMMAND, ErrandNeeded, Key, OrderName, guarded_router
from services.orders.listing.documents import StatusesResponse, StatusResponse, TagResponse, TagsResponse
from services.orders.staff import archiving, commenting, tagging
from services.orders.staff.updating_status import update_status

STATUS = "orders.order.status"

router = guarded_router()


@router.get("/tags", tags=["orders"], response_model=TagsResponse)
async def list_tags(context: ErrandNeeded) -> TagsResponse:
    """The shop's tags, with how many orders have each."""
    async with context.hub.acquire() as connection:
        tags = await tagging.tags_of_shop(connection, context.caller.shop)
    shown = [TagResponse(tag_id=tag.id, name=tag.name, colour=tag.colour, orders=tag.orders) for tag in tags]
    return TagsResponse(tags=shown)


@router.get("/statuses", tags=["orders"], response_model=StatusesResponse)
async def list_statuses(context: ErrandNeeded) -> StatusesResponse:
    """The statuses that orders of the shop can have: the built-in ones and the shop's own."""
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
async def tag_orders(asked: TaggingRequest, key: Key, context: ErrandNeeded) -> Response:
    """Put tags on orders and take tags off them; `outcome` says of each order whether it changed."""
    shop, actor = context.caller.shop, context.caller.actor

    async def act(unit: Unit) -> dict[str, Any]:
        added = [await tagging.create_tag(unit, shop, tag.name, tag.colour, actor) for tag in asked.add]
        removed = await tagging.tags_named(unit.connection, shop, asked.remove)
        names = [tag.id for tag in added], [tag.id for tag in removed]
        return outcome_of(await tagging.retag_orders(unit, shop, asked.orders, *names, actor))

    return await context.decide(key, None, tagging.RETAG, asked, act)


@router.post("/archiving", **COMMAND)
async def archive_orders(asked: ArchivingRequest, key: Key, context: ErrandNeeded) -> Response:
    """Archive finished orders, or bring archived ones back; `outcome` says of each order whether it changed."""
    move = archiving.archive if asked.archived else archiving.unarchive
    deed = archiving.ARCHIVE if asked.archived else archiving.UNARCHIVE

    async def act(unit: Unit) -> dict[str, Any]:
        return outcome_of(await move(unit, context.caller.shop, asked.orders, context.caller.actor))

    return await context.decide(key, None, deed, asked, act)


@router.post("/orders/{order}/comments", **COMMAND)
async def comment_on_order(
    order: OrderName, asked: CommentRequest, key: Key, context: ErrandNeeded
) -> Response:
    """Write a comment for the staff on an order."""
    facts = await context.order(order)

    async def act(unit: Unit) -> dict[str, Any]:
        written = await commenting.comment(
            unit, facts.shop, facts.order_id, asked.text, context.caller.actor, asked.counters
        )
        return {"comment_id": str(written)}

    return await context.decide(key, facts.order_id, commenting.COMMENT, asked, act)


@router.post("/orders/{order}/status", **COMMAND)
async def give_status(order: OrderName, asked: StatusRequest, key: Key, context: ErrandNeeded) -> Response:
    """Give an order a status; the customer is told if `notify_customer` is sent."""
    facts = await context.order(order)

    async def act(unit: Unit) -> dict[str, Any]:
        updated = await update_status(
            unit,
            facts.shop,
            facts.order_id,
            asked.update(),
            context.caller.actor,
            may_force=True,
            revision=asked.revision,
        )
        return {
            "state": updated.state,
            "label": updated.label,
            "revision": updated.revision,
            "event_id": str(updated.event_id),
        }

    return await context.decide(key, facts.order_id, STATUS, asked, act)


@router.post("/mails/{mail_id}/resend", **COMMAND)
async def resend_mail(mail_id: UUID, asked: MailRequest, key: Key, context: ErrandNeeded) -> JSONResponse:
    """Send a mail again that was sent, failed or may not have arrived."""
    shop, actor = context.caller.shop, context.caller.actor
    return await context.ask(key, None, [], lambda _: ResendMail(shop=shop, mail_id=mail_id, actor=actor))


@router.post("/mails/{mail_id}/confirm", **COMMAND)
async def confirm_mail(mail_id: UUID, asked: MailRequest, key: Key, context: ErrandNeeded) -> JSONResponse:
    """Take a mail of which nobody knows whether it went as arrived."""
    shop, actor = context.caller.shop, context.caller.actor
    return await context.ask(key, None, [], lambda _: ConfirmMail(shop=shop, mail_id=mail_id, actor=actor))
