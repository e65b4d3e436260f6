"""Refunds of articles or of an amount, their confirmation, and reversal of payments entered by mistake.

A refund is previewed with its effects before it is made, and an amount that differs from the price of its
articles has to be confirmed. It is either only recorded here or really sent to the provider, and the page
never shows one for the other: it shows the outcome that payments reported. A refund that the provider
rejected is a failure on the page, although its command is done.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.catalogue import type_of
from contracts.payments import RefundFailed, RefundMarked, RefundUncertain
from services.orders.api.actions.refund_requests import RefundRequest
from services.orders.api.actions.refund_rules import faults_of_refund
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.formatting import typed_amount
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.asking import units_typed
from services.orders.backoffice.order.changes.mail_choice import mail_shown
from services.orders.backoffice.order.changes.refunding import (
    AMOUNT,
    ITEMS,
    RefundPreview,
    all_units,
    confirmation_asked,
    mail_context,
    preview_of,
    refund_asked,
    reversal_asked,
    settlement_asked,
)
from services.orders.backoffice.order.reading import OrderRead, already_sent, read_order, require_fresh
from services.orders.backoffice.order.refundable import Refundable, may_be_reversed, refundable, worth_of
from services.orders.backoffice.order.sending import Made, beside, carry_out, id_typed, sent_once
from services.orders.backoffice.web.actions.commanding import Outcome, answer, by_field
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext
from services.orders.listing.documents import LedgerEntryResponse, OrderResponse

pages = Pages()
_SHOWS_FORM = ("calculate", "all", "edit")
FAILED, MARKED = type_of(RefundFailed, "payments"), type_of(RefundMarked, "payments")
UNCERTAIN = type_of(RefundUncertain, "payments")


@pages.get("/orders/{order}/refund", Permission.PAYMENTS_REFUND)
async def show_refund(context: PageContext) -> Response:
    """Show what can be refunded, and the form."""
    return await _show(context, {})


@pages.post("/orders/{order}/refund", Permission.PAYMENTS_REFUND, action="order.refund")
async def refund(context: PageContext) -> Response:
    """Refund money, recorded here only or sent to the provider, once its effects were shown.

    `deed`: `preview` (also when there is none), `refund`, `edit`; `calculate` computes the price of the
    chosen units, `all` chooses all of them.
    """
    form, order = await context.form(), await read_order(context)
    context.about(order.id)
    if form["deed"] in _SHOWS_FORM:
        context.outcome = "previewed"
        return await _show(context, {}, 200)
    context.field_labels = words.FIELD_LABELS
    await require_fresh(context, order, form)
    try:
        asked = refund_asked(order.shown.currency, form)
    except Invalid as invalid:
        return await _show(context, beside(invalid.errors))
    if not await already_sent(context, form):
        preview = preview_of(order.shown, asked)
        if faults := faults_of_refund(order.shown, asked):
            return await _show(context, beside(by_field(faults)))
        is_unasked = preview.differs and not form.ticked("differs")
        if form["deed"] != "refund" or is_unasked:
            return await _show_preview(context, order, asked, preview)
    return await _send(context, order, form)


async def _send(context: PageContext, order: OrderRead, form: Form) -> Response:
    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked = refund_asked(order.shown.currency, form)
        return [lambda made: asked.command(order.facts, context.actor, made)]

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show(context, beside(errors))

    outcome = await sent_once(context, order, form, make)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    if outcome.body.get("type") == FAILED:
        context.outcome = "failed"
        return await again({"": _why_failed(outcome)})
    to = f"/orders/{order.shown.code}#payment"
    return await answer(context, outcome, form, to=to, flash=_told(outcome), again=again)


@pages.post("/orders/{order}/refund-confirmation", Permission.PAYMENTS_REFUND, action="refund.confirm")
async def confirm(context: PageContext) -> Response:
    """Confirm a refund that was recorded here with the reference of the actual transfer."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked, refund_id = confirmation_asked(form), id_typed(form, "refund")
        return [lambda _: asked.command(order.facts, context.actor, refund_id)]

    return await carry_out(context, "confirmation", make, gettext("The refund is confirmed."), "payment")


