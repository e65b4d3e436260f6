"""Disputes («Litiges»): payments contested by customers' banks, the deadline of each, and the decision on a lost one.

The disputes are orders' copy of payments' own. Evidence is sent at the provider; here staff only decide who
bears a dispute that was lost.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from contracts.payments.disputes import DisputeResolution, ResolveDispute
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.words import dispute_reason
from services.orders.backoffice.payments import dispute_store
from services.orders.backoffice.payments.dispute_words import (
    decided_words,
    filter_words,
    resolution_words,
    state_words,
)
from services.orders.backoffice.payments.pages import tabs_of_payments
from services.orders.backoffice.payments.words import provider_word
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LIST = "/payments/disputes"
PAGE = 50
LONGEST_NOTE = 1000


async def _show(context: PageContext, state: str, errors: Errors) -> Response:
    filters = filter_words()
    if state not in filters:
        state = "all"
    back_links = BackLinks.of(context.query, "after")
    place = dispute_store.cursor_of(back_links.here)
    async with context.reading() as connection:
        rows = await dispute_store.read_disputes(connection, context.shop, state, place, PAGE + 1)
        counts = await dispute_store.count_disputes(connection, context.shop)
    last = dispute_store.text_of(rows[PAGE - 1]) if len(rows) > PAGE else None
    return context.render(
        "payments/disputes.html",
        422 if errors else 200,
        disputes=[dispute_store.shown(row) for row in rows[:PAGE]],
        counts=counts,
        state=state,
        filters=filters,
        reason_word=dispute_reason,
        states=state_words(),
        resolutions=resolution_words(),
        decided=decided_words(),
        provider_word=provider_word,
        errors=errors,
        typed=context.form_read,
        next_href=_href(state, back_links.on(last)) if last else "",
        previous_href=_href(state, back_links.back) if back_links.back is not None else "",
        tabs_shown=tabs_of_payments(LIST),
    )


async def _show_again(context: PageContext, errors: Errors) -> Response:
    return await _show(context, "to_resolve", errors)


@pages.get(LIST, Permission.PAYMENTS_VIEW)
async def show_disputes(context: PageContext) -> Response:
    """Show the disputes in one state, those with the next deadline first."""
    return await _show(context, context.query.get("state", "open"), {})


@pages.post(f"{LIST}/resolve", Permission.PAYMENTS_REASSIGN, action="dispute.resolve", again=_show_again)
async def resolve(context: PageContext) -> Response:
    """Decide who bears a lost dispute."""
    form = context.form_read
    resolution = form.choice("resolution", tuple(DisputeResolution))
    note = form.text("note", longest=LONGEST_NOTE)
    dispute = await _named(context)
    context.audited.update(dispute=dispute["provider_reference"], resolution=resolution)
    if resolution is None:
        raise Invalid(resolution=gettext("Choose who bears the loss."))

    def message(_: UUID) -> ResolveDispute:
        return ResolveDispute(
            shop=context.shop,
            order_id=dispute["order_id"],
            provider=dispute["provider"],
            provider_reference=dispute["provider_reference"],
            resolution=DisputeResolution(resolution),
            note=note,
            actor=context.actor,
        )

    flash = gettext("Dispute of order %(code)s settled.", code=dispute["code"])
    return await carry_out(context, command(context, dispute["order_id"], message), to=LIST, flash=flash)


async def _named(context: PageContext) -> Mapping[str, Any]:
    """Return the dispute that the form names. Raises Missing."""
    form = context.form_read
    names = (form.text("provider", longest=40) or "", form.text("reference", longest=200) or "")
    async with context.reading() as connection:
        dispute = await dispute_store.read_dispute(connection, context.shop, *names)
    if dispute is None:
        raise Missing
    return dispute


def _href(state: str, cursor: Mapping[str, str]) -> str:
    return f"{LIST}?{urlencode({'state': state, **cursor})}"
