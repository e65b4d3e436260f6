"""Rendering of an order's page: without errors, or with a rejected form, its errors and the submitted values."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from contracts.catalogue import type_of
from contracts.payments.accounts import RecordPayment
from contracts.payments.disputes import DisputeState
from contracts.sale import Tax
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.formatting import typed_amount
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import page_locale
from services.orders.backoffice.order import steps, words
from services.orders.backoffice.order.actions import facts_of, offered
from services.orders.backoffice.order.activity import timeline
from services.orders.backoffice.order.days import FIELDS
from services.orders.backoffice.order.facts import back_of
from services.orders.backoffice.order.gaps import gaps_of
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.refundable import is_open_mark, is_to_settle, may_be_reversed
from services.orders.backoffice.web.actions.action import Again, Errors
from services.orders.backoffice.web.clients.invoicing import InvoicingState, read_invoicing_state
from services.orders.backoffice.web.page_context import PageContext
from services.orders.listing.documents import OrderResponse
from services.orders.order.state import SET_BY_HAND
from services.orders.staff.labels import Label

RECORD = type_of(RecordPayment, "orders")


def again(section: str) -> Again:
    """Return the function that shows the page again with the submitted form of `section` and its errors (422)."""

    async def show(context: PageContext, errors: Errors) -> Response:
        form, order = context.form_read, await read_order(context)
        state = await invoicing_of(context, order)
        corrected = form["counters"][:36]
        return render(
            context, order, section, form, beside(errors), 422, corrected=corrected, invoicing=state
        )

    return show


async def invoicing_of(context: PageContext, order: OrderRead) -> InvoicingState | None:
    """Return what keeps the shop's invoices back, for a placed order that has none; only for users who issue them."""
    if order.invoices or order.shown.state in steps.UNPLACED or not context.may(Permission.PAYMENTS_RECORD):
        return None
    return await read_invoicing_state(context)


def beside(errors: Errors) -> dict[str, str]:
    """Return the errors by the form's field names: `amount` for a message's `amount_minor`.

    Errors without a field in the form are shown above it (`objections` of `templates/parts/forms.html`).
    """
    found: dict[str, list[str]] = {}
    for name, text in errors.items():
        found.setdefault(FIELDS.get(name, name.removesuffix("_minor")), []).append(text)
    return {name: " ".join(texts) for name, texts in found.items()}


def render(
    context: PageContext,
    order: OrderRead,
    section: str = "",
    form: Form | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    *,
    template: str = "order/page.html",
    **more: Any,
) -> Response:
    """Render the page, or another `template` with the same values. `section` names the rejected form."""
    shown = order.shown
    show = context.query.get("show", "all")
    show = show if show in words.SHOWS else "all"

    def typed(of: str | None, name: str, otherwise: Any = "") -> Any:
        return form[name] if form is not None and of == section else otherwise

    def wrong(of: str | None) -> Mapping[str, str]:
        return defaultdict(str, errors or {}) if of == section else defaultdict(str)

    waiting = [step for step in steps.steps(shown) if context.may(step.demand)]
    return context.render(
        template,
        status,
        read=order,
        order=shown,
        taxes=stated_taxes(shown),
        returned=section,
        typed=typed,
        typed_in=lambda of: partial(typed, of),
        wrong=wrong,
        steps=waiting,
        on_the_way=steps.on_the_way(shown),
        receives=steps.receives(shown),
        receives_otherwise=steps.receives_otherwise(shown),
        unplaced=shown.state in steps.UNPLACED,
        sends=steps.sends(shown),
        signed=words.signed_minor,
        zoned=lambda timestamp: timestamp.astimezone(page_locale().zone).date(),
        left=[(line, steps.left_to_pack(line)) for line in shown.lines if steps.left_to_pack(line)],
        to_ship=[shown.parcels[index] for index in steps.parcels_to_ship(shown)],
        arrived={one.shipment_id: one for one in shown.deliveries},
        descriptions={line.line: line.description for line in shown.lines},
        numbers={parcel.parcel_id: parcel.number for parcel in shown.parcels},
        labels=status_choices(order),
        colour=_colour(order),
        entries=timeline(order.history, order.labels, show),
        show=show,
        seen=context.query.get("seen", ""),
        balance_typed=_balance_typed(order),
        today=datetime.now(UTC).astimezone(page_locale().zone).date().isoformat(),
        actions=offered(facts_of(shown), context.may),
        reversible=may_be_reversed,
        open_mark=is_open_mark,
        to_settle=is_to_settle,
        words=words,
        day_of=read_day,
        gaps=gaps_of(shown),
        foldable=foldable(order),
        is_under_way=partial(steps.is_under_way, shown),
        to_correct=context.query.get("correct", ""),
        back=back_of(context.query if form is None else form),
        is_ticked=lambda parcel_id: (
            section != "shipment" or str(parcel_id) in (form or Form()).all("parcels")
        ),
        **{"mail": None, "invoicing": None, "with_notes": True, "corrected": "", **more},
    )


def foldable(order: OrderRead) -> set[str]:
    """Return the parts of the page in which nothing waits for anybody: on a phone they are closed at first."""
    shown, found = order.shown, set[str]()
    is_open = any(is_to_settle(one) or is_open_mark(one.state, one.mode) for one in shown.refunds) or any(
        one.state != DisputeState.WON and one.resolution is None for one in shown.disputes
    )
    if not shown.balance_minor and not is_open:
        found.add("payment")
    if order.invoices:
        found.add("invoices")
    if not any(map(steps.left_to_pack, shown.lines)) and not steps.parcels_to_ship(shown):
        found |= {"parcels", "shipments"}
    if not gaps_of(shown):
        found.add("customer")
    if not order.is_awaiting_answer:
        found.add("conversation")
    return found


def status_choices(order: OrderRead) -> list[Label]:
    """Return the statuses a user may give this order, as far as only its state decides."""
    if order.shown.state not in SET_BY_HAND:
        return []
    return [label for label in order.labels.choices() if label.state in SET_BY_HAND]


def _balance_typed(order: OrderRead) -> str:
    """Return the amount proposed for a payment: what payments on their way leave to be paid; "" if nothing."""
    under_way = sum(one.content.get("amount_minor", 0) for one in order.open_commands if one.type == RECORD)
    left = order.shown.balance_minor - under_way
    return typed_amount(left, order.shown.currency) if left > 0 else ""


def _colour(order: OrderRead) -> str:
    label = order.labels.by_key.get(order.shown.label.key)
    return label.colour.value if label else "grey"


def stated_taxes(order: OrderResponse) -> list[Tax]:
    """Return each tax stated by the sender, with its sum over the order; empty unless they account for all of its
    tax.
    """
    parts: list[Any] = [*order.lines, *([order.shipping] if order.shipping else []), *order.extra_lines]
    found: dict[tuple[str | None, int], int] = {}
    for tax in (tax for part in parts for tax in part.taxes or ()):
        key = (tax.label, tax.rate_ppm)
        found[key] = found.get(key, 0) + tax.tax_minor
    if order.totals is None or sum(found.values()) != order.totals.tax_minor:
        return []
    return [Tax(label=label, rate_ppm=rate, tax_minor=minor) for (label, rate), minor in found.items()]
