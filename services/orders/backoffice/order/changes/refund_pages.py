"""Refunds of articles or of an amount, their confirmation, and reversal of payments entered by mistake.

A refund is previewed with its effects before it is made, and an amount that differs from the price of its
articles has to be confirmed. It is either only recorded here or sent to the provider, and the page never confuses
the two: it shows the outcome that payments reported. A refund that the provider rejected is a failure on the page,
although its command is done.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.catalogue import type_of
from contracts.payments.refunds import RefundFailed, RefundMarked, RefundUncertain
from services.orders.api.actions.refund_requests import RefundRequest
from services.orders.api.actions.refund_rules import faults_of_refund
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.formatting import typed_amount
from services.orders.backoffice.language.reasons import by_field
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.changes.mail_choice import mail_shown
from services.orders.backoffice.order.changes.refunding import (
    AMOUNT,
    ITEMS,
    RefundPreview,
    all_units,
    confirmation_request,
    mail_context,
    preview_of,
    refund_request,
    reversal_request,
    settlement_request,
)
from services.orders.backoffice.order.facts import FormFacts, page_of, read_facts, read_fresh_facts
from services.orders.backoffice.order.form_requests import id_typed, units_typed
from services.orders.backoffice.order.reading import read_document, read_open_money
from services.orders.backoffice.order.refundable import Refundable, may_be_reversed, refundable, worth_of
from services.orders.backoffice.order.showing import again, beside
from services.orders.backoffice.web.actions.action import (
    Errors,
    Outcome,
    answer,
    carry_out,
    command,
    perform,
    seen_by,
    was_sent,
)
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing.documents import OrderResponse
from services.orders.listing.order_parts import LedgerEntryResponse

pages = Pages()
_SHOWS_FORM = ("calculate", "all", "edit")
FAILED, MARKED = type_of(RefundFailed, "payments"), type_of(RefundMarked, "payments")
UNCERTAIN = type_of(RefundUncertain, "payments")


async def _show(context: PageContext, errors: Errors, status: int = 422) -> Response:
    form = context.form_read
    order = await read_document(context, (await read_facts(context)).id)
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
        open_money=await read_open_money(context, order),
        errors=beside(errors),
        typed=lambda name, otherwise="": shown[name] or otherwise,
        ticked=shown.ticked,
        worth=worth_of(order, units) if units else None,
        modes=["recorded", "sent"] if could.sendable else ["recorded"],
        shipped={line.line: line.position.shipped if line.position else 0 for line in order.lines},
        words=words,
    )


async def _show_reversal(context: PageContext, errors: Errors) -> Response:
    order = await read_document(context, (await read_facts(context)).id)
    entry = _entry(order.ledger, _entry_named(context))
    if not may_be_reversed(entry, order.ledger):
        why = gettext("This payment can no longer be reversed.")
        return context.redirect(f"/orders/{order.code}#payment", why, "note")
    return context.render(
        "order/reversal.html",
        422 if errors else 200,
        order=order,
        entry=entry,
        open_money=await read_open_money(context, order),
        errors=beside(errors),
        typed=context.form_read,
    )


@pages.get("/orders/{order}/refund", Permission.PAYMENTS_REFUND)
async def show_refund(context: PageContext) -> Response:
    """Show what can be refunded, and the form."""
    return await _show(context, {})


@pages.post("/orders/{order}/refund", Permission.PAYMENTS_REFUND, action="order.refund", again=_show)
async def refund(context: PageContext) -> Response:
    """Refund money, recorded here only or sent to the provider, once its effects were shown.

    `deed`: `preview` (also when there is none), `refund`, `edit`; `calculate` computes the price of the
    chosen units, `all` chooses all of them.
    """
    form = context.form_read
    if form["deed"] in _SHOWS_FORM:
        context.outcome = "previewed"
        return await _show(context, {}, 200)
    order = await read_fresh_facts(context)
    request = refund_request(order.facts.currency, form)
    if not await was_sent(context):
        document = await read_document(context, order.id)
        preview = preview_of(document, request)
        if faults := faults_of_refund(document, request):
            raise Invalid(**by_field(faults))
        is_unasked = preview.differs and not form.ticked("differs")
        if form["deed"] != "refund" or is_unasked:
            return await _show_preview(context, document, request, preview)
    return await _send(context, order, request)


async def _send(context: PageContext, order: FormFacts, request: RefundRequest) -> Response:
    sent = command(
        context, order.id, lambda command_id: request.command(order.facts, context.actor, command_id)
    )
    outcome = await perform(context, sent, seen=seen_by(context.form_read, [sent]))
    if outcome.body.get("type") == FAILED:
        context.outcome = "failed"
        raise Invalid(**{"": _why_failed(outcome)})
    return answer(context, outcome, to=f"/orders/{order.code}#payment", flash=_outcome_text)


@pages.post(
    "/orders/{order}/refund-confirmation",
    Permission.PAYMENTS_REFUND,
    action="refund.confirm",
    again=again("confirmation"),
)
async def confirm(context: PageContext) -> Response:
    """Confirm a refund that was recorded here with the reference of the actual transfer."""
    order, form = await read_fresh_facts(context), context.form_read
    request, refund_id = confirmation_request(form), id_typed(form, "refund")
    confirmation = command(
        context, order.id, lambda _: request.command(order.facts, context.actor, refund_id)
    )
    to = page_of(context, order.code, "payment")
    return await carry_out(context, confirmation, to=to, flash=gettext("Refund confirmed."))


@pages.post(
    "/orders/{order}/refund-settlement",
    Permission.PAYMENTS_REFUND,
    action="refund.settle",
    again=again("settlement"),
)
async def settle(context: PageContext) -> Response:
    """Settle a refund whose outcome is unknown."""
    order, form = await read_fresh_facts(context), context.form_read
    request, refund_id = settlement_request(form), id_typed(form, "refund")
    settlement = command(context, order.id, lambda _: request.command(order.facts, context.actor, refund_id))
    to = page_of(context, order.code, "payment")
    return await carry_out(context, settlement, to=to, flash=gettext("Decision recorded."))


@pages.get("/orders/{order}/reversal", Permission.PAYMENTS_RECORD)
async def show_reversal(context: PageContext) -> Response:
    """Show the effects of reversing a payment."""
    return await _show_reversal(context, {})


@pages.post(
    "/orders/{order}/reversal", Permission.PAYMENTS_RECORD, action="payment.reverse", again=_show_reversal
)
async def reverse(context: PageContext) -> Response:
    """Reverse a payment that was entered by hand, by a counter-entry."""
    entry_id, order = _entry_named(context), await read_fresh_facts(context)
    request = reversal_request(context.form_read)
    reversal = command(context, order.id, lambda _: request.command(order.facts, context.actor, entry_id))
    to = f"/orders/{order.code}#payment"
    return await carry_out(context, reversal, to=to, flash=gettext("Payment reversed."))


def _shown(order: OrderResponse, could: Refundable, form: Form, *, is_first: bool) -> Form:
    """Return the form's fields for the page: the proposed ones at first, later the typed and computed ones."""
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
    context: PageContext, order: OrderResponse, request: RefundRequest, preview: RefundPreview
) -> Response:
    """Show the effects of the refund; the same fields are submitted from here, with the confirmation they
    require.
    """
    form, mail = context.form_read, None
    if request.notify_customer:
        mail = await mail_shown(context, order, "refund_made", mail_context(order, request))
    is_unasked = form["deed"] == "refund" and preview.differs
    context.outcome = "previewed"
    return context.render(
        "order/refund_preview.html",
        422 if is_unasked else 200,
        order=order,
        refund_request=request,
        preview=preview,
        mail=mail,
        unasked=is_unasked,
        descriptions={line.line: line.description for line in order.lines},
        fields=[(name, value) for name, value in form.typed() if name not in ("deed", "differs")],
        words=words,
    )


def _units(form: Form) -> dict[int, int]:
    try:
        return units_typed(form, "quantity")
    except Invalid:
        return {}


def _outcome_text(outcome: Outcome) -> str:
    if outcome.body.get("type") == MARKED:
        return gettext("Refund recorded here only. Confirm it once the money has actually been paid back.")
    if outcome.body.get("type") == UNCERTAIN:
        return gettext(
            "It is not known yet whether the refund was made. The refund on this page says what to do."
        )
    return gettext("Refund sent.")


def _why_failed(outcome: Outcome) -> str:
    refund: Mapping[str, Any] = outcome.body.get("refund") or {}
    return gettext(
        "%(provider)s refused the refund, so no money was paid back: %(why)s",
        provider=words.provider(refund.get("provider")),
        why=refund.get("detail") or gettext("no reason was given."),
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
