"""Staff: users of this shop and their roles; inviting, disabling and enabling them.

An invitation's link is shown once, to its creator; submitting the form again makes a new one, which
invalidates the first.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Permission, Role
from services.orders.backoffice.access.signing_in import normal
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.actions.action import Errors, carry_out, do
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.words import ROLE_NAMES

pages = Pages()
HERE = "/settings/staff"
LONGEST_NAME = 80


def _roles() -> list[tuple[str, str]]:
    return [(role.value, gettext(name)) for role, name in ROLE_NAMES.items()]


async def _person(context: PageContext) -> store.Row:
    """Return the user in the path, of the signed-in user's shop. Raises Missing."""
    async with context.reading() as connection:
        row = await store.read_staff(connection, context.path_uuid("person"))
    if row is None or row["shop"] != context.shop:
        raise Missing
    context.audited["staff_id"] = row["staff_id"]
    return row


async def _list(context: PageContext, errors: Errors) -> Response:
    async with context.reading() as connection:
        people = await store.list_staff(connection, context.shop)
    return context.render(
        "settings/staff.html",
        422 if errors else 200,
        people=people,
        roles=_roles(),
        typed=context.form_read if errors else {"login": "", "name": "", "role": Role.FULFILMENT},
        errors=errors,
    )


async def _one(context: PageContext, errors: Errors) -> Response:
    row, now = await _person(context), context.locale.now
    async with context.reading() as connection:
        sessions = await store.list_sessions(
            connection, row["staff_id"], now, now - context.app_state.lifetime.idle
        )
    return context.render(
        "settings/person.html",
        422 if errors else 200,
        one=row,
        sessions=sessions,
        roles=_roles(),
        errors=errors,
    )


@pages.get(HERE, Permission.STAFF_MANAGE)
async def show_staff(context: PageContext) -> Response:
    """Show all staff, and a form for a new user."""
    return await _list(context, {})


@pages.post(HERE, Permission.STAFF_MANAGE, action="staff.invite", again=_list)
async def invite_somebody(context: PageContext) -> Response:
    """Add a user and show the link with which they choose a password."""
    form = context.form_read

    async def act(unit: Unit) -> UUID:
        name = form.text("name", LONGEST_NAME) or ""
        role = _role(form)
        try:
            return await staff.add(unit.connection, context.shop, form["login"], name, role, context.actor)
        except staff.LoginTaken:
            raise Invalid(login=gettext("This login is already in use.")) from None
        except staff.NoMailAddress:
            raise Invalid(login=gettext("A login is a mail address: name@example.com.")) from None

    await do(context, act)
    async with context.reading() as connection:
        row = await store.read_login(connection, normal(form["login"]))
    if row is None or row["shop"] != context.shop:
        raise Missing
    return await _link(context, row)


@pages.get(HERE + "/{person}", Permission.STAFF_MANAGE)
async def show_person(context: PageContext) -> Response:
    """Show one user."""
    return await _one(context, {})


@pages.post(HERE + "/{person}/invite", Permission.STAFF_MANAGE, action="staff.invite_again", again=_one)
async def invite_again(context: PageContext) -> Response:
    """Create a new link for a user who never chose a password, or forgot it; earlier links become invalid."""
    row = await _person(context)
    if row["disabled_at"] is not None:
        raise Invalid(invite=gettext("Restore this person’s access first."))
    return await _link(context, row)


@pages.post(HERE + "/{person}/role", Permission.STAFF_MANAGE, action="staff.role", again=_one)
async def give_role(context: PageContext) -> Response:
    """Change the role, effective immediately in every browser of the user."""
    form, row = context.form_read, await _person(context)

    async def act(unit: Unit) -> None:
        await staff.give_role(unit.connection, context.shop, row["staff_id"], _role(form))

    is_self = row["staff_id"] == context.person.staff_id
    to = "/" if is_self and form["role"] != Role.OWNER else HERE
    return await _change(context, act, to, gettext("Role changed."), "role")


@pages.post(HERE + "/{person}/disable", Permission.STAFF_MANAGE, action="staff.disable", again=_one)
async def disable_person(context: PageContext) -> Response:
    """Disable a user immediately."""
    row = await _person(context)

    async def act(unit: Unit) -> None:
        await staff.disable(unit.connection, context.shop, row["staff_id"])

    return await _change(context, act, HERE, gettext("This person can no longer sign in."), "disable")


@pages.post(HERE + "/{person}/enable", Permission.STAFF_MANAGE, action="staff.enable", again=_one)
async def let_in(context: PageContext) -> Response:
    """Enable a disabled user."""
    row = await _person(context)

    async def act(unit: Unit) -> None:
        await staff.enable(unit.connection, context.shop, row["staff_id"])

    return await _change(context, act, HERE, gettext("This person can sign in again."), "disable")


@pages.post(HERE + "/{person}/sign-out", Permission.STAFF_MANAGE, action="staff.revoke_sessions", again=_one)
async def sign_out_everywhere(context: PageContext) -> Response:
    """End every session of a user."""
    row = await _person(context)

    async def act(unit: Unit) -> None:
        await store.revoke_sessions(unit.connection, row["staff_id"], unit.now)

    return await _change(context, act, HERE, gettext("This person was signed out everywhere."), "sign-out")


async def _change(
    context: PageContext, act: Callable[[Unit], Awaitable[Any]], to: str, flash: str, field: str
) -> Response:
    async def guarded(unit: Unit) -> None:
        try:
            await act(unit)
        except staff.LastOwner:
            why = gettext("The shop would have no owner left. Make somebody else an owner first.")
            raise Invalid(**{field: why}) from None

    return await carry_out(context, guarded, to=to, flash=flash)


async def _link(context: PageContext, row: store.Row) -> Response:
    async with context.unit() as unit:
        token = await staff.invite(unit.connection, row["staff_id"], context.actor)
    context.audited["staff_id"] = row["staff_id"]
    link = f"{context.app_state.settings.backoffice_origin[0]}/invitation/{token}"
    days = staff.INVITED_FOR.days
    response = context.render("settings/invited.html", one=row, link=link, days=days)
    response.headers["Cache-Control"] = "no-store"
    return response


def _role(form: Form) -> Role:
    try:
        return Role(form["role"])
    except ValueError:
        raise Invalid(role=gettext("Choose an option from the list.")) from None
