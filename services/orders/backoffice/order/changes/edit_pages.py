"""Editing of an order: the form, a preview of the effects on money, stock and parcels, then the command.

Only previewed edits are carried out. The form's fields are passed as hidden fields through the
preview, with the same key: a double click is one edit. Only fulfillment has the current shipments and stock,
so the outcome may differ from the preview, and then the page shows the difference.
"""

from typing import Any

from starlette.responses import Response

from services.orders.api.actions import change_actions
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.activity_texts import as_changes
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.changes import editing
from services.orders.backoffice.order.changes.editing_words import NAMES, changed_fields, labels_of
from services.orders.backoffice.order.changes.merging import SEEN, changed_by_others, merged, seen_of
from services.orders.backoffice.order.facts import FormFacts, read_facts
from services.orders.backoffice.order.reading import read_document, read_order
from services.orders.backoffice.order.steps import may_be_cancelled
from services.orders.backoffice.web.actions.action import Errors, Outcome, carry_out, key_of
from services.orders.backoffice.web.actions.staleness import stale
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.changes import previewing
from services.orders.changes.previewing import Preview
from services.orders.changes.requests import EditRequest
from services.orders.listing.documents import OrderResponse
from services.orders.order.history import Stale

pages = Pages()
ACTION_FIELD = "deed"


def _show(
    context: PageContext, order: OrderResponse, form: Form, errors: Errors, revision: int | None
) -> Response:
    rows = editing.new_rows(form) + (form[ACTION_FIELD] == "add")
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


async def _show_again(context: PageContext, errors: Errors) -> Response:
    form = context.form_read
    order = await read_document(context, (await read_facts(context)).id)
    context.field_labels = labels_of(order, form)
    return _show(context, order, form, errors, form.revision)


@pages.get("/orders/{order}/edit", Permission.ORDERS_EDIT)
async def show_edit(context: PageContext) -> Response:
    """Show the form with the order's current values."""
    order = await read_document(context, (await read_facts(context)).id)
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


@pages.post("/orders/{order}/edit", Permission.ORDERS_EDIT, action="order.edit", again=_show_again)
async def edit(context: PageContext) -> Response:
    """Act by `deed`: preview the edit, save it, or continue editing (`add`: with one more new line)."""
    form, order = context.form_read, await read_facts(context)
    if form[ACTION_FIELD] not in ("preview", "save"):
        context.outcome = "previewed"
        return _show(context, await read_document(context, order.id), form, {}, form.revision)
    request = editing.edit_request(order.facts.currency, form)
    try:
        return await (_preview if form[ACTION_FIELD] == "preview" else _save)(context, order, form, request)
    except Stale as error:
        return await _show_stale(context, form, error)


async def _preview(context: PageContext, order: FormFacts, form: Form, request: EditRequest) -> Response:
    shown = await read_document(context, order.id)
    preview = await previewing.preview_edit(context.app_state.hub, context.shop, order.id, request)
    changes = changed_fields(shown, form)
    if preview.reasons or not changes:
        errors = editing.by_place(preview.reasons, form) or {"": gettext("No changes yet.")}
        raise Invalid(**errors)
    context.outcome = "previewed"
    return context.render(
        "order/edit_preview.html",
        order=shown,
        preview=preview,
        changes=changes,
        names=_names(shown, preview, form),
        fields=[(name, value) for name, value in form.typed() if name != ACTION_FIELD],
    )


async def _save(context: PageContext, order: FormFacts, form: Form, request: EditRequest) -> Response:
    action = change_actions.edit(context.shop, order.id, key_of(form), context.actor, request)
    return await carry_out(context, action, to=f"/orders/{order.code}", flash=_outcome_text)


async def _show_stale(context: PageContext, form: Form, error: Stale) -> Response:
    """Show the page of a stale form: the changes by others and those typed here, with the button for the preview."""
    order = await read_order(context)
    whole = merged(order.shown, form)
    kept = [(name, value) for name, value in whole.fields if name != ACTION_FIELD]
    return stale(
        context,
        Form([*kept, (ACTION_FIELD, "preview")]),
        revision=order.shown.revision,
        changes=as_changes(list(error.since), order.labels),
        back=f"/orders/{order.shown.code}",
        theirs=changed_by_others(order.shown, form),
        mine=changed_fields(order.shown, whole),
    )


def _names(order: OrderResponse, preview: Preview, form: Form) -> dict[int, str]:
    """Return the names of lines by number; for new lines, the typed names."""
    names = {line.line: line.description for line in order.lines}
    new = [form[f"new-description-{row}"].strip() for row in range(editing.new_rows(form))]
    numbers = sorted(line for line in preview.add if line not in names)
    return names | dict(zip(numbers, [text for text in new if text], strict=False))


def _outcome_text(outcome: Outcome) -> str:
    """Return the text for the outcome of the edit, with the units that fulfillment could not remove or add."""
    left, missing = (_units(outcome.body.get(name)) for name in ("not_stopped", "missing"))
    told = [gettext("Order edited.")]
    if left:
        told.append(
            gettext("Removed units that were already shipped and stay ordered: %(units)s.", units=left)
        )
    if missing:
        told.append(gettext("Added units that are not in stock and were left out: %(units)s.", units=missing))
    return " ".join(told)


def _units(found: Any) -> int:
    return sum(int(one["quantity"]) for one in found or [])
