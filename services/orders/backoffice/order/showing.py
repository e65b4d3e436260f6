"""The page of one order rendered: without errors, or with a rejected form, its errors and what was typed."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from contracts.storefront import Tax
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.formatting import typed_amount
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import speech
from services.orders.backoffice.order import steps, words
from services.orders.backoffice.order.actions import facts_of, offered
from services.orders.backoffice.order.activity import timeline
from services.orders.backoffice.order.gaps import gaps_of
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.refundable import is_open_mark, is_to_settle, may_be_reversed
from services.orders.backoffice.web.security import is_local_path
from services.orders.backoffice.web.visit import PageContext
from services.orders.listing.documents import OrderResponse
from services.orders.order.state import SET_BY_HAND
from services.orders.staff.labels import Label


async def show_again(context: PageContext, section: str, errors: Mapping[str, str]) -> Response:
    """Show the page with the form of `section` as it was typed, and the errors (422)."""
    form = context.form_read
    return render(
        context, await read_order(context), section, form, errors, 422, corrected=form["counters"][:36]
    )


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
        zoned=lambda moment: moment.astimezone(speech().zone).date(),
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
        balance_typed=typed_amount(shown.balance_minor, shown.currency) if shown.balance_minor > 0 else "",
        today=datetime.now(UTC).astimezone(speech().zone).date().isoformat(),
        actions=offered(facts_of(shown), context.may),
        reversible=may_be_reversed,
        open_mark=is_open_mark,
        to_settle=is_to_settle,
        words=words,
        day_of=read_day,
        gaps=gaps_of(shown),
        is_under_way=partial(steps.is_under_way, shown),
        to_correct=context.query.get("correct", ""),
        back=back_of(context.query if form is None else form),
        is_ticked=lambda parcel_id: (
            section != "shipment" or str(parcel_id) in (form or Form()).all("parcels")
        ),
        **{"mail": None, "with_notes": True, "corrected": "", **more},
    )


def back_of(values: Mapping[str, str]) -> str:
    """Return the queue that the user came from and returns to; "" when it is none of ours."""
    back = values.get("back", "")
    return back if is_local_path(back) else ""


def status_choices(order: OrderRead) -> list[Label]:
    """Return the statuses a user may give this order, as far as only its state decides."""
    if order.shown.state not in SET_BY_HAND:
        return []
    return [label for label in order.labels.choices() if label.state in SET_BY_HAND]


def _colour(order: OrderRead) -> str:
    label = order.labels.by_key.get(order.shown.label.key)
    return label.colour.value if label else "grey"


def stated_taxes(order: OrderResponse) -> list[Tax]:
    """Return each tax that the sender named, with its sum over the order; none unless they are all of its tax."""
    parts: list[Any] = [*order.lines, *([order.shipping] if order.shipping else []), *order.extra_lines]
    found: dict[tuple[str | None, int], int] = {}
    for tax in (tax for part in parts for tax in part.taxes or ()):
        key = (tax.label, tax.rate_ppm)
        found[key] = found.get(key, 0) + tax.tax_minor
    if order.totals is None or sum(found.values()) != order.totals.tax_minor:
        return []
    return [Tax(label=label, rate_ppm=rate, tax_minor=minor) for (label, rate), minor in found.items()]
