"""Thresholds of SKUs: the number of available units, over all locations, at or below which a SKU is low, and
when that is mailed.

One rule, `is_low`, decides what lists show as low, what their filter finds (in SQL, `api/store.py`) and when the
merchant is warned. A SKU without a threshold is low at the default one, for which no warning is sent.

Invariant: a warning is published by the transaction in which the units fell, and only by that one: available
units are compared before and after, under the locks of the levels. A rise, or a level that stays low, triggers
no warning.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.fulfillment.stock import StockRanLow
from services.chassis.messaging.unit import Unit
from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.writing import Writer
from services.fulfillment.order.stock import Level, StockPlace

Sku = tuple[str, str]
"""Shop and SKU."""


class ThresholdRow(NamedTuple):
    shop: str
    sku: str
    threshold: Integer
    changed_by: str
    changed_at: datetime


_WRITE_THRESHOLDS = Bulk(
    ThresholdRow,
    """
    INSERT INTO stock_threshold ({columns})
    SELECT * FROM {rows}
    ON CONFLICT (shop, sku) DO UPDATE SET
        threshold = excluded.threshold, changed_by = excluded.changed_by, changed_at = excluded.changed_at
    """,
)
_DELETE_THRESHOLDS = Bulk(
    tuple[str, str],
    "DELETE FROM stock_threshold AS t USING {rows} AS gone (shop, sku) WHERE (t.shop, t.sku) = (gone.shop, gone.sku)",
)


DEFAULT_THRESHOLD = 5


def is_low(available: int, threshold: int | None) -> bool:
    """Return whether this number of available units, over all locations, is low; `threshold` None: the default."""
    return available <= (DEFAULT_THRESHOLD if threshold is None else threshold)


def has_run_low(threshold: int, before: int, after: int) -> bool:
    """Return whether available units fell to the threshold or below it."""
    return is_low(after, threshold) and not is_low(before, threshold)


class Thresholds:
    """The thresholds of one unit's SKUs, and what was available of them when their levels were locked."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known: dict[Sku, int] = {}
        self._before: Mapping[Sku, int] = {}
        self._changed: dict[Sku, ThresholdRow | None] = {}

    def note(self, known: Mapping[Sku, int], levels: Mapping[StockPlace, Level]) -> None:
        """Record the thresholds read with the levels, and what is available of their SKUs."""
        self._known = dict(known)
        self._before = _available(levels, known)

    def of(self, shop: str, sku: str) -> int | None:
        """Return the threshold of a SKU; None if it has none."""
        return self._known.get((shop, sku))

    def set(self, shop: str, sku: str, threshold: int | None, actor: str) -> None:
        """Set a SKU's threshold; None removes it. Stock already below a new threshold triggers no warning."""
        self._known.pop((shop, sku), None)
        self._changed[shop, sku] = None
        if threshold is not None:
            self._known[shop, sku] = threshold
            self._changed[shop, sku] = ThresholdRow(shop, sku, threshold, actor, self._unit.now)

    async def save(self, writes: Writer, levels: Mapping[StockPlace, Level]) -> None:
        """Write changed thresholds, and publish which SKUs ran low."""
        if rows := [row for _, row in sorted(self._changed.items()) if row is not None]:
            await _WRITE_THRESHOLDS.execute(writes, rows)
        if gone := sorted(key for key, row in self._changed.items() if row is None):
            await _DELETE_THRESHOLDS.execute(writes, gone)
        after = _available(levels, self._known)
        for key in self._ran_low(sorted(self._known), after):
            shop, sku = key
            low = StockRanLow(
                shop=shop, sku=sku, available=after[key], threshold=self._known[key], at=self._unit.now
            )
            self._unit.emit(low, subject=sku)

    def _ran_low(self, keys: Sequence[Sku], after: Mapping[Sku, int]) -> list[Sku]:
        return [key for key in keys if has_run_low(self._known[key], self._before.get(key, 0), after[key])]


def _available(levels: Mapping[StockPlace, Level], skus: Iterable[Sku]) -> Counter[Sku]:
    wanted, found = set(skus), Counter[Sku]()
    for place, level in levels.items():
        if (place.shop, place.sku) in wanted:
            found[place.shop, place.sku] += level.available
    return found
