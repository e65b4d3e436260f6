"""Effect of an edit on an order's content, the questions to fulfillment, and the change of the amount due.
Pure.

Units that were cancelled stay on their line, because they were credited separately: a line never falls below
them. Units that had left or have no stock are restored before an edit takes effect, so the order shows what
is really sold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.message import Reason
from contracts.sale import Address, ExtraLine, Shipping
from services.chassis.addresses import may_be_mailed
from services.orders.changes.repricing import carried_over, repriced
from services.orders.changes.requests import EditRequest, LineEdited
from services.orders.order.totals.content import (
    Content,
    ContentLine,
    Units,
    charges,
    counted,
    with_taxes_stated,
    worth,
)
from services.orders.order.validation.sale import reasons_against
from services.orders.order.validation.totals import faults_of_stated_tax

ALLOWED_IN_EDITS = frozenset({"zero_total_needs_free", "free_above_zero", "line_total_wrong"})
"""Faults of a submission that an edited order may have: its total can become zero after it was paid, a free
one can become payable, by any manual method, and the total of some units of a line is a portion of the
line's, regardless of its rounded unit price.
"""
_PRICING = ("unit_price_minor", "discount_minor", "vat_rate")
_NEEDED = ("kind", "description", "quantity", "unit_price_minor")
_OPTIONAL = (
    "sku",
    "discount_minor",
    "vat_rate",
    "tax_minor",
    "taxes",
    "resource",
    "starts_at",
    "ends_at",
    "options",
)
_OF_LINE = (
    "description",
    "unit_price_minor",
    "discount_minor",
    "vat_rate",
    "starts_at",
    "ends_at",
    "options",
)


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions of an edit to fulfillment: units to stop and units to add, by line."""

    off: dict[int, int]
    on: dict[int, int]


def edited(content: Content, request: EditRequest, withdrawn: Units) -> Content:
    """Return the content that an edit without faults (see `faults_of`) requests.

    `withdrawn`: units cancelled, by line.
    """
    wanted = _applied(content, request, withdrawn)
    if charges(wanted) == charges(content):
        return wanted.model_copy(update={"totals": content.totals})
    return counted(_applied(with_taxes_stated(content), request, withdrawn))


def _applied(content: Content, request: EditRequest, withdrawn: Units) -> Content:
    includes_tax = content.prices_include_tax
    lines = {line.line: line for line in content.lines}
    number = max(lines, default=0)
    for change in request.lines:
        if change.line is None:
            number += 1
            lines[number] = _new_line(change, number)
        else:
            lines[change.line] = _changed_line(
                lines[change.line], change, withdrawn.get(change.line, 0), includes_tax
            )
    named = request.model_fields_set
    update: dict[str, object] = {"lines": [lines[n] for n in sorted(lines)]}
    for name in ("billing_address", "shipping_address"):
        if name in named:
            given = getattr(request, name)
            update[name] = Address(**dict(given)) if given is not None else None
    if "shipping" in named:
        update["shipping"] = request.shipping and carried_over(
            content.shipping, Shipping(**dict(request.shipping)), includes_tax=includes_tax
        )
    if "note" in named:
        update["note"] = request.note
    if request.extra_lines is not None:
        extras = [ExtraLine(**dict(extra)) for extra in request.extra_lines]
        update["extra_lines"] = _extras_carried_over(content, extras)
    if request.customer is not None:
        update["customer"] = request.customer.applied_to(content.customer)
    return content.model_copy(update=update)


def _extras_carried_over(content: Content, request: list[ExtraLine]) -> list[ExtraLine]:
    """Return the requested extra lines, each with the tax of the existing one with the same label."""
    existing, found = list(content.extra_lines), []
    for extra in request:
        same = [one for one in existing if one.label == extra.label]
        own = next((one for one in same if one.amount_minor == extra.amount_minor), same[0] if same else None)
        if own is not None:
            existing.remove(own)
        found.append(carried_over(own, extra, includes_tax=content.prices_include_tax))
    return found


def faults_of(content: Content, request: EditRequest) -> list[Reason]:
    """Return the faults of the edit itself: lines that do not exist, that sell a different item, or that are
    incomplete.
    """
    named = [change.line for change in request.lines if change.line is not None]
    faults = [
        fault
        for index, change in enumerate(request.lines)
        for fault in _faults_of_line(content, change, index)
    ]
    for line in sorted({line for line in named if named.count(line) > 1}):
        message = f"Line {line} is named {named.count(line)} times; name it once with all that changes."
        faults.append(Reason(code="line_repeated", message=message, field="lines"))
    return faults


def faults_of_content(before: Content, wanted: Content, request: EditRequest, now: datetime) -> list[Reason]:
    """Return the faults of the wanted content, by the rules for submissions, and those of a new mail address."""
    sale = wanted.as_sale().model_copy(update={"submitted_at": now})
    faults = [reason for reason in reasons_against(sale, now) if not _is_of_rounding(reason)]
    faults += [reason for reason in _faults_of_taxes(before, wanted, request) if reason not in faults]
    return _faults_of_address(before.customer.email, wanted.customer.email) + faults


def _faults_of_taxes(before: Content, wanted: Content, request: EditRequest) -> Iterator[Reason]:
    """Return the faults of the taxes stated in the edit: they are facts, by the rules for submissions."""
    number = max((line.line for line in before.lines), default=0)
    for index, change in enumerate(request.lines):
        number += change.line is None
        line = wanted.line(change.line or number)
        amount = line.total_minor if line else 0
        yield from faults_of_stated_tax(f"lines[{index}]", change, amount, wanted.currency)
    if (shipping := request.shipping) is not None:
        yield from faults_of_stated_tax("shipping", shipping, shipping.amount_minor, wanted.currency)
    for index, extra in enumerate(request.extra_lines or ()):
        yield from faults_of_stated_tax(f"extra_lines[{index}]", extra, extra.amount_minor, wanted.currency)


