"""Tags: the shop's own labels on its orders, with the number of orders of each."""

from collections.abc import Mapping
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import change, colour_in, colours, names_in
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext
from services.orders.staff import tagging

pages = Pages()
HERE = "/settings/tags"


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_tags(context: PageContext) -> Response:
    """Show all tags, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="tag.add")
async def add_tag(context: PageContext) -> Response:
    """Add a tag."""
    form = await context.form()

    async def act(unit: Unit) -> None:
        [name] = names_in(form, "name")
        if await tagging.tags_named(unit.connection, context.shop, [name]):
            raise Invalid(name=gettext("There is a tag of that name already."))
        await tagging.create_tag(unit, context.shop, name, colour_in(form), context.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _list(context, errors, form)

    return await change(context, act, again, HERE, gettext("The tag is added."))


@pages.get(HERE + "/{tag}", Permission.SETTINGS_VIEW)
async def show_tag(context: PageContext) -> Response:
    """Show one tag."""
    return await _one(context, {})


@pages.post(HERE + "/{tag}", Permission.SETTINGS_CHANGE, action="tag.change")
async def change_tag(context: PageContext) -> Response:
    """Rename or recolour the tag. Two tags are merged only when that is ticked."""
    form, tag_id = await context.form(), context.path_uuid("tag")

    async def act(unit: Unit) -> None:
        [name] = names_in(form, "name")
        others = await tagging.tags_named(unit.connection, context.shop, [name])
        if any(other.id != tag_id for other in others) and not form.ticked("merge"):
            why = gettext(
                "There is a tag of that name already. Tick below to make the two one, or write another name."
            )
            raise Invalid(name=why, merge="")
        was = await _noted(context, unit)
        renamed = await tagging.rename_tag(unit, context.shop, tag_id, name, colour_in(form))
        context.audited.update(was=was, became=str(renamed.tag.id), merged=renamed.merged)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, errors, form)

    return await change(context, act, again, HERE, gettext("The tag is changed."))


@pages.post(HERE + "/{tag}/delete", Permission.SETTINGS_CHANGE, action="tag.delete")
async def delete_tag(context: PageContext) -> Response:
    """Remove the tag from every order and delete it."""

    async def act(unit: Unit) -> None:
        was = await _noted(context, unit)
        context.audited.update(
            was=was, orders=await tagging.delete_tag(unit, context.shop, context.path_uuid("tag"))
        )

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, errors)

    return await change(context, act, again, HERE, gettext("The tag is deleted."))


async def _noted(context: PageContext, unit: Unit) -> str:
    """Return the tag's name, for the audit: after a rename or deletion it could not be found out."""
    tags = await tagging.tags_of_shop(unit.connection, context.shop)
    return _tag_of(tags, context.path_uuid("tag")).name


async def _tags(context: PageContext) -> list[tagging.Tag]:
    async with context.reading() as connection:
        return await tagging.tags_of_shop(connection, context.shop)


async def _list(context: PageContext, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    return context.render(
        "settings/tags.html",
        422 if errors else 200,
        tags=await _tags(context),
        colours=colours(),
        typed=typed if typed is not None else {"name": "", "colour": "blue"},
        errors=errors,
    )


async def _one(context: PageContext, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    found = _tag_of(await _tags(context), context.path_uuid("tag"))
    shown = {"name": found.name, "colour": found.colour.value}
    return context.render(
        "settings/tag.html",
        422 if errors else 200,
        one=found,
        colours=colours(),
        typed=typed if typed is not None else shown,
        errors=errors,
    )


def _tag_of(tags: list[tagging.Tag], tag_id: UUID) -> tagging.Tag:
    for tag in tags:
        if tag.id == tag_id:
            return tag
    raise Missing
