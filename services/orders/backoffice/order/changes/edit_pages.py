"""Editing of an order: the form, a preview of the effects on money, stock and parcels, then the command.

Nothing is carried out that was not previewed. The form's fields are passed as hidden fields through the
preview, with the same key: a double click is one edit. Only fulfillment has the current shipments and stock,
so the outcome may differ from the preview, and then the page shows the difference.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.orders.api.actions import change_commands
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.happenings import as_changes
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.changes import editing
from services.orders.backoffice.order.changes.editing_words import NAMES, changed_fields, labels_of
from services.orders.backoffice.order.changes.merging import SEEN, changed_by_others, merged, seen_of
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.sending import changed_once
from services.orders.backoffice.order.steps import may_be_cancelled
from services.orders.backoffice.web.actions.commanding import Outcome, answer, key_of
from services.orders.backoffice.web.actions.staleness import stale
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext
from services.orders.changes import previewing
from services.orders.changes.previewing import Preview
from services.orders.changes.requests import EditRequest
from services.orders.listing.documents import OrderResponse
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal

pages = Pages()
DEED = "deed"


@pages.get("/orders/{order}/edit", Permission.ORDERS_EDIT)
async def show_edit(context: PageContext) -> Response:
    """Show the form with the order's current values."""
    order = (await read_order(context)).shown
    if not may_be_cancelled(order):
        why = gettext("Only a placed order that is not cancelled can be edited.")
        return context.redirect(f"/orders/{order.code}", why, "note")
    return _show(
        context,
        order,
        Form([*editing.fields_of(order), (SEEN, seen_of(order)), ("new-rows", "1")]),
        {},
        order.revision,
    )


@pages.post("/orders/{order}/edit", Permission.ORDERS_EDIT, action="order.edit")
async def edit(context: PageContext) -> Response:
    """Act by `deed`: preview the edit, save it, or continue editing (`add`: with one more new line)."""
    form, order = await context.form(), await read_order(context)
    context.about(order.id)
    context.field_labels = labels_of(order.shown, form)
    if form[DEED] not in ("preview", "save"):
        context.outcome = "previewed"
        return _show(context, order.shown, form, {}, form.revision)
    try:
        asked = editing.edit_asked(order.shown.currency, form)
    except Invalid as invalid:
        return _show(context, order.shown, form, invalid.errors, form.revision)
    return await (_preview if form[DEED] == "preview" else _save)(context, order, form, asked)


async def _preview(context: PageContext, order: OrderRead, form: Form, asked: EditRequest) -> Response:
    shown = order.shown
    try:
        preview = await previewing.preview_edit(context.app_state.hub, context.shop, order.id, asked)
    except Stale as error:
        return await _look_again(context, form, error)
    except Refusal as refusal:
        return _show(context, shown, form, {"": explain_refusal(refusal)}, form.revision)
    changes = changed_fields(shown, form)
    if preview.reasons or not changes:
        errors = editing.by_place(preview.reasons, form) or {"": gettext("Nothing is different yet.")}
        return _show(context, shown, form, errors, form.revision)
    context.outcome = "previewed"
    return context.render(
        "order/edit_preview.html",
        order=shown,
        preview=preview,
        changes=changes,
        names=_names(shown, preview, form),
        fields=[(name, value) for name, value in form.typed() if name != DEED],
    )


async def _save(context: PageContext, order: OrderRead, form: Form, asked: EditRequest) -> Response:
    shown = order.shown

    async def again(errors: Mapping[str, str]) -> Response:
        return _show(context, (await read_order(context)).shown, form, errors, form.revision)

    try:
        asking = change_commands.edit(context.shop, order.id, key_of(form), context.actor, asked)
    except Invalid as invalid:
        return await again(invalid.errors)
    try:
        outcome = await changed_once(context, order.id, asking)
    except Stale as error:
        return await _look_again(context, form, error)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    flash = _told(outcome)
    return await answer(context, outcome, form, to=f"/orders/{shown.code}", flash=flash, again=again)


async def _look_again(context: PageContext, form: Form, error: Stale) -> Response:
    """Show the page of a stale form: what others changed and what was typed here, with the way to the
    preview.
    """
    order = await read_order(context)
    whole = merged(order.shown, form)
    kept = [(name, value) for name, value in whole.fields if name != DEED]
    return stale(
        context,
        Form([*kept, (DEED, "preview")]),
        revision=order.shown.revision,
        changes=as_changes(list(error.since), order.labels),
        back=f"/orders/{order.shown.code}",
        theirs=changed_by_others(order.shown, form),
        mine=changed_fields(order.shown, whole),
    )


def _show(
    context: PageContext, order: OrderResponse, form: Form, errors: Mapping[str, str], revision: int | None
) -> Response:
    rows = editing.new_rows(form) + (form[DEED] == "add")
    return context.render(
        "order/edit.html",
        422 if errors else 200,
        order=order,
        typed=form,
        errors=errors,
        revision=revision,
        seen=form[SEEN],
        key=form.key,
        new_rows=min(rows, editing.MOST_NEW),
        extra_rows=editing.extra_rows(form),
        kinds=[(kind, gettext(text)) for kind, text in editing.NEW_KINDS.items()],
        names={name: gettext(text) for name, text in NAMES.items()},
        address=editing.ADDRESS,
        customer=editing.CUSTOMER,
    )


def _names(order: OrderResponse, preview: Preview, form: Form) -> dict[int, str]:
    """Return lines by number; lines to be added have the names that were typed."""
    names = {line.line: line.description for line in order.lines}
    new = [form[f"new-description-{row}"].strip() for row in range(editing.new_rows(form))]
    numbers = sorted(line for line in preview.add if line not in names)
    return names | dict(zip(numbers, [text for text in new if text], strict=False))


def _told(outcome: Outcome) -> str:
    """Return the outcome of the edit in words, with what fulfillment could not do."""
    left, missing = (_units(outcome.body.get(name)) for name in ("not_stopped", "missing"))
    told = [gettext("The order is edited.")]
    if left:
        told.append(gettext("%(units)s of what was taken off had left and stay ordered.", units=left))
    if missing:
        told.append(
            gettext("%(units)s of what was added are not in stock and were not added.", units=missing)
        )
    return " ".join(told)


def _units(found: Any) -> int:
    return sum(int(one["quantity"]) for one in found or [])
