"""The items of a credit note or of a further invoice: the units that it names, or a difference per VAT rate. Pure.

Tax is divided cumulatively, so credit notes that take everything back take back exactly the tax that was charged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.message import LineUnits
from contracts.payments.invoices import InvoiceKind
from contracts.portions import portion, shares
from services.payments.invoices.document import (
    Content,
    Item,
)
from services.payments.invoices.items import (
    Rate,
    balance,
    invoiced_by_rate,
    item_of,
    rate_of,
    sums_by_rate,
    unit_item,
)
from services.payments.invoices.sale import (
    ChargedTax,
    NamedUnits,
    Sale,
    kept_units,
)
from services.payments.invoices.texts import text


@dataclass(frozen=True, slots=True)
class Correction:
    """A later document: which invoice it belongs to, what it takes back or adds (with tax, positive), and why.

    `lines` are the units it names; `withdrawn` are those of each line that earlier changes took back.
    """

    kind: InvoiceKind
    corrects: str
    corrects_issued_on: date
    amount_minor: int
    reason: str
    lines: Sequence[LineUnits] = ()
    withdrawn: Mapping[int, int] = field(default_factory=dict)


def named_items(
    named: Sequence[NamedUnits], sale: Sale, category: str, before: Sequence[Content], what: Correction
) -> tuple[Item, ...]:
    """Return the units that a correction names, if they cost its amount and are still invoiced.

    What rounding leaves between their price and the amount, a minor unit per rounded share, is theirs too.
    """
    costs = [one.gross(sale.prices_include_tax) for one in named]
    rest = what.amount_minor - sum(costs)
    if not named or abs(rest) > sum(1 + len(one.part.taxes) for one in named):
        return ()
    costs[costs.index(max(costs))] += rest
    items = tuple(unit_item(one, cost, sale, category) for one, cost in zip(named, costs, strict=True))
    return items if what.kind is InvoiceKind.INVOICE or _are_invoiced(items, before) else ()


def _are_invoiced(items: Sequence[Item], before: Sequence[Content]) -> bool:
    """Return whether as much as these items take back is invoiced at their rates and not credited."""
    left = invoiced_by_rate(before)
    for item in items:
        rate = rate_of(item)
        gross, taxes = left.get(rate, (0, (0,) * len(item.taxes)))
        gross -= item.net_minor + item.tax_minor
        taxes = tuple(a - b.tax_minor for a, b in zip(taxes, item.taxes, strict=True))
        if gross < 0 or any(tax < 0 for tax in taxes) or (not gross and any(taxes)):
            return False
        left[rate] = (gross, taxes)
    return True


def rate_items(
    named: Sequence[NamedUnits], sale: Sale, category: str, before: Sequence[Content], what: Correction
) -> tuple[Item, ...]:
    """Return an item per VAT rate: the rest if all of it is taken back, or the difference by rate to the sale as it
    is now if that explains the amount, else shares of what is invoiced at each rate.
    """
    if not what.amount_minor:
        return ()
    left = invoiced_by_rate(before)
    is_rest = what.kind is InvoiceKind.CREDIT_NOTE and what.amount_minor == balance(before)
    differences = _rest(left) if is_rest else None
    if differences is None and not named:
        differences = _differences(sale, category, left, what)
    if differences is None:
        weights = _weights(named, sale, category, left, what)
        amounts = dict(zip(weights, shares(what.amount_minor, list(weights.values())), strict=True))
        differences = {
            rate: (cut, _tax_shares(rate, cut, left, what.kind)) for rate, cut in amounts.items() if cut
        }
    return tuple(_rate_item(rate, cut, taxes, sale, what) for rate, (cut, taxes) in differences.items())


def _rate_item(rate: Rate, cut: int, taxes: Sequence[int], sale: Sale, what: Correction) -> Item:
    return Item(
        role="correction",
        description=text(f"correction_{what.kind.value}", sale.locale),
        details=(what.reason,) if what.reason else (),
        unit_price_minor=cut - (0 if sale.prices_include_tax else sum(taxes)),
        net_minor=cut - sum(taxes),
        taxes=tuple(
            ChargedTax(rate_ppm=ppm, tax_minor=tax, label=label)
            for (ppm, label), tax in zip(rate[1], taxes, strict=True)
        ),
        category=rate[0],
    )


def _rest(left: dict[Rate, tuple[int, tuple[int, ...]]]) -> dict[Rate, tuple[int, tuple[int, ...]]]:
    """Return what is invoiced and not credited, without rates of which nothing is left."""
    return {rate: (amount, taxes) for rate, (amount, taxes) in left.items() if amount or any(taxes)}


def _differences(
    sale: Sale, category: str, left: dict[Rate, tuple[int, tuple[int, ...]]], what: Correction
) -> dict[Rate, tuple[int, tuple[int, ...]]] | None:
    """Return what the sale differs by from what is invoiced, by rate, if it differs by the correction's amount:
    without the units that were withdrawn before, whose credit notes are among the documents, else with them.
    """
    candidates = (what.withdrawn, {}) if what.withdrawn else ({},)
    found = (_difference(sale, category, left, what.kind, one) for one in candidates)
    return next(
        (one for one in found if sum(cut for cut, _ in one.values()) == what.amount_minor),
        None,
    )


def _difference(
    sale: Sale,
    category: str,
    left: dict[Rate, tuple[int, tuple[int, ...]]],
    kind: InvoiceKind,
    withdrawn: Mapping[int, int],
) -> dict[Rate, tuple[int, tuple[int, ...]]]:
    """Return what the units still wanted differ by from what is invoiced, by rate."""
    sign = 1 if kind is InvoiceKind.INVOICE else -1
    kept = kept_units(sale, withdrawn)
    now = sums_by_rate(
        [(unit_item(one, one.gross(sale.prices_include_tax), sale, category), 1) for one in kept]
    )
    found: dict[Rate, tuple[int, tuple[int, ...]]] = {}
    for rate in [*now, *(rate for rate in left if rate not in now)]:
        zeros = (0,) * len(rate[1])
        new, old = now.get(rate, (0, zeros)), left.get(rate, (0, zeros))
        taxes = tuple(sign * (a - b) for a, b in zip(new[1], old[1], strict=True))
        if new[0] != old[0] or any(taxes):
            found[rate] = (sign * (new[0] - old[0]), taxes)
    return found


def _tax_shares(
    rate: Rate, cut: int, left: dict[Rate, tuple[int, tuple[int, ...]]], kind: InvoiceKind
) -> tuple[int, ...]:
    """Return the taxes in an amount at a rate: those of what remains invoiced, in proportion; all with its last unit.

    Without anything left at the rate they follow from the rate itself.
    """
    amount, taxes = left.get(rate, (0, ()))
    if amount > 0 and any(taxes):
        sign = 1 if kind is InvoiceKind.INVOICE else -1
        return tuple(sign * (portion(tax, amount + sign * cut, amount) - tax) for tax in taxes)
    ppm = [one for one, _ in rate[1]]
    return tuple(portion(cut, one, 1_000_000 + sum(ppm)) for one in ppm)


def _weights(
    named: Sequence[NamedUnits],
    sale: Sale,
    category: str,
    left: dict[Rate, tuple[int, tuple[int, ...]]],
    what: Correction,
) -> dict[Rate, int]:
    """Return the rates that share an amount, with their weights: those of the named lines as long as as much is
    invoiced at them, else all at which something is invoiced, else those of the sale.
    """
    invoiced = {rate: amount for rate, (amount, _) in left.items() if amount > 0}
    rates = {rate_of(item_of(one.part, sale, category)) for one in named}
    theirs = {rate: amount for rate, amount in invoiced.items() if rate in rates}
    if theirs and (what.kind is InvoiceKind.INVOICE or sum(theirs.values()) >= what.amount_minor):
        return theirs
    if invoiced:
        return invoiced
    sums = sums_by_rate([(item_of(part, sale, category), 1) for part in sale.parts])
    positive = {rate: amount for rate, (amount, _) in sums.items() if amount > 0}
    return positive or {(category, ((0, None),)): 1}
