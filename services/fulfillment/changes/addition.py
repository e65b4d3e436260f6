"""Which requested units of an order can be added, as a pure rule: there is stock for every added unit.

A line is added whole or not at all, so no customer gets three of the five they agreed to; lines of one SKU
are served in line order. With all or nothing, one short line rejects the others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.orders.changes import LineAddition
from contracts.sale import LineKind


@dataclass(frozen=True, slots=True)
class Short:
    """A line that was not added: how many units were requested, how many its SKU has available."""

    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Addition:
    """Result of a request: units by line that are added, and the lines that are not."""

    added: dict[int, int]
    missing: dict[int, Short]


def add(lines: Iterable[LineAddition], available: Mapping[str, int], *, all_or_nothing: bool) -> Addition:
    """Split the requested lines by what is available of each SKU; lines without goods need none."""
    free = dict(available)
    added: dict[int, int] = {}
    missing: dict[int, Short] = {}
    for part in sorted(lines, key=lambda part: part.line):
        if part.kind is LineKind.SHIP and part.sku is not None:
            if part.quantity > free.get(part.sku, 0):
                missing[part.line] = Short(part.quantity, free.get(part.sku, 0))
                continue
            free[part.sku] -= part.quantity
        added[part.line] = added.get(part.line, 0) + part.quantity
    return Addition({}, missing) if missing and all_or_nothing else Addition(added, missing)
