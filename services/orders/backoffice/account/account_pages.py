"""My account: password, the browsers that are signed in, and how the back office looks."""

from starlette.responses import Response

from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.access.signing_in import TOO_MANY, TooManyAttempts, WrongPassword, checked
from services.orders.backoffice.account.pages import remember_browser
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import address_of
from services.orders.backoffice.web.visit import Visit

pages = Pages()


@pages.get("/account", Entry.SIGNED_IN)
async def show_account(visit: Visit) -> Response:
    """Everything about one's own account."""
    return await _account(visit)


async def _account(visit: Visit, status: int = 200, **errors: str) -> Response:
    now = visit.speech.now
    async with visit.reading() as connection:
        rows = await store.list_sessions(
            connection, visit.person.staff_id, now, now - visit.office.lifetime.idle
        )
    return visit.render("account/account.html", status, sessions=rows, errors=errors)


@pages.post("/account/password", Entry.SIGNED_IN, action="password.change")
async def change_password(visit: Visit) -> Response:
    """Choose another password, which takes the present one; all other browsers are signed out."""
    form, person = await visit.form(), visit.person
    try:
        await checked(
            visit.office.hub.acquire,
            person.login,
            form["password-now"],
            address_of(visit.request),
            session_id=person.session_id,
        )
    except WrongPassword:
        return await _account(visit, 422, **{"password-now": gettext("This is not your present password.")})
    except TooManyAttempts:
        return await _account(visit, 429, **{"password-now": gettext(TOO_MANY)})
    if form["password"] != form["password-again"]:
        return await _account(visit, 422, **{"password-again": gettext("The two are not the same.")})
    try:
        async with visit.unit() as unit:
            await staff.change_password(unit.connection, person, form["password"])
    except staff.PasswordWeak as weak:
        return await _account(visit, 422, password=gettext(weak.objection))
    response = visit.redirect("/account", gettext("Your password is changed; other browsers are signed out."))
    await remember_browser(visit, response, person.login)
    return response


@pages.post("/account/sessions/{session}/end", Entry.SIGNED_IN, action="session.revoke")
async def end_session(visit: Visit) -> Response:
    """Sign another browser out."""
    async with visit.unit() as unit:
        only = visit.path_uuid("session")
        await store.revoke_sessions(unit.connection, visit.person.staff_id, unit.now, only=only)
    return visit.redirect("/account", gettext("That browser is signed out."))


@pages.post("/account/sessions/end", Entry.SIGNED_IN, action="session.revoke_others")
async def end_other_sessions(visit: Visit) -> Response:
    """Sign every other browser out."""
    async with visit.unit() as unit:
        mine = visit.person
        await store.revoke_sessions(unit.connection, mine.staff_id, unit.now, but=mine.session_id)
    return visit.redirect("/account", gettext("All other browsers are signed out."))
