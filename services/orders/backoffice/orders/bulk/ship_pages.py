"""Bulk shipping: tracking numbers from a file or pasted, or the chosen orders without numbers.

The result is a run (`run_pages.py`): every line is previewed with its effect, or its error, before anything
is sent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment.shipping_days import faults_of_shipping
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext, number
from services.orders.backoffice.order.days import objections_to_days, today_of
from services.orders.backoffice.order.form_requests import as_id
from services.orders.backoffice.orders import chosen
from services.orders.backoffice.orders.bulk import shipping, store, tracking_file
from services.orders.backoffice.orders.bulk.run_pages import back_of, keep, too_many_or_none
from services.orders.backoffice.orders.bulk.runs import MOST_ITEMS, Verb
from services.orders.backoffice.orders.bulk.shipping import Goods, Shipments, Terms
from services.orders.backoffice.orders.bulk.tracking_file import Fault, Line, LinesUnreadable, TooManyLines
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.settings import ShopSettings, settings_of

pages = Pages()
KEPT = ("lines", "carrier", "other_carrier", "shipped_on", "notify_customer", "without_tracking")
"""Fields of the form that are stored with its run, so that they can be corrected."""


@pages.get("/orders/ship", Permission.PARCELS_SHIP)
async def show_form(context: PageContext) -> Response:
    """Show the form for tracking numbers of any orders; with `?run=`, those of an earlier attempt, to be corrected."""
    typed: Mapping[str, str] = {}
    ids: list[UUID] = []
    run_id = as_id(context.query.get("run", ""))
    async with context.reading() as connection:
        row = await store.read_run(connection, context.shop, run_id) if run_id else None
        if row is not None and row["verb"] == Verb.SHIP:
            saved = Form([(name, str(value)) for name, value in json.loads(row["asked"]).items()])
            typed, ids = saved, [one for text in saved["orders"].split() if (one := as_id(text))]
    return await _show(context, typed, ids, {})


@pages.post("/orders/ship", Permission.PARCELS_SHIP, action="orders.plan_shipping")
async def plan_shipping(context: PageContext) -> Response:
    """Show the form for the chosen orders; submitted: preview shipping."""
    form = await context.form()
    ids = await chosen.orders_of(context, form, MOST_ITEMS + 1)
    if not form["checked"]:
        context.outcome = "asked"
        return too_many_or_none(context, form, ids) or await _show(
            context, await _prefilled(context, ids), ids, {}
        )
    if len(ids) > MOST_ITEMS and (refused := too_many_or_none(context, form, ids)):
        return refused
    text = form["lines"]
    upload = form.files.get("file")
    if upload is not None and (data := await upload.read()):
        text = tracking_file.decoded(data)
    typed = {**{name: form[name] for name in form}, "lines": text}
    try:
        lines, faults = _lines(text)
        settings = await _settings(context)
        terms = _terms(form, settings, today_of(context))
        found = await _shipments(context, lines if text.strip() else None, ids, terms)
    except Invalid as invalid:
        return await _show(context, typed, ids, invalid.errors)
    all_faults = sorted([*faults, *found.faults], key=lambda fault: fault.line)
    kept = {**{name: typed.get(name, "") for name in KEPT}, "orders": " ".join(map(str, ids))}
    return await keep(context, form, Verb.SHIP, found.planned, kept, [asdict(fault) for fault in all_faults])


def _lines(text: str) -> tuple[list[Line], list[Fault]]:
    try:
        return tracking_file.read_lines(text)
    except TooManyLines:
        most = tracking_file.MOST_LINES
        raise Invalid(lines=gettext("At most %(most)s lines at once.", most=number(most))) from None
    except LinesUnreadable:
        raise Invalid(lines=gettext("A quotation mark in these lines is not closed.")) from None


def _terms(form: Form, settings: ShopSettings, today: date) -> Terms:
    carrier = form.text("other_carrier", tracking_file.LONGEST) or form.text("carrier", tracking_file.LONGEST)
    shipped_on = form.day("shipped_on")
    if shipped_on is None:
        raise Invalid(shipped_on=gettext("This field is required."))
    if faults := faults_of_shipping(shipped_on, None, today):
        raise Invalid(**objections_to_days(faults))
    return Terms(
        carrier, shipped_on, form.ticked("notify_customer"), settings, form.ticked("without_tracking")
    )


async def _shipments(
    context: PageContext, lines: Sequence[Line] | None, ids: Sequence[UUID], terms: Terms
) -> Shipments:
    """Return the shipments of these lines; None: nothing was typed, the chosen orders ship without tracking
    numbers.
    """
    async with context.reading() as connection:
        rows = await store.read_orders(connection, context.shop, ids)
        picked = [shipping.goods_of(row) for row in rows]
        if lines is None:
            return _without_lines(picked, terms)
        codes = list(dict.fromkeys(line.code for line in lines))
        named = await store.read_orders_by_code(connection, context.shop, codes)
    goods = {row["code"]: shipping.goods_of(row) for row in named}
    return shipping.ship_lines(lines, goods, picked if ids else None, terms)


def _without_lines(picked: Sequence[Goods], terms: Terms) -> Shipments:
    if not picked:
        raise Invalid(lines=gettext("Paste the tracking numbers, or choose the carrier’s file."))
    if all(terms.carrier is None and one.carrier(terms.settings) is None for one in picked):
        raise Invalid(carrier=gettext("Choose the carrier."))
    return shipping.ship_all(picked, terms)


async def _prefilled(context: PageContext, ids: Sequence[UUID]) -> dict[str, str]:
    """Return the form's initial content: a line for each waiting parcel, its number still to be typed."""
    settings = await _settings(context)
    async with context.reading() as connection:
        goods = [shipping.goods_of(row) for row in await store.read_orders(connection, context.shop, ids)]
    heads = (gettext("Order"), gettext("Parcel"), gettext("Carrier"), gettext("Tracking number"))
    rows = [
        (one.code, str(parcel.number), one.carrier(settings) or "", "")
        for one in goods
        for parcel in one.waiting
    ]
    lines = "\n".join(" ; ".join(row) for row in (heads, *rows)) if rows else ""
    return {**_usual(context, settings), "lines": lines}


def _usual(context: PageContext, settings: ShopSettings) -> dict[str, str]:
    return {
        "shipped_on": datetime.now(context.locale.zone).date().isoformat(),
        "notify_customer": "on" if settings.notifies_customer else "",
    }


async def _settings(context: PageContext) -> ShopSettings:
    async with context.reading() as connection:
        return await settings_of.get(connection, context.app_state.hub.owner, context.shop)


async def _show(
    context: PageContext, typed: Mapping[str, str], ids: Sequence[UUID], errors: Mapping[str, str]
) -> Response:
    settings = await _settings(context)
    return context.render(
        "orders/ship.html",
        422 if errors else 200,
        typed={**dict.fromkeys(KEPT, ""), **(dict(typed) or _usual(context, settings))},
        errors={**dict.fromkeys(("", *KEPT), ""), **errors},
        order_ids=ids,
        carriers=[
            ("", gettext("As chosen by the customer")),
            *((one.name, one.name) for one in settings.carriers),
        ],
        back=back_of(context.form_read) if context.form_read["back"] else "/orders?tab=to_ship",
    )
