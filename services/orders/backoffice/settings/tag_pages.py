"""Tags: the shop's own labels on its orders, with the number of orders of each."""

from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import colour_in, colours, names_in
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.staff import tagging

pages = Pages()
HERE = "/settings/tags"


async def _tags(context: PageContext) -> list[tagging.Tag]:
    async with context.reading() as connection:
        return await tagging.tags_of_shop(connection, context.shop)


async def _list(context: PageContext, errors: Errors) -> Response:
    return context.render(
        "settings/tags.html",
        422 if errors else 200,
        tags=await _tags(context),
        colours=colours(),
        typed=context.form_read if errors else {"name": "", "colour": "blue"},
        errors=errors,
    )


async def _one(context: PageContext, errors: Errors) -> Response:
    found = _tag_of(await _tags(context), context.path_uuid("tag"))
    shown = {"name": found.name, "colour": found.colour.value}
    return context.render(
        "settings/tag.html",
        422 if errors else 200,
        one=found,
        colours=colours(),
        typed=context.form_read if "name" in context.form_read else shown,
        errors=errors,
    )


def _tag_of(tags: list[tagging.Tag], tag_id: UUID) -> tagging.Tag:
    for tag in tags:
        if tag.id == tag_id:
            return tag
    raise Missing


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_tags(context: PageContext) -> Response:
    """Show all tags, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="tag.add", again=_list)
async def add_tag(context: PageContext) -> Response:
    """Add a tag."""
    form = context.form_read

    async def act(unit: Unit) -> None:
        [name] = names_in(form, "name")
        if await tagging.tags_named(unit.connection, context.shop, [name]):
            raise Invalid(name=gettext("There is already a tag with this name."))
        await tagging.create_tag(unit, context.shop, name, colour_in(form), context.actor)

    return await carry_out(context, act, to=HERE, flash=gettext("Tag added."))


@pages.get(HERE + "/{tag}", Permission.SETTINGS_VIEW)
async def show_tag(context: PageContext) -> Response:
    """Show one tag."""
    return await _one(context, {})


@pages.post(HERE + "/{tag}", Permission.SETTINGS_CHANGE, action="tag.change", again=_one)
async def change_tag(context: PageContext) -> Response:
    """Rename or recolour the tag. Two tags are merged only when that is ticked."""
    form, tag_id = context.form_read, context.path_uuid("tag")

    async def act(unit: Unit) -> None:
        [name] = names_in(form, "name")
        others = await tagging.tags_named(unit.connection, context.shop, [name])
        if any(other.id != tag_id for other in others) and not form.ticked("merge"):
            why = gettext(
                "There is already a tag with this name. Tick below to merge the two, or enter another name."
            )
            raise Invalid(name=why, merge="")
        was = await _noted(context, unit)
        renamed = await tagging.rename_tag(unit, context.shop, tag_id, name, colour_in(form))
        context.audited.update(was=was, became=str(renamed.tag.id), merged=renamed.merged)

    return await carry_out(context, act, to=HERE, flash=gettext("Tag changed."))


@pages.post(HERE + "/{tag}/delete", Permission.SETTINGS_CHANGE, action="tag.delete", again=_one)
async def delete_tag(context: PageContext) -> Response:
    """Remove the tag from every order and delete it."""

    async def act(unit: Unit) -> None:
        was = await _noted(context, unit)
        context.audited.update(
            was=was, orders=await tagging.delete_tag(unit, context.shop, context.path_uuid("tag"))
        )

    return await carry_out(context, act, to=HERE, flash=gettext("Tag deleted."))


async def _noted(context: PageContext, unit: Unit) -> str:
    """Return the tag's name, for the audit: it would not be known after a rename or deletion."""
    tags = await tagging.tags_of_shop(unit.connection, context.shop)
    return _tag_of(tags, context.path_uuid("tag")).name
