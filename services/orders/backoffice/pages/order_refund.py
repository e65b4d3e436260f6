"""Money goes back: refunds in two explicit ways, marks confirmed, payments entered by mistake taken back.

A refund is either recorded here only or really sent to the provider, and the page never says one for the other: what
it tells is the outcome that payments said. A refund that the provider refused is a failure on the page, though its
command is done.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.catalogue import type_of
from contracts.payments import RefundFailed, RefundMarked
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.commanding import Outcome, answer
from services.orders.backoffice.formatting import typed_amount
from services.orders.backoffice.forms import Form, Invalid
from services.orders.backoffice.order_page import words
from services.orders.backoffice.order_page.asking import units_typed
from services.orders.backoffice.order_page.reading import OrderRead, read_order
from services.orders.backoffice.order_page.refundable import may_be_reversed, refundable, worth_of
from services.orders.backoffice.order_page.refunding import (
    confirmation_asked,
    refund_asked,
    reversal_asked,
)
from services.orders.backoffice.order_page.sending import Made, beside, carry_out, id_typed, sent_once
from services.orders.backoffice.routing import Pages
from services.orders.backoffice.translating import gettext
from services.orders.backoffice.visit import Missing, Visit
from services.orders.documents import LedgerEntryShown

pages = Pages()
FAILED, MARKED = type_of(RefundFailed, "payments"), type_of(RefundMarked, "payments")


@pages.get("/orders/{order}/refund", Permission.PAYMENTS_REFUND)
async def show_refund(visit: Visit) -> Response:
    """What can be refunded, and the form to do it."""
    return await _show(visit, {})


@pages.post("/orders/{order}/refund", Permission.PAYMENTS_REFUND, action="order.refund")
async def refund(visit: Visit) -> Response:
    """Give money back, recorded here only or sent to the provider; `deed` calculate only counts what units cost."""
    form, order = await visit.form(), await read_order(visit)
    visit.about(order.id)
    if form["deed"] == "calculate":
        visit.outcome = "previewed"
        return await _show(visit, {}, 200)
    visit.field_labels = words.FIELD_LABELS

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = refund_asked(order.shown.currency, form)
        return [lambda made: asked.command(order.facts, visit.actor, made)]

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show(visit, beside(errors, form))

    outcome = await sent_once(visit, order, form, make)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    if outcome.body.get("type") == FAILED:
        visit.outcome = "failed"
        return await again({"": _why_failed(outcome)})
    to = f"/orders/{order.shown.code}#payment"
    return await answer(visit, outcome, form, to=to, flash=_told(outcome), again=again)


@pages.post("/orders/{order}/refund-confirmation", Permission.PAYMENTS_REFUND, action="refund.confirm")
async def confirm(visit: Visit) -> Response:
    """Confirm a refund that was recorded here with the reference under which it was really made."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked, refund_id = confirmation_asked(form), id_typed(form, "refund")
        return [lambda _: asked.command(order.facts, visit.actor, refund_id)]

    return await carry_out(visit, "confirmation", make, gettext("The refund is confirmed."), "payment")


@pages.get("/orders/{order}/reversal", Permission.PAYMENTS_RECORD)
async def show_reversal(visit: Visit) -> Response:
    """What taking a payment back would do."""
    return await _show_reversal(visit, {})


@pages.post("/orders/{order}/reversal", Permission.PAYMENTS_RECORD, action="payment.reverse")
async def reverse(visit: Visit) -> Response:
    """Take a payment back that was entered by hand, by a counter-entry."""
    form, order, entry_id = await visit.form(), await read_order(visit), _entry_named(visit)
    visit.field_labels = words.FIELD_LABELS

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = reversal_asked(form)
        return [lambda _: asked.command(order.facts, visit.actor, entry_id)]

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show_reversal(visit, beside(errors, form))

    outcome = await sent_once(visit, order, form, make)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    to, flash = f"/orders/{order.shown.code}#payment", gettext("The payment is taken back.")
    return await answer(visit, outcome, form, to=to, flash=flash, again=again)


async def _show(visit: Visit, errors: Mapping[str, str], status: int = 422) -> Response:
    order, form = (await read_order(visit)).shown, visit.form_read
    if order.totals is None:
        raise Missing
    could = refundable(order)
    is_first = visit.request.method == "GET"
    counted = worth_of(order, _units(form)) if form["deed"] == "calculate" else None
    return visit.render(
        "order/refund.html",
        200 if is_first else status,
        order=order,
        could=could,
        errors=errors,
        typed=lambda name, otherwise="": otherwise if is_first else form[name],
        restocked=lambda line: form.ticked(f"restock-{line}"),
        amount_shown=_amount_shown(form, is_first, counted, could.amount_minor, order.currency),
        modes=["recorded", "sent"] if could.sendable else ["recorded"],
        shipped={line.line: line.position.shipped if line.position else 0 for line in order.lines},
        words=words,
    )


def _amount_shown(form: Form, is_first: bool, counted: int | None, proposed: int, currency: str) -> str:
    if counted is not None:
        return typed_amount(counted, currency)
    return typed_amount(proposed, currency) if is_first else form["amount"]


def _units(form: Form) -> dict[int, int]:
    try:
        return units_typed(form, "quantity")
    except Invalid:
        return {}


def _told(outcome: Outcome) -> str:
    if outcome.body.get("type") == MARKED:
        return gettext("The refund is recorded here only. Confirm it once the money has really gone back.")
    return gettext("The refund is sent.")


def _why_failed(outcome: Outcome) -> str:
    refund: Mapping[str, Any] = outcome.body.get("refund") or {}
    return gettext(
        "%(provider)s refused the refund, nothing went back: %(why)s",
        provider=words.provider(refund.get("provider")),
        why=refund.get("detail") or gettext("no reason was given."),
    )


async def _show_reversal(visit: Visit, errors: Mapping[str, str]) -> Response:
    order = (await read_order(visit)).shown
    entry = _entry(order.ledger, _entry_named(visit))
    if not may_be_reversed(entry, order.ledger):
        why = gettext("This payment can’t be taken back any more.")
        return visit.redirect(f"/orders/{order.code}#payment", why, "note")
    return visit.render(
        "order/reversal.html",
        422 if errors else 200,
        order=order,
        entry=entry,
        errors=errors,
        typed=visit.form_read,
    )


def _entry_named(visit: Visit) -> UUID:
    """The payment that `?entry=` names. Raises Missing."""
    try:
        return UUID(visit.query.get("entry", ""))
    except ValueError:
        raise Missing from None


def _entry(ledger: list[LedgerEntryShown], entry_id: UUID) -> LedgerEntryShown:
    found = next((entry for entry in ledger if entry.entry_id == entry_id), None)
    if found is None:
        raise Missing
    return found
