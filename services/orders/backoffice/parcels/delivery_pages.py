"""Many deliveries noted at once: one day and one way of knowing for all the chosen shipments, a command for each.

Each shipment's command is under the form's key and its own id, so a form sent twice asks once. What is refused stands
on the page with its reason; the others are noted all the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment import RecordDelivery
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext, ngettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.asking import delivery_asked
from services.orders.backoffice.parcels import store
from services.orders.backoffice.web.actions.commanding import Outcome, by_field, send
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Visit
from services.orders.order.requests import DeliveryAsked

pages = Pages()
MOST = 200
"""Shipments of one form; a list shows fewer on a page."""
BACK = "/parcels/on-the-way"
Row = Mapping[str, Any]


@pages.get("/parcels/deliveries", Permission.PARCELS_SHIP)
async def show_form(visit: Visit) -> Response:
    """The chosen shipments, and when and how it is known that they arrived."""
    rows = await _chosen(visit, visit.query.getlist("shipment"))
    if not rows:
        return visit.redirect(BACK, gettext("No shipment is selected."), "note")
    return _show(visit, rows, Form(), {}, {})


@pages.post("/parcels/deliveries", Permission.PARCELS_SHIP, action="delivery.record_many")
async def deliver(visit: Visit) -> Response:
    """Note the delivery of every chosen shipment."""
    form = await visit.form()
    rows = await _chosen(visit, form.all("shipment"))
    if not rows:
        return visit.redirect(BACK, gettext("No shipment is selected."), "note")
    visit.field_labels = words.FIELD_LABELS
    try:
        asked = delivery_asked(form, visit.speech.zone)
        outcomes = await asyncio.gather(*(_note(visit, form, row, asked) for row in rows))
    except Invalid as invalid:
        return _show(visit, rows, form, invalid.errors, {})
    return _answer(visit, form, rows, outcomes)


async def _note(visit: Visit, form: Form, row: Row, asked: DeliveryAsked) -> Outcome:
    def made(_: UUID) -> RecordDelivery:
        about = {"shop": visit.shop, "order_id": row["order_id"], "shipment_id": row["shipment_id"]}
        return RecordDelivery(**about, actor=visit.actor, **dict(asked))

    return await send(visit, row["order_id"], form, made, f"-{row['shipment_id']}")


def _answer(visit: Visit, form: Form, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> Response:
    refused = {
        row["shipment_id"]: " ".join(by_field(outcome.reasons).values())
        for row, outcome in zip(rows, outcomes, strict=True)
        if outcome.state == "rejected"
    }
    if not refused:
        text = ngettext("%(count)s delivery is noted.", "%(count)s deliveries are noted.", len(rows))
        return visit.redirect(BACK, text)
    done, told = len(rows) - len(refused), [gettext("These were refused.")]
    if done:
        told.insert(0, ngettext("%(count)s delivery is noted.", "%(count)s deliveries are noted.", done))
    again = [row for row in rows if row["shipment_id"] in refused]
    return _show(visit, again, form, {"": " ".join(told)}, refused)


def _show(
    visit: Visit,
    rows: Sequence[Row],
    form: Form,
    errors: Mapping[str, str],
    refused: Mapping[UUID, str],
) -> Response:
    return visit.render(
        "parcels/deliveries.html",
        422 if errors else 200,
        rows=rows,
        refused=refused,
        typed=lambda name, otherwise="": form[name] or otherwise,
        errors=errors,
        wrong={**dict.fromkeys(("delivered_on", "proof", "proof_reference"), ""), **errors},
        today=visit.speech.now.astimezone(visit.speech.zone).date().isoformat(),
        words=words,
        back=BACK,
    )


async def _chosen(visit: Visit, named: Sequence[str]) -> Sequence[Row]:
    ids = []
    for text in named[:MOST]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    if not ids:
        return []
    async with visit.reading() as connection:
        return await store.read_named_shipments(connection, visit.shop, list(dict.fromkeys(ids)))
