"""Reconciliation («Rapprochement»): the providers' own lists compared with the ledger, and the differences.

Payments compares automatically; staff may request a comparison immediately, and resolve an explained difference
with a note.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext, pgettext
from services.orders.backoffice.operations.parked import request
from services.orders.backoffice.payments.pages import tabs_of_payments
from services.orders.backoffice.payments.words import failure_text, provider_word
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LIST = "/payments/reconciliation"
LONGEST_NOTE = 500
TIMESTAMPS = ("reached_at", "started_at", "ended_at", "occurred_at", "found_at", "resolved_at", "created_at")


async def _show(context: PageContext, errors: Errors) -> Response:
    is_open = context.query.get("open", "true") != "false"
    answer = await context.app_state.clients.get(
        "payments", "/internal/reconciliation", shop=context.shop, open="true" if is_open else "false"
    )
    down = answer if isinstance(answer, ServiceUnavailable) else None
    body: Mapping[str, Any] = {} if isinstance(answer, ServiceUnavailable) else answer.body
    return context.render(
        "payments/reconciliation.html",
        422 if errors else 200,
        down=down,
        errors=errors,
        is_open=is_open,
        typed=context.form_read,
        runs=[_read(row) for row in body.get("runs", [])],
        findings=[_read(row) for row in body.get("findings", [])],
        payouts=[_read(row) for row in body.get("payouts", [])],
        lists=_list_words(),
        sides=_side_words(),
        kinds=_kind_words(),
        failure_text=failure_text,
        provider_word=provider_word,
        tabs_shown=tabs_of_payments(LIST),
    )


@pages.get(LIST, Permission.PAYMENTS_VIEW)
async def show_reconciliation(context: PageContext) -> Response:
    """Show the runs with their progress, the differences, and the payouts."""
    return await _show(context, {})


@pages.post(f"{LIST}/run", Permission.PAYMENTS_REASSIGN, action="reconciliation.run", again=_show)
async def run(context: PageContext) -> Response:
    """Request a comparison of every list now."""

    async def act(_: Unit) -> None:
        answer = await request(context, "payments", "reconciliation/run", {"shop": context.shop})
        context.audited["lists"] = answer.get("lists", 0)

    flash = gettext("Reconciliation started. Progress is shown below.")
    return await carry_out(context, act, to=LIST, flash=flash)


@pages.post(
    f"{LIST}/{{finding}}/resolve", Permission.PAYMENTS_REASSIGN, action="reconciliation.resolve", again=_show
)
async def resolve(context: PageContext) -> Response:
    """Resolve a difference with a note."""
    finding = _named(context)
    context.audited.update(finding=str(finding))
    note = context.form_read.text("note", longest=LONGEST_NOTE)
    if note is None:
        raise Invalid(note=gettext("Enter an explanation for later reference."))
    body = {"shop": context.shop, "note": note}

    async def act(_: Unit) -> None:
        await request(context, "payments", f"reconciliation/findings/{finding}/resolve", body)

    return await carry_out(context, act, to=LIST, flash=gettext("Difference resolved."))


def _named(context: PageContext) -> UUID:
    try:
        return UUID(context.path("finding"))
    except ValueError:
        raise Missing from None


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    read = timestamps_read(row, *(name for name in TIMESTAMPS if name in row))
    if "arrives_on" in read:
        read["arrives_on"] = date.fromisoformat(read["arrives_on"])
    return read


def _list_words() -> dict[str, str]:
    return {
        "events": pgettext("reconciliation", "Events"),
        "money": pgettext("reconciliation", "Money movements"),
        "payouts": pgettext("reconciliation", "Payouts"),
    }


def _side_words() -> dict[str, tuple[str, str]]:
    """Return text and badge tone by the side of a difference."""
    return {
        "theirs": (pgettext("reconciliation", "Only at the provider"), "danger"),
        "ours": (pgettext("reconciliation", "Only in the ledger"), "danger"),
        "differs": (pgettext("reconciliation", "Different amount"), "warning"),
    }


def _kind_words() -> dict[str, str]:
    return {
        "payment": pgettext("reconciliation", "Payment"),
        "refund": pgettext("reconciliation", "Refund"),
        "dispute": pgettext("reconciliation", "Dispute"),
        "payout": pgettext("reconciliation", "Payout"),
    }
