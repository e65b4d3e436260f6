"""Bulk actions on mails: resend, or mark uncertain ones as arrived; a preview, then a command for each.

The mails are the ticked ones or all that match the list's filter, at most `MOST_AT_ONCE`. Each command is the
one that a single mail's page sends. Only mails still in the state that the preview showed get one, so no
customer gets a mail twice because two users worked on the same list.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from contracts.notifier.mails import ConfirmMail, ResendMail
from services.orders.api.actions.action import Action
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext, ngettext
from services.orders.backoffice.mails.pages import KINDS, LONGEST_TEXT, MOST_AT_ONCE, STATES, order_of
from services.orders.backoffice.web.actions.action import command, do, wait_for
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
NAMED_AT_ONCE = 100
"""Maximum ids in one request to the notifier."""
SHOWN = 50
Mail = Mapping[str, Any]


@dataclass(frozen=True)
class Verb:
    """A bulk action on mails: the address of its form, the states it applies to, and the command for each
    mail.
    """

    path: str
    states: tuple[str, ...]
    command: type[ResendMail] | type[ConfirmMail]


RESEND = Verb("/mails/resend", ("failed", "uncertain", "bounced", "suppressed"), ResendMail)
ARRIVED = Verb("/mails/arrived", ("uncertain",), ConfirmMail)


class NotifierUnavailable(Exception):
    """The notifier does not answer, so the selected mails cannot be determined."""


@pages.post(RESEND.path, Permission.MAILS_RESEND, action="mail.resend_many")
async def resend(context: PageContext) -> Response:
    """Resend mails that failed, came back or were held, and uncertain ones."""
    return await _answer_form(context, RESEND)


@pages.post(ARRIVED.path, Permission.MAILS_RESEND, action="mail.confirm_many")
async def take_as_arrived(context: PageContext) -> Response:
    """Mark uncertain mails as arrived."""
    return await _answer_form(context, ARRIVED)


async def _answer_form(context: PageContext, verb: Verb) -> Response:
    """Answer a form of the list: preview first, carry out when confirmed."""
    form = await context.form()
    back = _back(form)
    try:
        mails = await _mails_of(context, form, verb)
        if not mails and not form["confirmed"]:
            return context.redirect(back, gettext("None of the selected mails need this any more."), "note")
        context.audited["mails"] = len(mails)
        if not form["confirmed"]:
            return _preview(context, verb, form, mails, back)
        sent = await do(context, lambda _: _send(context, verb, mails))
    except NotifierUnavailable:
        return context.redirect(
            back, gettext("Mails are unavailable right now; try again in a moment."), "fault"
        )
    if sent is None:
        return context.redirect(back, gettext("This was already done."), "note")
    return context.redirect(back, _result_text(verb, sent), "note" if sent == 0 else "done")


def _preview(context: PageContext, verb: Verb, form: Form, mails: Sequence[Mail], back: str) -> Response:
    context.outcome = "rehearsed"
    return context.render(
        "mails/many.html",
        mails=mails,
        shown=SHOWN,
        is_cut=bool(form["everything"]) and len(mails) == MOST_AT_ONCE,
        path=verb.path,
        is_resend=verb is RESEND,
        state=form["state"],
        text=form["q"],
        back=back,
        states=STATES,
        kinds=KINDS,
    )


def _result_text(verb: Verb, sent: int) -> str:
    if not sent:
        return gettext("None of the selected mails need this any more.")
    if verb is RESEND:
        return ngettext("%(count)s mail sent again.", "%(count)s mails sent again.", sent)
    return ngettext("%(count)s mail marked as arrived.", "%(count)s mails marked as arrived.", sent)


async def _send(context: PageContext, verb: Verb, mails: Sequence[Mail]) -> int:
    """Send the command for each mail, wait briefly for the last one's outcome, and return how many were sent."""
    decisions = [_decision(context, verb, mail) for mail in mails]
    sent = await asyncio.gather(*(context.app_state.actions.send(one) for one in decisions))
    if sent:
        await wait_for(context, sent[-1].command_id)
    return len(sent)


def _decision(context: PageContext, verb: Verb, mail: Mail) -> Action:
    order_id, mail_id = order_of(mail), UUID(mail["id"])

    def message(_: UUID) -> ResendMail | ConfirmMail:
        return verb.command(shop=context.shop, order_id=order_id, mail_id=mail_id, actor=context.actor)

    return command(context, order_id, message, f"-{mail_id}")


async def _mails_of(context: PageContext, form: Form, verb: Verb) -> list[Mail]:
    """Return the mails a form selects, in their current state, each once. Raises NotifierUnavailable."""
    if form["everything"] and not form["confirmed"]:
        found = await _listed(
            context, state=form["state"], text=form["q"][:LONGEST_TEXT], limit=str(MOST_AT_ONCE)
        )
    else:
        named = _named(form)
        parts = [named[at : at + NAMED_AT_ONCE] for at in range(0, len(named), NAMED_AT_ONCE)]
        lists = await asyncio.gather(*(_listed(context, ids=",".join(part)) for part in parts))
        found = [mail for part in lists for mail in part]
    return [mail for mail in found if mail["state"] in verb.states]


def _named(form: Form) -> list[str]:
    ids = []
    for text in [*form.all("mail"), *form["mails"].split()]:
        try:
            ids.append(str(UUID(text)))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))[:MOST_AT_ONCE]


async def _listed(context: PageContext, **filters: str) -> list[Mail]:
    query = {name: value for name, value in filters.items() if value}
    found = await context.app_state.clients.get("notifier", "/internal/mails", shop=context.shop, **query)
    if isinstance(found, ServiceUnavailable):
        raise NotifierUnavailable
    mails = found.body["mails"] if found.status == 200 else []
    return [timestamps_read(mail, "created_at") for mail in mails]


def _back(form: Form) -> str:
    """Return the address of the list the form was on."""
    query = {name: value for name, value in (("state", form["state"]), ("q", form["q"])) if value}
    return f"/mails?{urlencode(query)}" if query else "/mails"
