"""Replay of a shop's events of a range to one service: counted first, then confirmed.

The sender publishes them again from its log; the consumer handles them as new, but sends no mail and calls no
provider for them. A replay of events it has already handled therefore changes nothing, and one after rows
were lost restores them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from contracts.catalogue import SERVICES, consumed_by, queue_of, queues_of
from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import Owner
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import parked, words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.parked import OwnerUnavailable
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import NotAllowed, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PATH = "/operations/replay"
MINUTE_FORMAT = "%Y-%m-%dT%H:%M"
RESYNC_OWNERS: tuple[Owner, ...] = ("payments", "fulfillment")
"""Services that can resync orders where the event log ends (see `backoffice/operations/messages/resync_pages.py`)."""


@dataclass(frozen=True)
class Range:
    """The range to replay: consumer, sender, one type of event or "" for all, from (inclusive) to
    (exclusive).
    """

    listener: str
    sender: Owner
    type: str
    since: datetime
    until: datetime

    @property
    def body(self) -> dict[str, Any]:
        """Return the request body for the sender's service."""
        kinds = {"types": [self.type]} if self.type else {}
        return {
            "consumer": self.listener,
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            **kinds,
        }


@pages.get(PATH, Permission.OPERATIONS_VIEW)
async def show_replay(context: PageContext) -> Response:
    """Show the form; with a range in the address, its number of events; below, earlier replays."""
    return await _show(context, context.query, is_requested="queue" in context.query)


@pages.get(f"{PATH}/now", Permission.OPERATIONS_VIEW, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the list of replays, for a page that polls."""
    return await _show(context, context.query, is_requested=False)


async def _show_form_again(context: PageContext, errors: Errors) -> Response:
    return await _show(context, context.form_read, is_requested=False, errors=errors)


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="events.replay", again=_show_form_again)
async def replay(context: PageContext) -> Response:
    """Start the replay of the range."""
    wanted = read_range(context.form_read, zone_of(context))
    context.audited.update(
        service=wanted.sender, consumer=wanted.listener, since=wanted.since, until=wanted.until
    )

    async def act(_: Unit) -> None:
        answer = await parked.request(context, wanted.sender, "replay", {**wanted.body, "shop": context.shop})
        if "messages" not in answer:
            raise Invalid(**{"": str(answer.get("detail", ""))})
        context.audited["messages"] = answer["messages"]

    flash = gettext("Replay started. Progress is shown below.")
    response = await carry_out(context, act, to=PATH, flash=flash)
    context.app_state.monitor.invalidate()
    return response


def pairs() -> list[tuple[str, str, str]]:
    """Return the pairs of services between which events can be replayed: queue, consumer, sender."""
    return [
        (queue_of(listener, sender), listener, sender)
        for listener in SERVICES
        for sender in SERVICES
        if queue_of(listener, sender) in queues_of(listener)
        and any(one.sender == sender and not one.is_command for one in consumed_by(listener))
    ]


def kinds() -> list[str]:
    """Return every event type that can be replayed."""
    found = {
        one.type
        for name in SERVICES
        for one in consumed_by(name)
        if not one.is_command and one.sender in SERVICES
    }
    return sorted(found)


def read_range(typed: Mapping[str, str], zone: ZoneInfo) -> Range:
    """Return the requested range, with times in the shop's zone. Raises Invalid with every error."""
    faults, known = {}, {queue: (listener, sender) for queue, listener, sender in pairs()}
    if typed.get("queue", "") not in known:
        faults["queue"] = gettext("Choose an option from the list.")
    if typed.get("type", "") not in ("", *kinds()):
        faults["type"] = gettext("Choose an option from the list.")
    since, until = typed_timestamp(typed.get("from", ""), zone), typed_timestamp(typed.get("to", ""), zone)
    if since is None:
        faults["from"] = gettext("Enter a date and a time.")
    if until is None or (since is not None and until <= since):
        faults["to"] = gettext("Enter a date and a time after the beginning.")
    if faults or since is None or until is None:
        raise Invalid(**faults)
    listener, sender = known[typed["queue"]]
    kind = typed.get("type", "")
    if kind and not any(one.type == kind and one.sender == sender for one in consumed_by(listener)):
        raise Invalid(type=gettext("That service does not receive this event from that sender."))
    return Range(listener, parked.owner_named(sender), kind, since, until)


async def _show(
    context: PageContext,
    typed: Mapping[str, str],
    *,
    is_requested: bool,
    errors: Mapping[str, str] | None = None,
) -> Response:
    faults, counted, wanted = dict(errors or {}), None, None
    if is_requested:
        try:
            if not context.may(Permission.OPERATIONS_REDRIVE):
                raise NotAllowed(Permission.OPERATIONS_REDRIVE)
            wanted = read_range(typed, zone_of(context))
            answer = await parked.ask(
                context, wanted.sender, "replay", {**wanted.body, "shop": context.shop, "dry": True}
            )
            counted = answer.get("messages")
        except Invalid as invalid:
            faults = invalid.errors
        except OwnerUnavailable:
            faults = {"": gettext("The service is not responding; try again in a moment.")}
    seen = await context.app_state.monitor.current()
    now = context.locale.now.astimezone(zone_of(context))
    soon = now + timedelta(minutes=1)
    values = {
        "from": (now - timedelta(hours=1)).strftime(MINUTE_FORMAT),
        "to": soon.strftime(MINUTE_FORMAT),
        **typed,
    }
    return context.render(
        "operations/replay.html",
        422 if faults else 200,
        typed=Form([(name, str(value)) for name, value in values.items()]),
        errors=faults,
        wanted=wanted,
        counted=counted,
        pairs=pairs(),
        kinds=kinds(),
        replays=_latest(context.shop, (one.report for one in seen.services), "replays", "since", "until"),
        resyncs=_latest(context.shop, (one.report for one in seen.services), "resyncs", "ended_at"),
        owners=RESYNC_OWNERS,
        tabs_shown=tabs_of_operations(PATH),
        words=words,
    )


def _latest(shop: str, reports: Iterable[Any], name: str, *timestamps: str) -> list[dict[str, Any]]:
    """Return recent replays or resyncs of a shop by all services, the latest first."""
    found = [
        {**timestamps_read(one, "asked_at", *timestamps), "sender": service["service"]}
        for service in reports
        for one in service.get(name, ())
        if one["shop"] == shop
    ]
    return sorted(found, key=lambda one: one["asked_at"], reverse=True)[:20]


def typed_timestamp(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the value of a date and time field, in the shop's zone."""
    try:
        timestamp = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (
        timestamp.replace(tzinfo=zone) if timestamp.tzinfo is None and 2000 <= timestamp.year < 2200 else None
    )


def zone_of(context: PageContext) -> ZoneInfo:
    """Return the zone in which the page's times are typed."""
    return ZoneInfo(str(context.locale.zone))
