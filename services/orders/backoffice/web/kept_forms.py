"""Requests without a session: redirected to the sign-in page and back, without losing the input.

A form that is sent after the session's end is kept inside the sign-in page as hidden fields. After signing in, the
same user sees their input and submits it with one more click; it keeps its idempotency key, so it cannot be
carried out twice. Nothing is sent automatically: the click makes it that user's action. Passwords are never kept,
and another user who signs in instead does not see the input.
"""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from services.orders.backoffice.forms.fields import Form, FormTooLarge, FormUnreadable
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.security import is_local_path

SIGN_IN = "/sign-in"
TO, NAME = "kept-to", "kept."
MOST_CHARACTERS = 256 * 1024


@dataclass(frozen=True)
class KeptForm:
    """A form kept for its user: its address, and its fields."""

    to: str
    fields: list[tuple[str, str]]


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
    kept = KeptForm(context.here, form.typed() if _size(form) <= MOST_CHARACTERS else [])
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
    return KeptForm(to, fields) if _size(form) <= MOST_CHARACTERS * 2 else None


def _size(form: Form) -> int:
    return sum(len(name) + len(value) for name, value in form.fields)