@pages.post("/orders/{order}/refund-settlement", Permission.PAYMENTS_REFUND, action="refund.settle")
async def settle(context: PageContext) -> Response:
    """Settle a refund whose outcome is unknown."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked, refund_id = settlement_asked(form), id_typed(form, "refund")
        return [lambda _: asked.command(order.facts, context.actor, refund_id)]

    return await carry_out(context, "settlement", make, gettext("Your decision is recorded."), "payment")


@pages.get("/orders/{order}/reversal", Permission.PAYMENTS_RECORD)
async def show_reversal(context: PageContext) -> Response:
    """Show the effects of reversing a payment."""
    return await _show_reversal(context, {})


@pages.post("/orders/{order}/reversal", Permission.PAYMENTS_RECORD, action="payment.reverse")
async def reverse(context: PageContext) -> Response:
    """Reverse a payment that was entered by hand, by a counter-entry."""
    form, order, entry_id = await context.form(), await read_order(context), _entry_named(context)
    context.field_labels = words.FIELD_LABELS

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked = reversal_asked(form)
        return [lambda _: asked.command(order.facts, context.actor, entry_id)]

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show_reversal(context, beside(errors))

    outcome = await sent_once(context, order, form, make)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    to, flash = f"/orders/{order.shown.code}#payment", gettext("The payment is taken back.")
    return await answer(context, outcome, form, to=to, flash=flash, again=again)


async def _show(context: PageContext, errors: Mapping[str, str], status: int = 422) -> Response:
    order, form = (await read_order(context)).shown, context.form_read
    if order.totals is None:
        raise Missing
    could = refundable(order)
    shown = _shown(order, could, form, is_first=context.request.method == "GET")
    units = _units(shown)
    return context.render(
        "order/refund.html",
        200 if context.request.method == "GET" else status,
        order=order,
        could=could,
        errors=errors,
        typed=lambda name, otherwise="": shown[name] or otherwise,
        ticked=shown.ticked,
        worth=worth_of(order, units) if units else None,
        modes=["recorded", "sent"] if could.sendable else ["recorded"],
        shipped={line.line: line.position.shipped if line.position else 0 for line in order.lines},
        words=words,
    )


def _shown(order: OrderResponse, could: Refundable, form: Form, *, is_first: bool) -> Form:
    """Return the form's fields for the page: proposed at first, later the typed and computed ones."""
    if is_first:
        what = AMOUNT if could.overpaid_minor or not any(could.most.values()) else ITEMS
        amount = typed_amount(could.overpaid_minor, order.currency) if could.overpaid_minor else ""
        return Form([("what", what), ("amount", amount), ("cause", could.cause.value)])
    counted: dict[str, str] = {}
    if form["deed"] == "all":
        counted = {"what": ITEMS, **all_units(order)}
    if counted or (form["deed"] == "calculate" and form["what"] == ITEMS):
        units = _units(Form([*counted.items()]) if counted else form)
        counted["amount"] = typed_amount(worth_of(order, units), order.currency) if units else ""
    return Form([*counted.items(), *((name, value) for name, value in form.fields if name not in counted)])


async def _show_preview(
    context: PageContext, order: OrderRead, asked: RefundRequest, preview: RefundPreview
) -> Response:
    """Show the effects of the refund; the same fields are submitted from here, with the confirmation they
    require.
    """
    form, mail = context.form_read, None
    if asked.notify_customer:
        mail = await mail_shown(context, order, "refund_made", mail_context(order.shown, asked))
    is_unasked = form["deed"] == "refund" and preview.differs
    context.outcome = "previewed"
    return context.render(
        "order/refund_preview.html",
        422 if is_unasked else 200,
        order=order.shown,
        asked=asked,
        preview=preview,
        mail=mail,
        unasked=is_unasked,
        descriptions={line.line: line.description for line in order.shown.lines},
        fields=[(name, value) for name, value in form.typed() if name not in ("deed", "differs")],
        words=words,
    )


def _units(form: Form) -> dict[int, int]:
    try:
        return units_typed(form, "quantity")
    except Invalid:
        return {}


def _told(outcome: Outcome) -> str:
    if outcome.body.get("type") == MARKED:
        return gettext("The refund is recorded here only. Confirm it once the money has really gone back.")
    if outcome.body.get("type") == UNCERTAIN:
        return gettext(
            "It is not known yet whether the refund was made. The refund on this page says what to do."
        )
    return gettext("The refund is sent.")


def _why_failed(outcome: Outcome) -> str:
    refund: Mapping[str, Any] = outcome.body.get("refund") or {}
    return gettext(
        "%(provider)s refused the refund, nothing went back: %(why)s",
        provider=words.provider(refund.get("provider")),
        why=refund.get("detail") or gettext("no reason was given."),
    )


async def _show_reversal(context: PageContext, errors: Mapping[str, str]) -> Response:
    order = (await read_order(context)).shown
    entry = _entry(order.ledger, _entry_named(context))
    if not may_be_reversed(entry, order.ledger):
        why = gettext("This payment can’t be taken back any more.")
        return context.redirect(f"/orders/{order.code}#payment", why, "note")
    return context.render(
        "order/reversal.html",
        422 if errors else 200,
        order=order,
        entry=entry,
        errors=errors,
        typed=context.form_read,
    )


def _entry_named(context: PageContext) -> UUID:
    """Return the payment that `?entry=` names. Raises Missing."""
    try:
        return UUID(context.query.get("entry", ""))
    except ValueError:
        raise Missing from None


def _entry(ledger: list[LedgerEntryResponse], entry_id: UUID) -> LedgerEntryResponse:
    found = next((entry for entry in ledger if entry.entry_id == entry_id), None)
    if found is None:
        raise Missing
    return found
