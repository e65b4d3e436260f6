"""The tags of one order, beside its code in the list or as a page: added, removed, created."""

from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.orders import reading, store
from services.orders.backoffice.web.actions.action import Errors, do
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.colours import Colour
from services.orders.order.short_code import read_code
from services.orders.staff import tagging

pages = Pages()


async def _show(context: PageContext, errors: Errors) -> Response:
    async with context.reading() as connection:
        order_id = await reading.order_named(context, connection)
        here = (await tagging.tags_of_orders(connection, context.shop, [order_id])).get(order_id, [])
        known = await store.read_tag_names(connection, context.shop)
    has = {tag.id for tag in here}
    return context.render(
        "orders/tags.html",
        422 if errors else 200,
        code=read_code(context.path("code")),
        tags_here=here,
        others=[tag for tag in known if tag["tag_id"] not in has],
        error=" ".join(errors.values()),
        typed=context.form_read["name"] if errors else "",
        order_id=order_id,
        is_popover=context.is_part,
    )


@pages.get("/orders/{code}/tags", Permission.ORDERS_TAG)
async def show_tags(context: PageContext) -> Response:
    """Show the order's tags, and the available ones."""
    return await _show(context, {})


@pages.post("/orders/{code}/tags", Permission.ORDERS_TAG, action="order.tag", again=_show)
async def change_tags(context: PageContext) -> Response:
    """Add or remove a tag: an existing one (`add`, `remove`), or a new one (`name`, `colour`)."""
    form = context.form_read
    async with context.reading() as connection:
        order_id = await reading.order_named(context, connection)
    context.about(order_id)

    async def act(unit: Unit) -> None:
        add, remove = _ids(form["add"]), _ids(form["remove"])
        if not (add or remove):
            tag = await tagging.create_tag(
                unit, context.shop, form["name"], _colour(form["colour"]), context.actor
            )
            add = [tag.id]
        await tagging.retag_orders(unit, context.shop, [order_id], add, remove, context.actor)

    await do(context, act)
    if context.is_part:
        return await _show(context, {})
    return context.redirect(f"/orders/{read_code(context.path('code'))}/tags")


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(text)] if text else []
    except ValueError:
        raise Missing from None


def _colour(text: str) -> Colour:
    return Colour(text) if text in set(Colour) else Colour.GREY
