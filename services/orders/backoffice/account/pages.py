"""Signing in and out, and choosing a password with an invitation."""

from starlette.responses import Response

from services.orders.backoffice.access import known_browsers, sessions, staff, store
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.access.signing_in import (
    TOO_MANY,
    SignedIn,
    TooManyAttempts,
    WrongPassword,
    normal,
    sign_in,
)
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.words import FIELD_LABELS
from services.orders.backoffice.web.dispatching import problem, session_cookie
from services.orders.backoffice.web.keeping import Kept, kept_in
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import address_of, is_local_path
from services.orders.backoffice.web.visit import Visit

pages = Pages()
LABELS = {
    **FIELD_LABELS,
    "label": N_("New status"),
    "notify_customer": N_("Notify the customer"),
    "name": N_("Name"),
    "quantity": N_("Quantity"),
}
"""What the fields of forms are called that are kept over a session's end."""
WRONG = N_("Login and password do not fit. Check both and try again.")


@pages.get("/sign-in", Entry.PUBLIC)
async def show_sign_in(visit: Visit) -> Response:
    """The door."""
    after = visit.query.get("next", "/")
    if visit.found.person is not None:
        return visit.redirect(after if is_local_path(after) else "/")
    return visit.render("account/sign_in.html", kept=None, next=after, login="", error=None)


@pages.post("/sign-in", Entry.PUBLIC, action="session.start")
async def enter(visit: Visit) -> Response:
    """Check the password; then on to where one wanted to go, or to the form that was kept."""
    form = await visit.form()
    kept = kept_in(form)
    try:
        entered = await sign_in(
            visit.office.hub.acquire,
            form["login"],
            form["password"],
            visit.office.lifetime,
            address_of(visit.request),
            visit.request.headers.get("user-agent", ""),
            visit.request.cookies.get(_known_cookie(visit, form["login"]), ""),
        )
    except WrongPassword:
        return _again(visit, form, kept, 422, WRONG)
    except TooManyAttempts:
        return _again(visit, form, kept, 429, TOO_MANY)
    visit.entered = (entered.staff_id, entered.shop, entered.login)
    await _end_present_session(visit)
    return _inside(visit, entered, form, kept)


def _again(visit: Visit, form: Form, kept: Kept | None, status: int, error: str) -> Response:
    values = {"next": form["next"] or "/", "login": form["login"][:254], "error": gettext(error)}
    return visit.render("account/sign_in.html", status, kept=kept, **values)


def _inside(visit: Visit, entered: SignedIn, form: Form, kept: Kept | None) -> Response:
    is_another = visit.found.staff_id not in (None, entered.staff_id)
    if kept is not None and not is_another:
        response = visit.render("account/kept.html", kept=kept, labels=LABELS)
    else:
        lost = gettext("What was typed before belongs to another account and was not kept.")
        after = form["next"] if is_local_path(form["next"]) and kept is None else "/"
        response = visit.redirect(after, lost if kept else None, "note")
    seconds = int(visit.office.lifetime.whole.total_seconds())
    visit.set_cookie(response, session_cookie(visit.office.settings), entered.token, seconds)
    _mark_known(visit, response, entered.login, entered.known)
    return response


async def remember_browser(visit: Visit, response: Response, login: str) -> None:
    """Mark a browser as known to a login whose password it has just chosen."""
    async with visit.office.hub.acquire() as connection:
        row = await store.read_login(connection, login)
    if row is not None and row["password_hash"] is not None:
        known = known_browsers.issued(row["login"], row["password_hash"], visit.speech.now)
        _mark_known(visit, response, row["login"], known)


def _mark_known(visit: Visit, response: Response, login: str, known: str) -> None:
    seconds = int(known_browsers.KNOWN_FOR.total_seconds())
    visit.set_cookie(response, _known_cookie(visit, login), known, seconds)


def _known_cookie(visit: Visit, login: str) -> str:
    return session_cookie(visit.office.settings) + known_browsers.suffix(normal(login))


async def _end_present_session(visit: Visit) -> None:
    """Who signs in anew leaves the session whose cookie this replaces."""
    person = visit.found.person
    if person is not None:
        async with visit.unit() as unit:
            await store.revoke_sessions(unit.connection, person.staff_id, unit.now, only=person.session_id)


@pages.post("/sign-out", Entry.SIGNED_IN, action="session.end")
async def leave(visit: Visit) -> Response:
    """End this session."""
    person = visit.person
    async with visit.unit() as unit:
        await store.revoke_sessions(unit.connection, person.staff_id, unit.now, only=person.session_id)
    response = visit.redirect("/sign-in", gettext("You are signed out."))
    response.delete_cookie(
        session_cookie(visit.office.settings),
        path="/",
        secure=visit.office.settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@pages.get("/invitation/{token}", Entry.PUBLIC)
async def show_invitation(visit: Visit) -> Response:
    """Choose a password."""
    async with visit.office.hub.acquire() as connection:
        digest = sessions.digest(visit.path("token"))
        row = await store.read_invitation(connection, digest, visit.speech.now)
    if row is None:
        return problem(visit, 404, "invitation_over")
    return visit.render("account/invitation.html", login=row["login"], name=row["name"], errors={})


@pages.post("/invitation/{token}", Entry.PUBLIC, action="password.choose")
async def choose_password(visit: Visit) -> Response:
    """Take up the invitation, which works once."""
    form, token = await visit.form(), visit.path("token")
    try:
        async with visit.unit() as unit:
            row = await store.read_invitation(unit.connection, sessions.digest(token), unit.now)
            if row is None:
                raise staff.InvitationOver
            if form["password"] != form["password-again"]:
                return _choose_again(visit, row, "password-again", gettext("The two are not the same."))
            await staff.take_up(unit.connection, token, form["password"])
    except staff.InvitationOver:
        return problem(visit, 404, "invitation_over")
    except staff.PasswordWeak as weak:
        assert row is not None
        return _choose_again(visit, row, "password", gettext(weak.objection))
    visit.entered = (row["staff_id"], row["shop"], row["login"])
    response = visit.redirect("/sign-in", gettext("Your password is set. Sign in with it."))
    await remember_browser(visit, response, row["login"])
    return response


def _choose_again(visit: Visit, row: store.Row, field: str, error: str) -> Response:
    values = {"login": row["login"], "name": row["name"], "errors": {field: error}}
    return visit.render("account/invitation.html", 422, **values)
