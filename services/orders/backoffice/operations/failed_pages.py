"""Failed work of the shop: refunds and documents that failed for good, and that a person has seen them.

The owning service lists them and records the acknowledgement with its reason. Work that names no shop (a read, a
received mail) is for operators, by the command line. Mails are decided on the page of mails.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from starlette.responses import Response

from contracts.catalogue import SERVICES
from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import Answer, Owner, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.operations import parked, words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.store import read_codes
from services.orders.backoffice.web.actions.action import Errors, do
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PATH = "/operations/failed"
LONGEST_REASON = 200
MOST, MOST_SEEN = 100, 20
MAILS = "mail"
KINDS = {
    "refund": N_("Refund by the provider"),
    "invoice_pdf": N_("Document as PDF"),
    "object_read": N_("Reading at the payment provider"),
    "inbound": N_("Received mail"),
    "test_mail": N_("Test mail"),
}
"""Labels by kind of effect; another kind is shown as it is named."""


@dataclass
class Failed:
    """Failed work of all services, the latest first; that which was acknowledged; and services that did not answer, or
    are of a version that has no such list."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    away: list[ServiceUnavailable] = field(default_factory=list)
    older: list[Owner] = field(default_factory=list)

    @property
    def order_ids(self) -> set[UUID]:
        """Return the ids of the orders that it is about."""
        return {UUID(row["order_id"]) for row in (*self.rows, *self.seen) if row["order_id"]}


@pages.get(PATH, Permission.OPERATIONS_VIEW)
async def show_failed(context: PageContext) -> Response:
    """Show the failed work of the shop."""
    return await _show(context, {})


async def _show(context: PageContext, errors: Errors) -> Response:
    failed = await _read(context)
    async with context.reading() as connection:
        codes = await read_codes(connection, context.shop, failed.order_ids)
    return context.render(
        "operations/failed.html",
        422 if errors else 200,
        failed=failed,
        codes=codes,
        kinds=KINDS,
        most=MOST,
        typed=context.form_read,
        errors=errors,
        tabs_shown=tabs_of_operations(PATH),
        words=words,
    )


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="effects.acknowledge", again=_show)
async def acknowledge(context: PageContext) -> Response:
    """Acknowledge one failed effect, with the reason."""
    form = context.form_read
    service, _, key = form["effect"].partition("/")
    if service not in SERVICES or not key:
        raise Invalid(effect=gettext("Choose an option from the list."))
    reason = form.text("reason", longest=LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Enter a reason for later reference."))
    context.audited.update(service=service, key=key, reason=reason)
    body = {"key": key, "shop": context.shop, "without": [MAILS], "reason": reason}

    is_unknown: list[bool] = []

    async def act(_: Unit) -> None:
        answer = await parked.request(context, cast("Owner", service), "effects/acknowledge", body)
        context.audited["effects"] = answer.get("acknowledged", 0)
        is_unknown.append(answer.get("already") is False)

    await do(context, act)
    context.app_state.monitor.invalidate()
    if any(is_unknown):
        return context.redirect(PATH, gettext("Nothing to do: there is no such failed work."), "note")
    if context.audited.get("effects") == 0:
        return context.redirect(PATH, gettext("Nothing to do: somebody else has already done it."), "note")
    return context.redirect(PATH, gettext("Recorded. It is listed below with the reason."))


async def _read(context: PageContext) -> Failed:
    owners = [cast("Owner", name) for name in SERVICES]
    answers = await asyncio.gather(
        *(_ask(context, owner, state) for owner in owners for state in ("failed", "acknowledged"))
    )
    found = Failed()
    for owner, rows, seen in zip(owners, answers[::2], answers[1::2], strict=True):
        if isinstance(rows, ServiceUnavailable) or isinstance(seen, ServiceUnavailable):
            found.away.append(
                rows if isinstance(rows, ServiceUnavailable) else cast("ServiceUnavailable", seen)
            )
        elif rows.status != 200 or seen.status != 200:
            found.older.append(owner)
        else:
            found.rows += [_row(owner, row, "failed_at") for row in rows.body["effects"]]
            found.seen += [_row(owner, row, "failed_at", "acknowledged_at") for row in seen.body["effects"]]
    found.rows = sorted(found.rows, key=lambda row: row["failed_at"], reverse=True)[:MOST]
    found.seen = sorted(found.seen, key=lambda row: row["acknowledged_at"], reverse=True)[:MOST_SEEN]
    return found


async def _ask(context: PageContext, owner: Owner, state: str) -> Answer | ServiceUnavailable:
    return await context.app_state.clients.get(
        owner, "/internal/effects", shop=context.shop, state=state, without=MAILS
    )


def _row(owner: Owner, row: Mapping[str, Any], *timestamps: str) -> dict[str, Any]:
    return {**timestamps_read(row, *timestamps), "service": owner}
