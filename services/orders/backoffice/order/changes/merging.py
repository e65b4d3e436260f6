"""Merging of an edit form whose order was changed meanwhile: both changes are kept and shown separately.
Pure.

The form carries the values it showed (`SEEN`). Invariant: a field that the user did not change takes the
order's current value, so that sending the form again never silently reverts a colleague's change; a field that the
user changed keeps the typed value.
"""

import json
from collections.abc import Iterator, Mapping

from services.orders.backoffice.forms.fields import FieldChanged, Form
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.changes.editing import fields_of
from services.orders.backoffice.order.changes.editing_words import (
    differs,
    labels_of,
    shown_value,
)
from services.orders.listing.documents import OrderResponse

SEEN = "seen"
"""The hidden field that holds the order's fields as the form first showed them."""


def seen_of(order: OrderResponse) -> str:
    """Return the order's fields as stored in the hidden field."""
    return json.dumps(dict(fields_of(order)), ensure_ascii=False)


def merged(order: OrderResponse, form: Form) -> Form:
    """Return the form merged with the order's current values."""
    seen, now = _seen(form, order), dict(fields_of(order))
    taken = {name: value for name, value in now.items() if not _is_typed(name, form, seen)}
    kept = [
        (name, value)
        for name, value in form.fields
        if name not in (SEEN, *taken) and (name in now or _is_typed(name, form, seen) or name not in seen)
    ]
    return Form([*kept, *taken.items(), (SEEN, seen_of(order))])


def changed_by_others(order: OrderResponse, form: Form) -> list[FieldChanged]:
    """Return the order's values that changed since the form was made."""
    return list(_changed(order, form))


def _changed(order: OrderResponse, form: Form) -> Iterator[FieldChanged]:
    seen, now = _seen(form, order), dict(fields_of(order))
    labels = labels_of(order, form)
    for name in [*now, *(name for name in seen if name not in now)]:
        before, after = seen.get(name, ""), now.get(name, "")
        if differs(before, after):
            label = labels.get(name) or gettext("Other line")
            yield FieldChanged(label, shown_value(name, before), shown_value(name, after))


def _seen(form: Form, order: OrderResponse) -> Mapping[str, str]:
    """Return the values the form showed; the order's current ones for a form without them."""
    try:
        found = json.loads(form[SEEN])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return dict(fields_of(order))
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _is_typed(name: str, form: Form, seen: Mapping[str, str]) -> bool:
    """Return whether a field of the form differs from the value it showed."""
    return name in form and differs(seen.get(name, ""), form[name])
