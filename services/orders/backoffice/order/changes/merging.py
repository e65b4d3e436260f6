"""An edit form whose order somebody else changed meanwhile: both changes kept, and told apart. Pure.

The form carries what it showed (`SEEN`). Invariant: a field that the person left as it was takes the value that the
order has now, so that sending the form again never undoes what a colleague saved unseen; a field that the person
typed into keeps what was typed.
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
    """The order's fields as the hidden field holds them."""
    return json.dumps(dict(fields_of(order)), ensure_ascii=False)


def merged(order: OrderResponse, form: Form) -> Form:
    """The form on the order as it is now."""
    seen, now = _seen(form, order), dict(fields_of(order))
    taken = {name: value for name, value in now.items() if not _is_typed(name, form, seen)}
    kept = [
        (name, value)
        for name, value in form.fields
        if name not in (SEEN, *taken) and (name in now or _is_typed(name, form, seen) or name not in seen)
    ]
    return Form([*kept, *taken.items(), (SEEN, seen_of(order))])


def changed_by_others(order: OrderResponse, form: Form) -> list[FieldChanged]:
    """What the order has now otherwise than when the form was made."""
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
    """What the form showed; the order as it is for a form that does not say."""
    try:
        found = json.loads(form[SEEN])
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return dict(fields_of(order))
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _is_typed(name: str, form: Form, seen: Mapping[str, str]) -> bool:
    """Whether a field of the form holds something else than it showed."""
    return name in form and differs(seen.get(name, ""), form[name])
