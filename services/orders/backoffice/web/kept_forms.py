"""Requests without a session: redirected to the sign-in page and back, without losing the input.

A form that is sent after the session's end is kept inside the sign-in page as hidden fields. After signing in, the
same user sees the form on its own page again, filled in, and submits it with one more click; it keeps its idempotency
key, so it cannot be carried out twice. Nothing is sent automatically: the click makes it that user's action.
Passwords are never kept. Another user who signs in instead does not get the input: its owner is the user whom the
form was shown to, whom its key names, or else the one whose session the browser had. Input without a known owner is
dropped.
"""

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from services.orders.backoffice.access.sessions import mark_of
from services.orders.backoffice.forms.fields import KEY, Form, FormTooLarge, FormUnreadable
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.page_context import PageContext, View
from services.orders.backoffice.web.security import is_local_path
from services.orders.backoffice.web.words import NOT_SENT

SIGN_IN = "/sign-in"
TO, OWNER, NAME = "kept-to", "kept-owner", "kept."
MOST_CHARACTERS = 256 * 1024
_SHOWN = "comptoir.kept_form"
_MARK = re.compile(r"-(s[0-9a-f]{12})$")


@dataclass(frozen=True)
class KeptForm:
    """A form kept for its user: its address, its fields, and its owner's mark ("": unknown)."""

    to: str
    fields: list[tuple[str, str]]
    owner: str = ""


async def ask_to_sign_in(context: PageContext) -> Response:
    """Return the sign-in page: 303 for a page, 401 with the form in it for a form; 204 ends a stream without
    an error.
    """
    if "text/event-stream" in context.request.headers.get("accept", ""):
        return Response(status_code=204)
    if context.request.method in ("GET", "HEAD"):
        return _go_to_sign_in(context)
    try:
        form = await context.form()
    except (FormTooLarge, FormUnreadable):
        form = Form()
    owner = _mark_in(form) or mark_of(context.found.staff_id)
    kept = KeptForm(context.here, form.typed() if _size(form) <= MOST_CHARACTERS else [], owner)
    response = context.render("account/sign_in.html", 401, kept=kept, next="/", login="", error=None)
    if context.is_part:
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "body", "innerHTML"
    return response


def _go_to_sign_in(context: PageContext) -> Response:
    path = context.here
    if context.is_part:
        path = "/" + context.request.headers.get("hx-current-url", "").partition("//")[2].partition("/")[2]
    path = path if is_local_path(path) and path != SIGN_IN else "/"
    return context.redirect(SIGN_IN if path == "/" else f"{SIGN_IN}?next={quote(path, safe='/')}")


def kept_in(form: Form) -> KeptForm | None:
    """Return the form that is kept in a sign-in page."""
    to = form[TO]
    if not is_local_path(to) or to.startswith(SIGN_IN):
        return None
    fields = [(name.removeprefix(NAME), value) for name, value in form.fields if name.startswith(NAME)]
    return KeptForm(to, fields, form[OWNER]) if _size(form) <= MOST_CHARACTERS * 2 else None


def _mark_in(form: Form) -> str:
    """Return the mark of the user a form was shown to; "" when its key has none."""
    found = _MARK.search(form[KEY])
    return found[1] if found else ""


@dataclass(frozen=True)
class _Shown:
    """A kept form on its way to its page; `otherwise` shows the forms of pages that cannot show them again."""

    form: KeptForm
    otherwise: View


async def show(context: PageContext, kept: KeptForm, cookie: str, otherwise: View) -> Response | None:
    """Return a kept form on its own page, as the user sees it whose new session `cookie` names; None when the form has
    no page. Nothing is carried out.
    """
    parts, own = urlsplit(kept.to), context.request
    sent = "; ".join(filter(None, (own.headers.get("cookie", ""), cookie)))
    headers = [one for one in own.scope["headers"] if one[0] != b"cookie"]
    scope = {
        **own.scope,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [*headers, (b"cookie", sent.encode("latin-1", "replace"))],
        _SHOWN: _Shown(kept, otherwise),
    }
    for route in own.app.routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            response: Response = await found["endpoint"](Request({**scope, **found}))
            return response
    return None


def is_kept(request: Request) -> bool:
    """Return whether a request shows a kept form; no client can make one."""
    return _SHOWN in request.scope


def view_of(context: PageContext) -> View:
    """Return what answers a request: its page's view, or the one that shows a kept form."""
    shown: _Shown | None = context.request.scope.get(_SHOWN)
    if shown is None:
        return context.page.view
    form = Form(shown.form.fields)
    context.use_form(form)
    context.locale = replace(context.locale, kept_form=(context.request.url.path, form.key or ""))
    return shown.otherwise if context.page.again is None else _show_again


async def _show_again(context: PageContext) -> Response:
    """Show the page's form with the values that were entered, and a note in place of errors."""
    assert context.page.again is not None
    context.flash = {"kind": "note", "text": gettext("You are signed in again.")}
    response = await context.page.again(context, {"": gettext(NOT_SENT)})
    if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        response.status_code = HTTPStatus.OK
    return response


def _size(form: Form) -> int:
    return sum(len(name) + len(value) for name, value in form.fields)
