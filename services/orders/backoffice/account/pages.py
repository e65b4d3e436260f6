"""Sign-in and sign-out, and choosing a password with an invitation."""

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
from services.orders.backoffice.account.kept import show_kept
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.web import kept_forms
from services.orders.backoffice.web.dispatching import problem, session_cookie
from services.orders.backoffice.web.kept_forms import KeptForm, kept_in
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import address_of, is_local_path

pages = Pages()
WRONG = N_("The login or password is incorrect. Check both and try again.")


@pages.get("/sign-in", Entry.PUBLIC)
async def show_sign_in(context: PageContext) -> Response:
    """Show the sign-in page."""
    after = context.query.get("next", "/")
    if context.found.person is not None:
        return context.redirect(after if is_local_path(after) else "/")
    return context.render("account/sign_in.html", kept=None, next=after, login="", error=None)


@pages.post("/sign-in", Entry.PUBLIC, action="session.start")
async def enter(context: PageContext) -> Response:
    """Check the password, then continue to the requested page, or to the form that was kept."""
    form = await context.form()
    kept = kept_in(form)
    try:
        entered = await sign_in(
            context.app_state.hub.acquire,
            form["login"],
            form["password"],
            context.app_state.lifetime,
            address_of(context.request),
            context.request.headers.get("user-agent", ""),
            context.request.cookies.get(_known_cookie(context, form["login"]), ""),
        )
    except WrongPassword:
        return _again(context, form, kept, 422, WRONG)
    except TooManyAttempts:
        return _again(context, form, kept, 429, TOO_MANY)
    context.entered = (entered.staff_id, entered.shop, entered.login)
    await _end_present_session(context)
    return await _inside(context, entered, form, kept)


def _again(context: PageContext, form: Form, kept: KeptForm | None, status: int, error: str) -> Response:
    values = {"next": form["next"] or "/", "login": form["login"][:254], "error": gettext(error)}
    return context.render("account/sign_in.html", status, kept=kept, **values)


async def _inside(context: PageContext, entered: SignedIn, form: Form, kept: KeptForm | None) -> Response:
    response = None
    if kept is not None and kept.fields and kept.owner == sessions.mark_of(entered.staff_id):
        cookie = f"{session_cookie(context.app_state.settings)}={entered.token}"
        response = await kept_forms.show(context, kept, cookie, show_kept)
    if response is None:
        after = form["next"] if is_local_path(form["next"]) and kept is None else "/"
        response = context.redirect(after, _why_lost(kept, entered), "note")
    seconds = int(context.app_state.lifetime.whole.total_seconds())
    context.set_cookie(response, session_cookie(context.app_state.settings), entered.token, seconds)
    _mark_known(context, response, entered.login, entered.known)
    return response


def _why_lost(kept: KeptForm | None, entered: SignedIn) -> str | None:
    """Return why a kept form is not shown; None when there was no input."""
    if kept is None or not kept.fields:
        return None
    if not kept.owner:
        return gettext(
            "Your earlier input could not be kept: the session in which it was entered is unknown."
        )
    if kept.owner != sessions.mark_of(entered.staff_id):
        return gettext("The earlier input belonged to another account and was not kept.")
    return None


async def remember_browser(context: PageContext, response: Response, login: str) -> None:
    """Mark a browser as known to the login whose password it has just set."""
    async with context.app_state.hub.acquire() as connection:
        row = await store.read_login(connection, login)
    if row is not None and row["password_hash"] is not None:
        known = known_browsers.issued(row["login"], row["password_hash"], context.locale.now)
        _mark_known(context, response, row["login"], known)


def _mark_known(context: PageContext, response: Response, login: str, known: str) -> None:
    seconds = int(known_browsers.KNOWN_FOR.total_seconds())
    context.set_cookie(response, _known_cookie(context, login), known, seconds)


def _known_cookie(context: PageContext, login: str) -> str:
    return session_cookie(context.app_state.settings) + known_browsers.suffix(normal(login))


async def _end_present_session(context: PageContext) -> None:
    """End the session whose cookie a new sign-in replaces."""
    person = context.found.person
    if person is not None:
        async with context.unit() as unit:
            await store.revoke_sessions(unit.connection, person.staff_id, unit.now, only=person.session_id)


@pages.post("/sign-out", Entry.SIGNED_IN, action="session.end")
async def leave(context: PageContext) -> Response:
    """End this session."""
    person = context.person
    async with context.unit() as unit:
        await store.revoke_sessions(unit.connection, person.staff_id, unit.now, only=person.session_id)
    response = context.redirect("/sign-in", gettext("You are signed out."))
    response.delete_cookie(
        session_cookie(context.app_state.settings),
        path="/",
        secure=context.app_state.settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@pages.get("/invitation/{token}", Entry.PUBLIC)
async def show_invitation(context: PageContext) -> Response:
    """Show the form to choose a password."""
    async with context.app_state.hub.acquire() as connection:
        digest = sessions.digest(context.path("token"))
        row = await store.read_invitation(connection, digest, context.locale.now)
    if row is None:
        return problem(context, 404, "invitation_over")
    return context.render("account/invitation.html", login=row["login"], name=row["name"], errors={})


@pages.post("/invitation/{token}", Entry.PUBLIC, action="password.choose")
async def choose_password(context: PageContext) -> Response:
    """Accept the invitation, which works once."""
    form, token = await context.form(), context.path("token")
    try:
        async with context.unit() as unit:
            row = await store.read_invitation(unit.connection, sessions.digest(token), unit.now)
            if row is None:
                raise staff.InvitationOver
            if form["password"] != form["password-again"]:
                return _choose_again(
                    context, row, "password-again", gettext("The two passwords do not match.")
                )
            await staff.accept_invitation(unit.connection, token, form["password"])
    except staff.InvitationOver:
        return problem(context, 404, "invitation_over")
    except staff.PasswordWeak as weak:
        assert row is not None
        return _choose_again(context, row, "password", gettext(weak.objection))
    context.entered = (row["staff_id"], row["shop"], row["login"])
    response = context.redirect("/sign-in", gettext("Password set. Sign in with it."))
    await remember_browser(context, response, row["login"])
    return response


def _choose_again(context: PageContext, row: store.Row, field: str, error: str) -> Response:
    values = {"login": row["login"], "name": row["name"], "errors": {field: error}}
    return context.render("account/invitation.html", 422, **values)
