"""Mails: those sent to customers and to the shop, the outcome and content of each, and manual decisions.

Notifier owns the mails: they are read from it, and resent or marked as arrived by command. The state shown is
always notifier's own, never an expected one.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import HTMLResponse, Response

from contracts.notifier.mails import ConfirmMail, ResendMail
from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.activity_texts import MAILS
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.mails.words import BOUNCES, HELD, WITHDRAWN, end_of
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import FRAMED_POLICY

pages = Pages()
pages.in_menu("/mails", N_("Mails"), "mails", 50, Permission.MAILS_VIEW)

PAGE = 50
LONGEST_TEXT = 254
MOST_AT_ONCE = 500
"""Maximum number of mails per form; the notifier lists as many per page."""
NONE = Answer(200, {"mails": [], "next": None})
TO_DECIDE = ("uncertain", "failed", "bounced", "suppressed")
"""States in which a mail needs a staff decision."""
TABS = {
    "": N_("All"),
    "uncertain": N_("To check"),
    "failed": N_("Failed"),
    "bounced": N_("Bounced"),
    "suppressed": N_("Held"),
    "planned": N_("Waiting"),
    "done": N_("Sent"),
    "withdrawn": N_("No longer needed"),
    "discarded": N_("Set aside"),
}
"""Tabs by notifier's state."""
KINDS = MAILS
STATES = {
    "planned": (N_("Waiting"), "waiting"),
    "in_flight": (N_("On its way"), "waiting"),
    "done": (N_("Mail sent"), "good"),
    "failed": (N_("Mail failed"), "danger"),
    "bounced": (N_("Bounced"), "danger"),
    "suppressed": (N_("Held"), "warning"),
    "withdrawn": (N_("No longer needed"), "neutral"),
    "uncertain": (N_("To check"), "warning"),
    "discarded": (N_("Set aside"), "neutral"),
}
"""Label and badge tone by the notifier's state of a mail."""


async def _show(context: PageContext, rejected: Errors) -> Response:
    errors = {"": " ".join(rejected.values())} if rejected else {}
    mail = await _mail_of(context)
    known = None if isinstance(mail, ServiceUnavailable) else mail
    owner = mail if isinstance(mail, ServiceUnavailable) else None
    status = 422 if errors else 200
    return context.render(
        "mails/mail.html",
        status,
        owner=owner,
        mail=known,
        became=end_of(known) if known else None,
        errors=errors,
        states=STATES,
        kinds=KINDS,
    )


async def _mail_of(context: PageContext) -> dict[str, Any] | ServiceUnavailable:
    """Return the mail in the path, of the user's shop. Raises Missing."""
    found = await context.app_state.clients.get("notifier", f"/internal/mails/{context.path_uuid('mail')}")
    if isinstance(found, ServiceUnavailable):
        return found
    if found.status != 200 or found.body["shop"] != context.shop:
        raise Missing
    return _read(found.body)


def _read(mail: Mapping[str, Any]) -> dict[str, Any]:
    return timestamps_read(mail, "created_at", "next_at", "ended_at")


@pages.get("/mails", Permission.MAILS_VIEW)
async def show_mails(context: PageContext) -> Response:
    """Show a page of mails, the latest first."""
    state, text = context.query.get("state", ""), context.query.get("q", "").strip()[:LONGEST_TEXT]
    back_links, limit = BackLinks.of(context.query, "before"), str(PAGE)
    errors: Mapping[str, str] = {}
    try:
        Form([("state", state)]).choice("state", TABS)
    except Invalid as invalid:
        errors = invalid.errors
    query = {
        "shop": context.shop,
        "limit": limit,
        "state": state,
        "text": text,
        "before": back_links.here[:100],
    }
    found = (
        NONE
        if errors
        else await context.app_state.clients.get("notifier", "/internal/mails", **_filled(query))
    )
    if not isinstance(found, ServiceUnavailable) and found.status != 200:
        raise Missing
    body = {"mails": [], "next": None} if isinstance(found, ServiceUnavailable) else found.body
    return context.render(
        "mails/list.html",
        owner=found,
        mails=[_read(mail) for mail in body["mails"]],
        next_href=_href(state, text, back_links.on(body["next"])) if body["next"] else "",
        previous_href=_href(state, text, back_links.back) if back_links.back is not None else "",
        tabs_shown=[(_href(one, text), gettext(name), one == state, None) for one, name in TABS.items()],
        state=state,
        text=text,
        errors=errors,
        is_pickable=state in TO_DECIDE and context.may(Permission.MAILS_RESEND),
        most=MOST_AT_ONCE,
        ends={"bounced": BOUNCES, "suppressed": HELD, "withdrawn": WITHDRAWN},
        alarm=await _alarm(context),
        states=STATES,
        kinds=KINDS,
    )


async def _alarm(context: PageContext) -> dict[str, Any] | None:
    """Return the shop's alert while its mails are refused as unwanted; None otherwise."""
    found = await context.app_state.clients.get("notifier", "/internal/mail-alarms", shop=context.shop)
    if isinstance(found, ServiceUnavailable) or found.status != 200 or not found.body["alarms"]:
        return None
    return timestamps_read(found.body["alarms"][0], "since", "last_at")


@pages.get("/mails/{mail}", Permission.MAILS_VIEW)
async def show_mail(context: PageContext) -> Response:
    """Show one mail with its content and its outcome."""
    return await _show(context, {})


@pages.get("/mails/{mail}/content", Permission.MAILS_VIEW)
async def show_content(context: PageContext) -> Response:
    """Return the mail's HTML for the frame on its page: no script runs, nothing is fetched."""
    mail = await _mail_of(context)
    html = "" if isinstance(mail, ServiceUnavailable) else mail["html"]
    return HTMLResponse(html, headers={"Content-Security-Policy": FRAMED_POLICY, "Cache-Control": "no-store"})


@pages.post("/mails/{mail}/resend", Permission.MAILS_RESEND, action="mail.resend", again=_show)
async def resend(context: PageContext) -> Response:
    """Resend the mail."""
    return await _decide(context, ResendMail, gettext("Mail sent again."))


@pages.post("/mails/{mail}/arrived", Permission.MAILS_RESEND, action="mail.confirm", again=_show)
async def take_as_arrived(context: PageContext) -> Response:
    """Mark an uncertain mail as arrived."""
    return await _decide(context, ConfirmMail, gettext("Mail marked as arrived."))


async def _decide(context: PageContext, kind: type[ResendMail] | type[ConfirmMail], flash: str) -> Response:
    mail = await _mail_of(context)
    if isinstance(mail, ServiceUnavailable):
        raise Invalid(**{"": gettext("Mails are unavailable right now; try again in a moment.")})
    mail_id, order_id = UUID(mail["id"]), order_of(mail)

    def message(_: UUID) -> ResendMail | ConfirmMail:
        return kind(shop=context.shop, order_id=order_id, mail_id=mail_id, actor=context.actor)

    decision = command(context, order_id, message)
    return await carry_out(context, decision, to=f"/mails/{mail_id}", flash=flash)


def order_of(mail: Mapping[str, Any]) -> UUID | None:
    """Return the order that a mail is about; None for a warning that concerns no order."""
    return UUID(mail["order_id"]) if mail["order_id"] else None


def _href(state: str, text: str, cursor: Mapping[str, str] | None = None) -> str:
    query = urlencode(_filled({"state": state, "q": text, **(cursor or {})}))
    return f"/mails?{query}" if query else "/mails"


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
