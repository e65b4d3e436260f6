"""Bulk recording of deliveries: one day and one kind of evidence for the chosen shipments.

The key of each shipment's command is made of the form's key and the shipment's id, so a repeated form sends each
once. Rejected ones are shown with their reasons; the others are recorded all the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment.shipments import RecordDelivery
from contracts.fulfillment.shipping_days import faults_of_delivery
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import by_field
from services.orders.backoffice.language.translating import gettext, ngettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.days import fault_text, objections_to_days, today_of
from services.orders.backoffice.order.form_requests import delivery_request
from services.orders.backoffice.parcels import store
from services.orders.backoffice.web.actions.action import Errors, Outcome, command, perform
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.requests import DeliveryRequest

pages = Pages()
MOST = 200
"""Maximum shipments of one form; a page of the list shows fewer."""
BACK = "/parcels/on-the-way"
Row = Mapping[str, Any]


def _show(
    context: PageContext,
    rows: Sequence[Row],
    form: Form,
    errors: Mapping[str, str],
    refused: Mapping[UUID, str],
) -> Response:
    return context.render(
        "parcels/deliveries.html",
        422 if errors else 200,
        rows=rows,
        refused=refused,
        typed=lambda name, otherwise="": form[name] or otherwise,
        errors=errors,
        wrong={**dict.fromkeys(("delivered_on", "proof", "proof_reference"), ""), **errors},
        today=today_of(context).isoformat(),
        words=words,
        back=BACK,
    )


async def _show_again(context: PageContext, errors: Errors) -> Response:
    form = context.form_read
    return _show(context, await _chosen(context, form.all("shipment")), form, errors, {})


@pages.get("/parcels/deliveries", Permission.PARCELS_SHIP)
async def show_form(context: PageContext) -> Response:
    """Show the chosen shipments, with the time and evidence of delivery to be entered."""
    rows = await _chosen(context, context.query.getlist("shipment"))
    if not rows:
        return context.redirect(BACK, gettext("No shipments are selected."), "note")
    return _show(context, rows, Form(), {}, {})


@pages.post("/parcels/deliveries", Permission.PARCELS_SHIP, action="delivery.record_many", again=_show_again)
async def deliver(context: PageContext) -> Response:
    """Record the delivery of every chosen shipment."""
    form = context.form_read
    rows = await _chosen(context, form.all("shipment"))
    if not rows:
        return context.redirect(BACK, gettext("No shipments are selected."), "note")
    context.field_labels = words.FIELD_LABELS
    request = delivery_request(form, context.locale.zone)
    early = await _left_later(context, form, rows)
    noted = [row for row in rows if row["shipment_id"] not in early]
    outcomes = await asyncio.gather(*(_record(context, row, request) for row in noted))
    return _answer(context, form, rows, {**early, **_refused(noted, outcomes)})


async def _left_later(context: PageContext, form: Form, rows: Sequence[Row]) -> dict[UUID, str]:
    """Return the shipments that left after the typed day, each with the error.

    Raises Invalid for a day in the future, which is possible for no shipment.
    """
    day, today = form.day("delivered_on"), today_of(context)
    if day is None:
        return {}
    if day > today:
        raise Invalid(**objections_to_days(faults_of_delivery(day, day, today)))
    early = {row["shipment_id"]: faults_of_delivery(day, row["shipped_on"], today) for row in rows}
    found = {shipment_id: fault_text(faults[0]) for shipment_id, faults in early.items() if faults}
    arrived = {row["shipment_id"] for row in rows if row["has_arrived"]}
    return {shipment_id: why for shipment_id, why in found.items() if shipment_id not in arrived}


async def _record(context: PageContext, row: Row, request: DeliveryRequest) -> Outcome:
    def message(_: UUID) -> RecordDelivery:
        about = {"shop": context.shop, "order_id": row["order_id"], "shipment_id": row["shipment_id"]}
        return RecordDelivery(**about, actor=context.actor, **dict(request))

    return await perform(context, command(context, row["order_id"], message, f"-{row['shipment_id']}"))


def _refused(rows: Sequence[Row], outcomes: Sequence[Outcome]) -> dict[UUID, str]:
    return {
        row["shipment_id"]: " ".join(by_field(outcome.reasons).values())
        for row, outcome in zip(rows, outcomes, strict=True)
        if outcome.state == "rejected"
    }


def _answer(context: PageContext, form: Form, rows: Sequence[Row], refused: Mapping[UUID, str]) -> Response:
    if not refused:
        text = ngettext("%(count)s delivery recorded.", "%(count)s deliveries recorded.", len(rows))
        return context.redirect(BACK, text)
    done, above = len(rows) - len(refused), [gettext("These were refused.")]
    if done:
        above.insert(0, ngettext("%(count)s delivery recorded.", "%(count)s deliveries recorded.", done))
    again = [row for row in rows if row["shipment_id"] in refused]
    return _show(context, again, form, {"": " ".join(above)}, refused)


async def _chosen(context: PageContext, named: Sequence[str]) -> Sequence[Row]:
    ids = []
    for text in named[:MOST]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    if not ids:
        return []
    async with context.reading() as connection:
        return await store.read_named_shipments(connection, context.shop, list(dict.fromkeys(ids)))
