"""Quick replies: the texts that the shop's staff often send to customers, in French and English."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.envelope import uuid7
from services.chassis.messaging.unit import Unit
from services.chassis.texts import trimmed
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation import quick_reply_store
from services.orders.backoffice.conversation.quick_replies import (
    LANGUAGES,
    LONGEST_TEXT,
    MOST,
    PLACEHOLDERS,
    QuickReply,
    objection,
)
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import names_in
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.names import folded

pages = Pages()
HERE = "/settings/replies"
_FIELDS = ("name", "text_fr", "text_en")


async def _list(context: PageContext, errors: Errors) -> Response:
    async with context.reading() as connection:
        replies = await quick_reply_store.read_replies(connection, context.shop)
    typed = context.form_read if errors else dict.fromkeys(_FIELDS, "")
    return _shown(context, "settings/replies.html", errors, typed, replies=replies)


async def _one(context: PageContext, errors: Errors) -> Response:
    found = await _reply(context)
    shown = {"name": found.name, **{f"text_{language}": found.texts[language] for language in LANGUAGES}}
    typed = context.form_read if "name" in context.form_read else shown
    return _shown(context, "settings/reply.html", errors, typed, one=found)


def _shown(context: PageContext, template: str, errors: Errors, typed: Any, **more: Any) -> Response:
    return context.render(
        template,
        422 if errors else 200,
        errors=errors,
        typed=typed,
        placeholders=PLACEHOLDERS,
        longest=LONGEST_TEXT,
        **more,
    )


async def _reply(context: PageContext) -> QuickReply:
    wanted = context.path_uuid("reply")
    async with context.reading() as connection:
        for one in await quick_reply_store.read_replies(connection, context.shop):
            if one.id == wanted:
                return one
    raise Missing


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_replies(context: PageContext) -> Response:
    """Show all quick replies, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="reply.add", again=_list)
async def add_reply(context: PageContext) -> Response:
    """Add a quick reply."""

    async def act(unit: Unit) -> None:
        await quick_reply_store.lock_names(unit.connection, context.shop)
        if len(await quick_reply_store.read_replies(unit.connection, context.shop)) >= MOST:
            raise Invalid(
                **{"": gettext("A shop has at most %(most)s quick replies; delete one first.", most=MOST)}
            )
        await _put(context, unit, uuid7())

    return await carry_out(context, act, to=HERE, flash=gettext("Quick reply added."))


@pages.get(HERE + "/{reply}", Permission.SETTINGS_VIEW)
async def show_reply(context: PageContext) -> Response:
    """Show one quick reply."""
    return await _one(context, {})


@pages.post(HERE + "/{reply}", Permission.SETTINGS_CHANGE, action="reply.change", again=_one)
async def change_reply(context: PageContext) -> Response:
    """Change the name and texts of the quick reply."""
    found = await _reply(context)

    async def act(unit: Unit) -> None:
        await quick_reply_store.lock_names(unit.connection, context.shop)
        await _put(context, unit, found.id)

    return await carry_out(context, act, to=HERE, flash=gettext("Quick reply changed."))


@pages.post(HERE + "/{reply}/delete", Permission.SETTINGS_CHANGE, action="reply.delete", again=_one)
async def delete_reply(context: PageContext) -> Response:
    """Delete the quick reply."""
    found = await _reply(context)
    context.audited.update(was=found.name)

    async def act(unit: Unit) -> None:
        await quick_reply_store.delete_reply(unit.connection, context.shop, found.id)

    return await carry_out(context, act, to=HERE, flash=gettext("Quick reply deleted."))


async def _put(context: PageContext, unit: Unit, reply_id: UUID) -> None:
    """Store the form's values as this reply. Raises Invalid."""
    form = context.form_read
    texts, [name] = _texts(form), names_in(form, "name")
    taken = await quick_reply_store.find_reply(unit.connection, context.shop, folded(name))
    if taken not in (None, reply_id):
        raise Invalid(name=gettext("There is already a quick reply with this name."))
    values = (name, folded(name), *texts)
    await quick_reply_store.put_reply(
        unit.connection, context.shop, reply_id, values, context.actor, unit.now
    )


def _texts(form: Form) -> tuple[str, str]:
    """Return the typed French and English text. Raises Invalid with the errors in each."""
    found = {f"text_{language}": trimmed(form[f"text_{language}"]) for language in LANGUAGES}
    errors = {field: why for field, text in found.items() if (why := objection(text))}
    if not errors and not any(found.values()):
        errors = {"text_fr": gettext("Enter the text in at least one language.")}
    if errors:
        raise Invalid(**errors)
    return found["text_fr"], found["text_en"]
