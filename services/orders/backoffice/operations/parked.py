"""Parked messages of all services for operators: those of their own shop, and those without a shop.

The service that parked a message is its owner: the message is read there, and retried or discarded there on
request.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from contracts.catalogue import SERVICES
from services.orders.api.owners.clients import Owner, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.page_context import Missing, PageContext

PAGE = 50
REQUEST_SECONDS = 15.0
"""Seconds a service has for a request: retrying or resending very many messages takes long."""
TIMESTAMPS = ("first_at", "last_at", "next_at")


class OwnerUnavailable(Exception):
    """The owning service does not answer; the request may or may not have been applied. `down` has since
    when.
    """

    def __init__(self, down: ServiceUnavailable) -> None:
        super().__init__(down.owner)
        self.down = down


@dataclass(frozen=True)
class Parked:
    """Parked messages, and the services that did not answer."""

    groups: list[dict[str, Any]]
    away: list[ServiceUnavailable]

    @property
    def dead(self) -> int:
        """Return the number of messages that wait for staff."""
        return sum(int(group["dead"]) for group in self.groups)


def owner_named(name: str) -> Owner:
    """Return a service named in an address. Raises Missing."""
    if name not in SERVICES:
        raise Missing
    return cast("Owner", name)


async def read_groups(context: PageContext) -> Parked:
    """Return groups that wait for a person or for a prerequisite, by failure.

    Those for a person come first, and within each half the oldest first, so that rows keep their places.
    """
    answers, unavailable = await _ask_all(context, group="fingerprint")
    groups = [
        {**timestamps_read(row, "first_at", "last_at"), "service": name}
        for name, body in answers
        for row in body["groups"]
    ]
    groups.sort(key=lambda group: (group["dead"] == 0, group["first_at"], group["fingerprint"]))
    return Parked(groups, unavailable)


async def read_discarded(context: PageContext) -> Parked:
    """Return the latest discarded messages of each service, as `groups` of one."""
    answers, unavailable = await _ask_all(context, state="discarded")
    found = [_message(name, row) for name, body in answers for row in body["parked"][:PAGE]]
    return Parked(sorted(found, key=lambda row: row["last_at"], reverse=True)[:PAGE], unavailable)


async def read_alike(
    context: PageContext, service: Owner, fingerprint: str, before: str
) -> tuple[list[dict[str, Any]], ServiceUnavailable | None]:
    """Return messages with the same failure, newest first, one more than a page. Raises Missing."""
    query = {"fingerprint": fingerprint, "shop": context.shop, **({"before": before} if before else {})}
    answers = await context.app_state.clients.get(service, "/internal/parked", **query)
    if isinstance(answers, ServiceUnavailable):
        return [], answers
    if answers.status != 200:
        raise Missing
    return [_message(service, row) for row in answers.body["parked"]], None


async def read_one(
    context: PageContext, service: Owner, parked_id: int
) -> dict[str, Any] | ServiceUnavailable:
    """Return one message with its headers and body; personal data only for users who may see them. Raises
    Missing.
    """
    query = {"shop": context.shop}
    if context.may(Permission.ORDERS_PERSONAL):
        query["personal"] = "shown"
    answers = await context.app_state.clients.get(service, f"/internal/parked/{parked_id}", **query)
    if isinstance(answers, ServiceUnavailable):
        return answers
    if answers.status != 200:
        raise Missing
    return _message(service, answers.body["parked"])


async def ask(
    context: PageContext, service: Owner, action: str, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Request `action` ("parked/redrive", "parked/discard", "replay", "resync") from a service for the user's
    shop; return its answer, with `detail` when it was rejected. Raises OwnerUnavailable.
    """
    answers = await context.app_state.clients.post(
        service, f"/internal/{action}", {**body, "actor": context.actor}, seconds=REQUEST_SECONDS
    )
    if isinstance(answers, ServiceUnavailable):
        raise OwnerUnavailable(answers)
    return answers.body if isinstance(answers.body, dict) else {}


async def request(
    context: PageContext, service: Owner, action: str, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Request a change from a service as `ask` does. Raises Invalid when it does not answer, for the form."""
    try:
        return await ask(context, service, action, body)
    except OwnerUnavailable:
        raise unanswered() from None


def unanswered() -> Invalid:
    """Return the error of a form whose request a service did not answer."""
    why = gettext(
        "The service is not responding. Check in a moment whether it was done before you try again."
    )
    return Invalid(**{"": why})


async def _ask_all(
    context: PageContext, **query: str
) -> tuple[list[tuple[Owner, Any]], list[ServiceUnavailable]]:
    """Return each service's parked messages of the shop, and the services that did not answer."""
    owners = [cast("Owner", name) for name in SERVICES]
    answers = await asyncio.gather(
        *(
            context.app_state.clients.get(name, "/internal/parked", shop=context.shop, **query)
            for name in owners
        )
    )
    bodies = [
        (name, answer.body)
        for name, answer in zip(owners, answers, strict=True)
        if not isinstance(answer, ServiceUnavailable) and answer.status == 200
    ]
    return bodies, [answer for answer in answers if isinstance(answer, ServiceUnavailable)]


def _message(service: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**timestamps_read(row, *TIMESTAMPS), "service": service}
