"""Staff: users of this shop and their roles; inviting, disabling and enabling them.

An invitation's link is shown once, to its creator; submitting the form again makes a new one, which
invalidates the first.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Permission, Role
from services.orders.backoffice.access.signing_in import normal
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import change
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext
from services.orders.backoffice.web.words import ROLE_NAMES

pages = Pages()
HERE = "/settings/staff"
LONGEST_NAME = 80


@pages.get(HERE, Permission.STAFF_MANAGE)
async def show_staff(context: PageContext) -> Response:
    """Show all staff, and a form for a new user."""
    return await _list(context, {})


@pages.post(HERE, Permission.STAFF_MANAGE, action="staff.invite")
async def invite_somebody(context: PageContext) -> Response:
    """Add a user and show the link with which they choose a password."""
    form = await context.form()

    async def act(unit: Unit) -> UUID:
        name = form.text("name", LONGEST_NAME) or ""
        role = _role(form)
        try:
            return await staff.add(unit.connection, context.shop, form["login"], name, role, context.actor)
        except staff.LoginTaken:
            raise Invalid(login=gettext("Somebody has this login already.")) from None
        except staff.NoMailAddress:
            raise Invalid(login=gettext("A login is a mail address: name@example.com.")) from None

    try:
        await do(context, form, act)
    except Invalid as invalid:
        return await _list(context, invalid.errors, form)
    async with context.reading() as connection:
        row = await store.read_login(connection, normal(form["login"]))
    if row is None or row["shop"] != context.shop:
        raise Missing
    return await _link(context, row)


@pages.get(HERE + "/{person}", Permission.STAFF_MANAGE)
async def show_person(context: PageContext) -> Response:
    """Show one user."""
    return await _one(context, {})


@pages.post(HERE + "/{person}/invite", Permission.STAFF_MANAGE, action="staff.invite_again")
async def invite_again(context: PageContext) -> Response:
    """Create a new link for a user who never chose a password, or lost it; earlier ones end."""
    row = await _person(context)
    if row["disabled_at"] is not None:
        return await _one(context, {"invite": gettext("Let this person in again first.")})
    return await _link(context, row)


@pages.post(HERE + "/{person}/role", Permission.STAFF_MANAGE, action="staff.role")
async def give_role(context: PageContext) -> Response:
    """Change the role, effective immediately in every browser of the user."""
    form, row = await context.form(), await _person(context)

    async def act(unit: Unit) -> None:
        await staff.give_role(unit.connection, context.shop, row["staff_id"], _role(form))

    is_self = row["staff_id"] == context.person.staff_id
    to = "/" if is_self and form["role"] != Role.OWNER else HERE
    return await _change(context, act, to, gettext("The role is changed."), "role")


@pages.post(HERE + "/{person}/disable", Permission.STAFF_MANAGE, action="staff.disable")
async def shut_out(context: PageContext) -> Response:
    """Disable a user immediately."""
    row = await _person(context)

    async def act(unit: Unit) -> None:
        await staff.disable(unit.connection, context.shop, row["staff_id"])

    return await _change(context, act, HERE, gettext("This person can’t sign in any more."), "disable")


@pages.post(HERE + "/{person}/enable", Permission.STAFF_MANAGE, action="staff.enable")
async def let_in(context: PageContext) -> Response:
    """Enable a disabled user."""
    row = await _person(context)

    async def act(unit: Unit) -> None:
        await staff.enable(unit.connection, context.shop, row["staff_id"])

    return await _change(context, act, HERE, gettext("This person can sign in again."), "disable")


@pages.post(HERE + "/{person}/sign-out", Permission.STAFF_MANAGE, action="staff.revoke_sessions")
async def sign_out_everywhere(context: PageContext) -> Response:
    """End every session of a user."""
    row = await _person(context)

    async def act(unit: Unit) -> None:
        await store.revoke_sessions(unit.connection, row["staff_id"], unit.now)

    return await _change(context, act, HERE, gettext("This person is signed out everywhere."), "sign-out")


async def _change(
    context: PageContext, act: Callable[[Unit], Awaitable[Any]], to: str, flash: str, field: str
) -> Response:
    async def guarded(unit: Unit) -> None:
        try:
            await act(unit)
        except staff.LastOwner:
            why = gettext("The shop would have no owner left. Make somebody else an owner first.")
            raise Invalid(**{field: why}) from None

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, errors)

    return await change(context, guarded, again, to, flash)


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
        raise Invalid(role=gettext("Choose one of the list.")) from None


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


async def _list(context: PageContext, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    async with context.reading() as connection:
        people = await store.list_staff(connection, context.shop)
    return context.render(
        "settings/staff.html",
        422 if errors else 200,
        people=people,
        roles=_roles(),
        typed=typed if typed is not None else {"login": "", "name": "", "role": Role.FULFILMENT},
        errors=errors,
    )


async def _one(context: PageContext, errors: Mapping[str, str]) -> Response:
    row, now = await _person(context), context.speech.now
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
