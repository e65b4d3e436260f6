"""Suppressed addresses, which get no mail of the shop: reasons and expiry, adding one, lifting one.

Notifier owns them: they are read from it and changed by command. Lifting a suppression sends nothing; the mails
that were held are in the list of mails and can be resent from there.
"""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from contracts.notifier.bounces import LiftSuppression, SuppressAddress
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.mails.words import SUPPRESSED_ADDRESSES, SUPPRESSION_NAMES
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
HERE = "/mails/addresses/suppressed"
PAGE = 50
LONGEST_TEXT = 254
LONGEST_REASON = 500


async def _show(context: PageContext, errors: Errors) -> Response:
    text = context.query.get("q", "").strip()[:LONGEST_TEXT]
    back_links = BackLinks.of(context.query, "before")
    command = {"shop": context.shop, "limit": str(PAGE), "text": text, "before": back_links.here[:100]}
    found = await context.app_state.clients.get(
        "notifier", "/internal/suppressions", **{name: value for name, value in command.items() if value}
    )
    if not isinstance(found, ServiceUnavailable) and found.status != 200:
        raise Missing
    body: dict[str, Any] = {"suppressions": [], "next": None}
    if not isinstance(found, ServiceUnavailable):
        body = found.body
    form = context.form_read if context.request.method == "POST" else Form()
    return context.render(
        "mails/suppressed.html",
        422 if errors else 200,
        owner=found,
        suppressions=[timestamps_read(one, "since", "until") for one in body["suppressions"]],
        next_href=_href(text, back_links.on(body["next"])) if body["next"] else "",
        previous_href=_href(text, back_links.back) if back_links.back is not None else "",
        text=text,
        typed=form,
        errors=errors,
        is_suppressing=context.here.endswith("/suppress"),
        names=SUPPRESSION_NAMES,
        sentences=SUPPRESSED_ADDRESSES,
        longest_reason=LONGEST_REASON,
    )


@pages.get(HERE, Permission.MAILS_VIEW)
async def show_suppressed(context: PageContext) -> Response:
    """Show a page of suppressed addresses, the latest first."""
    return await _show(context, {})


@pages.post("/mails/addresses/suppress", Permission.MAILS_RESEND, action="address.suppress", again=_show)
async def suppress(context: PageContext) -> Response:
    """Send no more mail to an address."""
    form = context.form_read
    asked = form.model(SuppressAddress, shop=context.shop, order_id=None, actor=context.actor)
    decision = command(context, None, lambda _: asked)
    return await carry_out(context, decision, to=HERE, flash=gettext("The address receives no more mail."))


@pages.post("/mails/addresses/lift", Permission.MAILS_RESEND, action="suppression.lift", again=_show)
async def lift(context: PageContext) -> Response:
    """Send mail to an address again."""
    form = context.form_read
    asked = form.model(LiftSuppression, shop=context.shop, order_id=None, actor=context.actor)
    decision = command(context, None, lambda _: asked)
    said = gettext("The address receives mail again. Held mails can be sent from the list of mails.")
    return await carry_out(context, decision, to="/mails?state=suppressed", flash=said)


def _href(text: str, cursor: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in {"q": text, **cursor}.items() if value})
    return f"{HERE}?{query}" if query else HERE
