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
    ArchivingAsked,
    CommentAsked,
    MailAsked,
    StatusAsked,
    TaggingAsked,
)
from services.orders.api.edges import COMMAND, ErrandNeeded, Key, OrderName, guarded_router
from services.orders.listing.documents import StatusesShown, StatusShown, TagShown, TagsShown
from services.orders.staff import archiving, commenting, tagging
from services.orders.staff.updating_status import update_status

STATUS = "orders.order.status"

router = guarded_router()


@router.get("/tags", tags=["orders"], response_model=TagsShown)
async def list_tags(errand: ErrandNeeded) -> TagsShown:
    """The shop's tags, with how many orders have each."""
    async with errand.hub.acquire() as connection:
        tags = await tagging.tags_of_shop(connection, errand.caller.shop)
    shown = [TagShown(tag_id=tag.id, name=tag.name, colour=tag.colour, orders=tag.orders) for tag in tags]
    return TagsShown(tags=shown)


@router.get("/statuses", tags=["orders"], response_model=StatusesShown)
async def list_statuses(errand: ErrandNeeded) -> StatusesShown:
    """The statuses that orders of the shop can have: the built-in ones and the shop's own."""
    async with errand.hub.acquire() as connection:
        labels = (await errand.labels(connection)).choices()
    return StatusesShown(
        statuses=[
            StatusShown(
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
async def tag_orders(asked: TaggingAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Put tags on orders and take tags off them; `outcome` says of each order whether it changed."""
    shop, actor = errand.caller.shop, errand.caller.actor

    async def act(unit: Unit) -> dict[str, Any]:
        added = [await tagging.create_tag(unit, shop, tag.name, tag.colour, actor) for tag in asked.add]
        removed = await tagging.tags_named(unit.connection, shop, asked.remove)
        names = [tag.id for tag in added], [tag.id for tag in removed]
        return outcome_of(await tagging.retag_orders(unit, shop, asked.orders, *names, actor))

    return await errand.decide(key, None, tagging.RETAG, asked, act)


@router.post("/archiving", **COMMAND)
async def archive_orders(asked: ArchivingAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Archive finished orders, or bring archived ones back; `outcome` says of each order whether it changed."""
    move = archiving.archive if asked.archived else archiving.unarchive
    deed = archiving.ARCHIVE if asked.archived else archiving.UNARCHIVE

    async def act(unit: Unit) -> dict[str, Any]:
        return outcome_of(await move(unit, errand.caller.shop, asked.orders, errand.caller.actor))

    return await errand.decide(key, None, deed, asked, act)


@router.post("/orders/{order}/comments", **COMMAND)
async def comment_on_order(order: OrderName, asked: CommentAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Write a comment for the staff on an order."""
    facts = await errand.order(order)

    async def act(unit: Unit) -> dict[str, Any]:
        written = await commenting.comment(
            unit, facts.shop, facts.order_id, asked.text, errand.caller.actor, asked.counters
        )
        return {"comment_id": str(written)}

    return await errand.decide(key, facts.order_id, commenting.COMMENT, asked, act)


@router.post("/orders/{order}/status", **COMMAND)
async def give_status(order: OrderName, asked: StatusAsked, key: Key, errand: ErrandNeeded) -> Response:
    """Give an order a status; the customer is told if `notify_customer` is sent."""
    facts = await errand.order(order)

    async def act(unit: Unit) -> dict[str, Any]:
        updated = await update_status(
            unit,
            facts.shop,
            facts.order_id,
            asked.update(),
            errand.caller.actor,
            may_force=True,
            revision=asked.revision,
        )
        return {
            "state": updated.state,
            "label": updated.label,
            "revision": updated.revision,
            "event_id": str(updated.event_id),
        }

    return await errand.decide(key, facts.order_id, STATUS, asked, act)


@router.post("/mails/{mail_id}/resend", **COMMAND)
async def resend_mail(mail_id: UUID, asked: MailAsked, key: Key, errand: ErrandNeeded) -> JSONResponse:
    """Send a mail again that was sent, failed or may not have arrived."""
    shop, actor = errand.caller.shop, errand.caller.actor
    return await errand.ask(key, None, [], lambda _: ResendMail(shop=shop, mail_id=mail_id, actor=actor))


@router.post("/mails/{mail_id}/confirm", **COMMAND)
async def confirm_mail(mail_id: UUID, asked: MailAsked, key: Key, errand: ErrandNeeded) -> JSONResponse:
    """Take a mail of which nobody knows whether it went as arrived."""
    shop, actor = errand.caller.shop, errand.caller.actor
    return await errand.ask(key, None, [], lambda _: ConfirmMail(shop=shop, mail_id=mail_id, actor=actor))
