"""What an edit makes of an order's content, what fulfillment must be asked for it, and how what is due changes. Pure.

Units that were cancelled stay on their line, for they were credited on their own: a line never goes below them. What
had left and what has no stock are put back before an edit takes effect, so the order says what is really sold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.message import Reason
from contracts.storefront import Address, ExtraLine, Shipping
from services.orders.content import Content, ContentLine, Units, rounds_per_line, totals_of, worth
from services.orders.requesting_edits import EditAsked, LineEdited
from services.orders.validating import reasons_against

ALLOWED_IN_EDITS = frozenset({"zero_total_needs_free"})
"""Faults of a submission that an edited order may have: it can come to nothing after it was paid."""
_NEEDED = ("kind", "description", "quantity", "unit_price_minor")
_OPTIONAL = ("sku", "discount_minor", "vat_rate", "resource", "starts_at", "ends_at", "options")
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
class Asks:
    """What fulfillment is asked for an edit: units to stop and units to add, by line."""

    off: dict[int, int]
    on: dict[int, int]


def edited(content: Content, asked: EditAsked, withdrawn: Units) -> Content:
    """The content that an edit without faults (see `faults_of`) asks for. `withdrawn`: units cancelled, by line."""
    lines = {line.line: line for line in content.lines}
    number = max(lines, default=0)
    for change in asked.lines:
        if change.line is None:
            number += 1
            lines[number] = _new_line(change, number)
        else:
            lines[change.line] = _changed_line(lines[change.line], change, withdrawn.get(change.line, 0))
    named = asked.model_fields_set
    update: dict[str, object] = {"lines": [lines[n] for n in sorted(lines)]}
    for name, part in (
        ("billing_address", Address),
        ("shipping_address", Address),
        ("shipping", Shipping),
    ):
        if name in named:
            given = getattr(asked, name)
            update[name] = part(**dict(given)) if given is not None else None
    if "note" in named:
        update["note"] = asked.note
    if asked.extra_lines is not None:
        update["extra_lines"] = [ExtraLine(**dict(extra)) for extra in asked.extra_lines]
    if asked.customer is not None:
        update["customer"] = asked.customer.applied_to(content.customer)
    return _counted_if_changed(content, content.model_copy(update=update))


def faults_of(content: Content, asked: EditAsked) -> list[Reason]:
    """What is wrong with the edit itself: lines that do not exist, that sell something else, or that lack something."""
    named = [change.line for change in asked.lines if change.line is not None]
    faults = [
        fault for index, change in enumerate(asked.lines) for fault in _faults_of_line(content, change, index)
    ]
    for line in sorted({line for line in named if named.count(line) > 1}):
        message = f"Line {line} is named {named.count(line)} times; name it once with all that changes."
        faults.append(Reason(code="line_repeated", message=message, field="lines"))
    return faults


def faults_of_content(content: Content, now: datetime) -> list[Reason]:
    """What is wrong with the content, by the rules for submissions."""
    sale = content.as_sale().model_copy(update={"submitted_at": now})
    return [reason for reason in reasons_against(sale, now) if reason.code not in ALLOWED_IN_EDITS]


def asks_of(content: Content, wanted: Content) -> Asks:
    """The units by which each line's quantity falls or rises."""
    before = {line.line: line.quantity for line in content.lines}
    changes = {line.line: line.quantity - before.get(line.line, 0) for line in wanted.lines}
    return Asks(
        off={line: -change for line, change in changes.items() if change < 0},
        on={line: change for line, change in changes.items() if change > 0},
    )


def settled(content: Content, wanted: Content, not_stopped: Units, missing: Units, stopped: Units) -> Content:
    """The content that takes effect: what had left stays ordered, what has no stock is not added."""
    before = {line.line: line for line in content.lines}
    lines = []
    for line in wanted.lines:
        number = line.line
        quantity = line.quantity + not_stopped.get(number, 0) - missing.get(number, 0)
        if quantity == 0 and number not in before:
            continue
        fitting = min(line.discount_minor, quantity * line.unit_price_minor)
        whole = line.model_copy(
            update={"reduced": line.reduced + stopped.get(number, 0), "discount_minor": fitting}
        )
        lines.append(_priced(whole, quantity))
    return _counted_if_changed(content, wanted.model_copy(update={"lines": lines}))


def due_change(content: Content, after: Content, withdrawn: Units) -> int:
    """By how much what is due changes, in minor units: the difference in worth of what is still wanted."""
    return worth(after, remaining(after, withdrawn)) - worth(content, remaining(content, withdrawn))


def remaining(content: Content, withdrawn: Units) -> dict[int, int]:
    """The units of each line that are still wanted."""
    return {line.line: max(0, line.quantity - withdrawn.get(line.line, 0)) for line in content.lines}


def withdrawn_of(content: Content, cancelled: Mapping[int, int], stopped: Units) -> dict[int, int]:
    """The units cancelled other than by edits: fulfillment's count, less what edits took off (`stopped`: just now)."""
    return {
        line.line: max(0, cancelled.get(line.line, 0) - line.reduced - stopped.get(line.line, 0))
        for line in content.lines
    }


def _counted_if_changed(content: Content, after: Content) -> Content:
    amounts = [
        ([(line.total_minor, line.vat_rate) for line in one.present()], one.shipping, one.extra_lines)
        for one in (content, after)
    ]
    if amounts[0] == amounts[1]:
        return after.model_copy(update={"totals": content.totals})
    return after.model_copy(update={"totals": totals_of(after, per_line=rounds_per_line(content))})


def _new_line(change: LineEdited, number: int) -> ContentLine:
    given = {name: getattr(change, name) for name in _NEEDED}
    more = {name: value for name in _OPTIONAL if (value := getattr(change, name)) is not None}
    line = ContentLine(line=number, total_minor=0, **given, **more)
    return _priced(line, line.quantity)


def _changed_line(line: ContentLine, change: LineEdited, withdrawn: int) -> ContentLine:
    named = change.model_fields_set
    update = {
        name: getattr(change, name)
        for name in _OF_LINE
        if name in named and getattr(change, name) is not None
    }
    quantity = line.quantity if change.quantity is None else max(change.quantity, withdrawn)
    return _priced(line.model_copy(update=update), quantity)


def _priced(line: ContentLine, quantity: int) -> ContentLine:
    gross = quantity * line.unit_price_minor
    discount = line.discount_minor if quantity else 0
    return line.model_copy(
        update={"quantity": quantity, "discount_minor": discount, "total_minor": gross - discount}
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
