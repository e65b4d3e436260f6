"""Resending of messages lost by a queue: those never handled are counted first, then sent unchanged.

Unlike a replay it has external effects: mails are sent, refunds requested, commands carried out. Messages the
consumer handled meanwhile are deduplicated and change nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from contracts.catalogue import SERVICES, queue_of, queues_of
from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import Owner
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import lost, parked, words
from services.orders.backoffice.operations.lost import Lost
from services.orders.backoffice.operations.messages.replay_pages import (
    MINUTE_FORMAT,
    typed_timestamp,
    zone_of,
)
from services.orders.backoffice.operations.messages.replay_pages import PATH as REPLAY
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.parked import OwnerUnavailable
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PATH = "/operations/lost"
PATIENCE = timedelta(minutes=5)
"""Messages sent more recently may still be in transit and are not compared."""


@dataclass(frozen=True)
class LostRequest:
    """The consumer and sender to compare, and the period."""

    listener: Owner
    sender: Owner
    since: datetime
    until: datetime

    @property
    def span(self) -> dict[str, str]:
        return {"from": self.since.isoformat(), "to": self.until.isoformat()}


@pages.get(PATH, Permission.OPERATIONS_REDRIVE)
async def show_lost(context: PageContext) -> Response:
    """Show the form; with a period in the address, the messages of it that were never handled."""
    if "queue" not in context.query:
        return await _show(context, context.query)
    try:
        wanted = read_request(context.query, context)
        found = await lost.find(context, wanted.listener, wanted.sender, wanted.span)
    except Invalid as invalid:
        return await _show(context, context.query, errors=invalid.errors)
    except OwnerUnavailable:
        return await _show(context, context.query, errors={"": _unavailable()})
    return await _show(context, context.query, wanted=wanted, lost_messages=found)


async def _show_again(context: PageContext, errors: Errors) -> Response:
    return await _show(context, context.form_read, errors=errors)


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="messages.send_again", again=_show_again)
async def send_again(context: PageContext) -> Response:
    """Resend messages that were never handled, as counted now."""
    wanted = read_request(context.form_read, context)
    context.audited.update(
        service=wanted.sender, consumer=wanted.listener, since=wanted.since, until=wanted.until
    )

    async def act(_: Unit) -> None:
        try:
            found = await lost.find(context, wanted.listener, wanted.sender, wanted.span)
            sent = await lost.send_again(context, wanted.listener, wanted.sender, found.ids)
        except OwnerUnavailable:
            raise parked.unanswered() from None
        context.audited["messages"] = sent

    flash = gettext("The messages are being sent again.")
    response = await carry_out(context, act, to=REPLAY, flash=flash)
    context.app_state.monitor.invalidate()
    return response


def pairs() -> list[tuple[str, str, str]]:
    """Return the pairs of services: queue, consumer, sender."""
    return [
        (queue_of(listener, sender), listener, sender)
        for listener in SERVICES
        for sender in SERVICES
        if queue_of(listener, sender) in queues_of(listener)
    ]


def read_request(typed: Mapping[str, str], context: PageContext) -> LostRequest:
    """Return the requested comparison, with times in the shop's zone. Raises Invalid with every error."""
    faults, known = {}, {queue: (listener, sender) for queue, listener, sender in pairs()}
    if typed.get("queue", "") not in known:
        faults["queue"] = gettext("Choose an option from the list.")
    since, until = (typed_timestamp(typed.get(name, ""), zone_of(context)) for name in ("from", "to"))
    if since is None:
        faults["from"] = gettext("Enter a date and a time.")
    if until is None or (since is not None and until <= since):
        faults["to"] = gettext("Enter a date and a time after the beginning.")
    if faults or since is None or until is None:
        raise Invalid(**faults)
    listener, sender = known[typed["queue"]]
    return LostRequest(parked.owner_named(listener), parked.owner_named(sender), since, until)


async def _show(
    context: PageContext,
    typed: Mapping[str, str],
    *,
    wanted: LostRequest | None = None,
    lost_messages: Lost | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    now = context.locale.now.astimezone(zone_of(context))
    proposed: dict[str, Any] = {
        "from": (now - timedelta(days=1)).strftime(MINUTE_FORMAT),
        "to": (now - PATIENCE).strftime(MINUTE_FORMAT),
        **typed,
    }
    return context.render(
        "operations/lost.html",
        422 if errors else 200,
        typed=Form([(name, str(value)) for name, value in proposed.items()]),
        errors=errors or {},
        wanted=wanted,
        found=lost_messages,
        pairs=pairs(),
        tabs_shown=tabs_of_operations(PATH),
        words=words,
    )


def _unavailable() -> str:
    return gettext("The service is not responding; try again in a moment.")
