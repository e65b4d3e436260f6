"""Filters of the orders list from its address, and back.

Invariant: the address is the view. What the filter form adds to it (empty fields, amounts as typed) is parsed
and the browser redirected to the one address of these filters, so that links, saved views and exports have
the same text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from contracts.money import EXPONENTS
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.forms.objections import objections
from services.orders.backoffice.language.translating import gettext
from services.orders.listing.filters import Filters
from services.orders.listing.words import Tab

CURSORS = ("after", "before")
TYPED_AMOUNTS = {"least": "amount_min", "most": "amount_max"}
"""Form fields with typed amounts, and their filters."""
DAYS = ("from", "to")
"""Filters that are days; an address may have them in the formats that people type."""
FIRST = Tab.TO_PROCESS
"""The default list: the primary queue."""


@dataclass(frozen=True)
class ListRequest:
    """The view an address requests. `errors` by field when it is invalid: then `filters` are only those of
    the tab.

    `typed` is the content of the filter form; `is_rough`: there is a shorter address for the same view.
    """

    filters: Filters
    typed: Form
    after: str | None = None
    before: str | None = None
    is_rough: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def read(pairs: Sequence[tuple[str, str]], currency: str) -> ListRequest:
    """Return the requested view; `currency` is that of amounts without one."""
    form = Form([(name, value[:1000]) for name, value in pairs[:500]])
    kept = [(name, value.strip()) for name, value in form.fields if value.strip()]
    cursors = {name: form[name] or None for name in CURSORS}
    wanted = [pair for pair in kept if pair[0] not in (*CURSORS, *TYPED_AMOUNTS)]
    has_typed_days = any("/" in value for name, value in wanted if name in DAYS)
    is_rough = has_typed_days or len(wanted) + sum(name in CURSORS for name, _ in kept) < len(form.fields)
    try:
        filters = _filters(form, wanted, currency)
    except Invalid as invalid:
        return ListRequest(Filters(tab=_tab(form)), form, errors=invalid.errors)
    return ListRequest(filters, form, cursors["after"], cursors["before"], is_rough)


def _filters(form: Form, wanted: list[tuple[str, str]], currency: str) -> Filters:
    unit = form["currency"] or currency
    for name, target in TYPED_AMOUNTS.items():
        amount = form.amount_minor(name, unit)
        if amount is not None:
            wanted = [*wanted, (target, str(amount))]
    wanted = [(name, _day(form, name, value) if name in DAYS else value) for name, value in wanted]
    names = {name for name, _ in wanted}
    if names & set(TYPED_AMOUNTS.values()):
        wanted = wanted if "currency" in names else [*wanted, ("currency", unit)]
    if not wanted:
        return Filters(tab=FIRST)
    try:
        return Filters.from_url(wanted)
    except ValidationError as error:
        raise Invalid(**_errors_by_field(error)) from None


def _day(form: Form, name: str, value: str) -> str:
    """Return a day typed as 31/10/2026 in the address's format. Raises Invalid."""
    day = form.day(name) if "/" in value else None
    return day.isoformat() if day else value


def _errors_by_field(error: ValidationError) -> dict[str, str]:
    """Return the errors by the form's fields; those without a field are shown above the form."""
    errors = {name: text for name, text in objections(error).items() if name in FORM_FIELDS}
    for fault in error.errors(include_url=False, include_input=False):
        if not fault["loc"]:
            errors[""] = gettext("The start of the range is after its end.")
        elif str(fault["loc"][0]) not in FORM_FIELDS:
            errors[""] = gettext("Invalid filter: %(name)s.", name=str(fault["loc"][0]))
    return errors


FORM_FIELDS = frozenset({"from", "to", "least", "most", "currency", "q"})
"""Form fields that can show an error."""


def _tab(form: Form) -> Tab:
    return Tab(form["tab"]) if form["tab"] in set(Tab) else FIRST


def href(filters: Filters, **changes: Any) -> str:
    """Return the address of these filters with some changed (None removes one)."""
    query = filters.url(**changes)
    return f"/orders?{query or f'tab={Tab.EVERYTHING}'}"


def page_href(filters: Filters, name: str, cursor: object) -> str:
    """Return the address of the page `after` or `before` a cursor."""
    return f"{href(filters)}&{name}={cursor}"


def typed_amount(amount_minor: int | None, currency: str | None) -> str:
    """Return a limit as shown in its field: 1234.50."""
    if amount_minor is None:
        return ""
    return f"{Decimal(amount_minor).scaleb(-EXPONENTS.get(currency or 'EUR', 2)):f}"
