"""Taxes of each line, of shipping and of each extra line of an order. Pure.

Taxes stated by the sender (`tax_minor`, `taxes`) are facts. Missing ones follow from the rate and from the
order's own tax, in whichever way that was rounded: per rate, per line or per piece. Invariant: the taxes of
all charges sum to the order's `tax_minor`, to the minor unit. Orders, which states the taxes that an edit leaves,
and payments, which invoices the sale, have this one rule: with two, an edit would move a cent between rates that
it does not touch.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.portions import portion, shares

MILLION = 1_000_000
"""Rates are counted in millionths: 88750 is 8.875 %."""
_PER_BASIS_POINT = 100


class Charge(NamedTuple):
    """An amount in minor units with its rates in millionths. `taxes`: minor units by rate; None when not stated."""

    amount: int
    rates: tuple[int, ...]
    taxes: tuple[int, ...] | None = None


def charge_of(values: Mapping[str, Any], amount: int) -> Charge:
    """Return the charge of a line, of shipping or of an extra line from its fields (JSON or a model)."""
    rate = (values.get("vat_rate") or 0) * _PER_BASIS_POINT
    stated, parts = values.get("tax_minor"), values.get("taxes")
    if parts:
        read = [part if isinstance(part, Mapping) else dict(part) for part in parts]
        return Charge(
            amount, tuple(part["rate_ppm"] for part in read), tuple(part["tax_minor"] for part in read)
        )
    return Charge(amount, (rate,), None if stated is None else (stated,))


def charges_of(lines: Iterable[Any], shipping: Any, extra_lines: Iterable[Any]) -> list[Charge]:
    """Return the charges of models in this order: lines, shipping if there is any, extra lines."""
    found = [charge_of(line.__dict__, line.total_minor) for line in lines]
    if shipping is not None:
        found.append(charge_of(shipping.__dict__, shipping.amount_minor))
    return found + [charge_of(extra.__dict__, extra.amount_minor) for extra in extra_lines]


def tax_at(amount: int, rate: int, *, includes_tax: bool) -> int:
    """Return the tax in, or on top of, an amount at a rate in millionths, rounded half up."""
    return portion(amount, rate, MILLION + rate if includes_tax else MILLION)


def taxes_at(amount: int, rates: Sequence[int], *, includes_tax: bool) -> tuple[int, ...]:
    """Return the tax of an amount at each of several rates, rounded so that they sum to the tax at all of them."""
    if not any(rates):
        return (0,) * len(rates)
    total = portion(amount, sum(rates), MILLION + sum(rates) if includes_tax else MILLION)
    return tuple(shares(total, rates))


def taxes_of(
    charges: Sequence[Charge], tax_minor: int | None, *, includes_tax: bool
) -> list[tuple[int, ...]]:
    """Return the taxes of each charge, by rate, in minor units; they sum to `tax_minor` where that is known."""
    found = {index: charge.taxes for index, charge in enumerate(charges) if charge.taxes is not None}
    open_ = {index: charge for index, charge in enumerate(charges) if charge.taxes is None}
    rest = None if tax_minor is None else tax_minor - sum(map(sum, found.values()))
    by_rate = _by_rate(open_, rest, includes_tax)
    for rate, total in by_rate.items():
        indexes = [index for index, charge in open_.items() if charge.rates[0] == rate]
        taxes = [tax_at(open_[index].amount, rate, includes_tax=includes_tax) for index in indexes]
        left = _spread(total - sum(taxes), [abs(open_[index].amount) for index in indexes])
        found |= {index: (tax + more,) for index, tax, more in zip(indexes, taxes, left, strict=True)}
    if rest is not None and (left_over := rest - sum(by_rate.values())):
        _add_to_stated(found, left_over)
    return [found[index] for index in range(len(charges))]


def _by_rate(charges: Mapping[int, Charge], rest: int | None, includes_tax: bool) -> dict[int, int]:
    """Return the tax of these charges at each rate: rounded per rate or per line, whichever equals `rest`,
    else spread.
    """
    amounts: dict[int, int] = {}
    weights: dict[int, int] = {}
    per_line: dict[int, int] = {}
    for charge in charges.values():
        rate = charge.rates[0]
        amounts[rate] = amounts.get(rate, 0) + charge.amount
        weights[rate] = weights.get(rate, 0) + abs(charge.amount) * rate
        tax = tax_at(charge.amount, rate, includes_tax=includes_tax)
        per_line[rate] = per_line.get(rate, 0) + tax
    per_rate = {rate: tax_at(amount, rate, includes_tax=includes_tax) for rate, amount in amounts.items()}
    if rest is None or sum(per_rate.values()) == rest:
        return per_rate
    if sum(per_line.values()) == rest or not any(weights.values()):
        return per_line
    left = shares(rest - sum(per_rate.values()), list(weights.values()))
    return {rate: tax + more for (rate, tax), more in zip(per_rate.items(), left, strict=True)}


def _spread(total: int, weights: Sequence[int]) -> list[int]:
    return shares(total, weights if any(weights) else [1] * len(weights)) if total else [0] * len(weights)


def _add_to_stated(found: dict[int, tuple[int, ...]], left_over: int) -> None:
    """Spread the rounding difference over the stated taxes, in proportion, each charge's part on its largest
    tax.
    """
    indexes = list(found)
    for index, more in zip(
        indexes, _spread(left_over, [sum(map(abs, found[index])) for index in indexes]), strict=True
    ):
        taxes = list(found[index])
        taxes[max(range(len(taxes)), key=lambda place: abs(taxes[place]))] += more
        found[index] = tuple(taxes)
