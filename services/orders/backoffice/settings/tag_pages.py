"""Tags: the shop's own words on its orders, with how many orders have each."""

from collections.abc import Mapping
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import change, colour_in, colours, names_in
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, Visit
from services.orders.staff import tagging

pages = Pages()
HERE = "/settings/tags"


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_tags(visit: Visit) -> Response:
    """All tags, and a form for another."""
    return await _list(visit, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="tag.add")
async def add_tag(visit: Visit) -> Response:
    """A new tag."""
    form = await visit.form()

    async def act(unit: Unit) -> None:
        [name] = names_in(form, "name")
        if await tagging.tags_named(unit.connection, visit.shop, [name]):
            raise Invalid(name=gettext("There is a tag of that name already."))
        await tagging.create_tag(unit, visit.shop, name, colour_in(form), visit.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _list(visit, errors, form)

    return await change(visit, act, again, HERE, gettext("The tag is added."))


@pages.get(HERE + "/{tag}", Permission.SETTINGS_VIEW)
async def show_tag(visit: Visit) -> Response:
    """One tag."""
    return await _one(visit, {})


@pages.post(HERE + "/{tag}", Permission.SETTINGS_CHANGE, action="tag.change")
async def change_tag(visit: Visit) -> Response:
    """Rename or recolour it. Two tags become one only when that is ticked."""
    form, tag_id = await visit.form(), visit.path_uuid("tag")

    async def act(unit: Unit) -> None:
        [name] = names_in(form, "name")
        others = await tagging.tags_named(unit.connection, visit.shop, [name])
        if any(other.id != tag_id for other in others) and not form.ticked("merge"):
            why = gettext(
                "There is a tag of that name already. Tick below to make the two one, or write another name."
            )
            raise Invalid(name=why, merge="")
        was = await _noted(visit, unit)
        renamed = await tagging.rename_tag(unit, visit.shop, tag_id, name, colour_in(form))
        visit.audited.update(was=was, became=str(renamed.tag.id), merged=renamed.merged)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(visit, errors, form)

    return await change(visit, act, again, HERE, gettext("The tag is changed."))


@pages.post(HERE + "/{tag}/delete", Permission.SETTINGS_CHANGE, action="tag.delete")
async def delete_tag(visit: Visit) -> Response:
    """Take it off every order and delete it."""

    async def act(unit: Unit) -> None:
        was = await _noted(visit, unit)
        visit.audited.update(
            was=was, orders=await tagging.delete_tag(unit, visit.shop, visit.path_uuid("tag"))
        )

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(visit, errors)

    return await change(visit, act, again, HERE, gettext("The tag is deleted."))


async def _noted(visit: Visit, unit: Unit) -> str:
    """What the tag was called, for the audit: renamed or deleted, nobody could tell otherwise."""
    tags = await tagging.tags_of_shop(unit.connection, visit.shop)
    return _tag_of(tags, visit.path_uuid("tag")).name


async def _tags(visit: Visit) -> list[tagging.Tag]:
    async with visit.reading() as connection:
        return await tagging.tags_of_shop(connection, visit.shop)


async def _list(visit: Visit, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    return visit.render(
        "settings/tags.html",
        422 if errors else 200,
        tags=await _tags(visit),
        colours=colours(),
        typed=typed if typed is not None else {"name": "", "colour": "blue"},
        errors=errors,
    )


async def _one(visit: Visit, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    found = _tag_of(await _tags(visit), visit.path_uuid("tag"))
    shown = {"name": found.name, "colour": found.colour.value}
    return visit.render(
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