def _faults_of_address(before: str | None, email: str | None) -> list[Reason]:
    if email in (None, before) or may_be_mailed(email or ""):
        return []
    message = f"No mail can be sent to {email!r}; send an address like name@example.com, or none."
    return [Reason(code="email_invalid", message=message, field="customer.email")]


def _is_of_rounding(reason: Reason) -> bool:
    """Return whether the fault is only due to rounding: some units of a line have a portion of its total and
    tax.
    """
    if reason.code == "tax_above_amount":
        return (reason.field or "").startswith("lines[")
    return reason.code in ALLOWED_IN_EDITS


def questions_of(content: Content, wanted: Content) -> Questions:
    """Return the units by which each line's quantity falls or rises."""
    before = {line.line: line.quantity for line in content.lines}
    changes = {line.line: line.quantity - before.get(line.line, 0) for line in wanted.lines}
    return Questions(
        off={line: -change for line, change in changes.items() if change < 0},
        on={line: change for line, change in changes.items() if change > 0},
    )


def settled(content: Content, wanted: Content, not_stopped: Units, missing: Units, stopped: Units) -> Content:
    """Return the content that takes effect: units that had left stay ordered, units without stock are not
    added.
    """
    before = {line.line: line for line in with_taxes_stated(content).lines}
    lines = []
    for line in wanted.lines:
        number = line.line
        quantity = line.quantity + not_stopped.get(number, 0) - missing.get(number, 0)
        if quantity == 0 and number not in before:
            continue
        if quantity != line.quantity:
            base = before.get(number, line)
            terms = line if line.quantity else base
            line = _fitting(repriced(base, terms, quantity, includes_tax=content.prices_include_tax))
        lines.append(line.model_copy(update={"reduced": line.reduced + stopped.get(number, 0)}))
    after = wanted.model_copy(update={"lines": lines})
    if charges(after) == charges(content):
        return after.model_copy(update={"totals": content.totals})
    return counted(after)


def due_change(content: Content, after: Content, withdrawn: Units) -> int:
    """Return the change of the amount due, in minor units: the difference in worth of the units still wanted."""
    return worth(after, remaining(after, withdrawn)) - worth(content, remaining(content, withdrawn))


def remaining(content: Content, withdrawn: Units) -> dict[int, int]:
    """Return the units of each line that are still wanted."""
    return {line.line: max(0, line.quantity - withdrawn.get(line.line, 0)) for line in content.lines}


def withdrawn_of(content: Content, cancelled: Mapping[int, int], stopped: Units) -> dict[int, int]:
    """Return the units cancelled other than by edits: fulfillment's count, less the units removed by edits
    (`stopped`: just now).
    """
    return {
        line.line: max(0, cancelled.get(line.line, 0) - line.reduced - stopped.get(line.line, 0))
        for line in content.lines
    }


def _new_line(change: LineEdited, number: int) -> ContentLine:
    given = {name: getattr(change, name) for name in _NEEDED}
    more = {name: value for name in _OPTIONAL if (value := getattr(change, name)) is not None}
    line = ContentLine(line=number, total_minor=0, **given, **more)
    gross = line.quantity * line.unit_price_minor
    return line.model_copy(update={"total_minor": gross - line.discount_minor})


def _changed_line(line: ContentLine, change: LineEdited, withdrawn: int, includes_tax: bool) -> ContentLine:
    named = change.model_fields_set
    update = {
        name: getattr(change, name)
        for name in _OF_LINE
        if name in named and getattr(change, name) is not None
    }
    quantity = line.quantity if change.quantity is None else max(change.quantity, withdrawn)
    terms = line.model_copy(update=update)
    if quantity != line.quantity or any(getattr(terms, name) != getattr(line, name) for name in _PRICING):
        terms = repriced(line, terms, quantity, includes_tax=includes_tax)
    if change.tax_minor is None and change.taxes is None:
        return terms
    return terms.model_copy(update={"tax_minor": change.tax_minor, "taxes": change.taxes})


def _fitting(line: ContentLine) -> ContentLine:
    """Limit a discount to the price of the line's units."""
    if line.total_minor >= 0:
        return line
    update = {"discount_minor": line.discount_minor + line.total_minor, "total_minor": 0}
    return line.model_copy(
        update=update | ({} if line.tax_minor is None else {"tax_minor": 0, "taxes": None})
    )


def _faults_of_line(content: Content, change: LineEdited, index: int) -> Iterator[Reason]:
    if change.line is None:
        for name in _NEEDED:
            if getattr(change, name) in (None, 0) and not (
                name == "unit_price_minor" and change.unit_price_minor == 0
            ):
                message = f"A new line has no {name}; send it, or the number of the line that changes."
                yield Reason(code="line_incomplete", message=message, field=f"lines[{index}].{name}")
        return
    line = content.line(change.line)
    if line is None:
        numbers = ", ".join(str(line.line) for line in content.present()[:20])
        message = (
            f"The order has no line {change.line}, it has {numbers}; name one of them, or none for a new one."
        )
        yield Reason(code="line_unknown", message=message, field=f"lines[{index}].line")
        return
    for name in ("kind", "sku", "resource"):
        given, known = getattr(change, name), getattr(line, name)
        if given is not None and given != known:
            message = (
                f"Line {change.line} has the {name} {known}, not {given}; remove it and add another line."
            )
            yield Reason(code="article_fixed", message=message, field=f"lines[{index}].{name}")
