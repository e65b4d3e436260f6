"""My account: password, signed-in browsers, and the appearance of the back office."""

from starlette.responses import Response

from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.access.signing_in import TOO_MANY, TooManyAttempts, WrongPassword, checked
from services.orders.backoffice.account.pages import remember_browser
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import address_of

pages = Pages()


@pages.get("/account", Entry.SIGNED_IN)
async def show_account(context: PageContext) -> Response:
    """Show the user's account."""
    return await _account(context)


async def _account(context: PageContext, status: int = 200, **errors: str) -> Response:
    now = context.locale.now
    async with context.reading() as connection:
        rows = await store.list_sessions(
            connection, context.person.staff_id, now, now - context.app_state.lifetime.idle
        )
    return context.render("account/account.html", status, sessions=rows, errors=errors)


@pages.post("/account/password", Entry.SIGNED_IN, action="password.change")
async def change_password(context: PageContext) -> Response:
    """Change the password, for which the current one is required; all other browsers are signed out."""
    form, person = await context.form(), context.person
    try:
        await checked(
            context.app_state.hub.acquire,
            person.login,
            form["password-now"],
            address_of(context.request),
            session_id=person.session_id,
        )
    except WrongPassword:
        return await _account(context, 422, **{"password-now": gettext("This is not your current password.")})
    except TooManyAttempts:
        return await _account(context, 429, **{"password-now": gettext(TOO_MANY)})
    if form["password"] != form["password-again"]:
        return await _account(context, 422, **{"password-again": gettext("The two passwords do not match.")})
    try:
        async with context.unit() as unit:
            await staff.change_password(unit.connection, person, form["password"])
    except staff.PasswordWeak as weak:
        return await _account(context, 422, password=gettext(weak.objection))
    response = context.redirect("/account", gettext("Password changed. Other browsers were signed out."))
    await remember_browser(context, response, person.login)
    return response


@pages.post("/account/sessions/{session}/end", Entry.SIGNED_IN, action="session.revoke")
async def end_session(context: PageContext) -> Response:
    """Sign another browser out."""
    async with context.unit() as unit:
        only = context.path_uuid("session")
        await store.revoke_sessions(unit.connection, context.person.staff_id, unit.now, only=only)
    return context.redirect("/account", gettext("That browser was signed out."))


@pages.post("/account/sessions/end", Entry.SIGNED_IN, action="session.revoke_others")
async def end_other_sessions(context: PageContext) -> Response:
    """Sign every other browser out."""
    async with context.unit() as unit:
        mine = context.person
        await store.revoke_sessions(unit.connection, mine.staff_id, unit.now, but=mine.session_id)
    return context.redirect("/account", gettext("All other browsers were signed out."))
