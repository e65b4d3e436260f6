"""Whatever moves, nothing is sold twice and nothing comes back that never left."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.fulfillment.order import stock
from services.fulfillment.order.stock import (
    BelowReserved,
    Claim,
    Level,
    MoreThanTaken,
    NotEnoughAvailable,
    StockPlace,
    Wanted,
)

PLACE = StockPlace("atelier", "TASSE-BLEUE", "main")
LINES = st.integers(1, 4)
UNITS = st.integers(1, 12)


class Shelf(RuleBasedStateMachine):
    """One level and four order lines that take from it, beside a plain account of what people did."""

    def __init__(self) -> None:
        super().__init__()
        self.level = Level()
        self.claims: dict[int, Claim] = {}
        self.counted = 0
        self.gone = 0
        self.back = 0

    @rule(on_hand=st.integers(0, 40))
    def count(self, on_hand: int) -> None:
        if on_hand < self.level.reserved:
            with pytest.raises(BelowReserved):
                stock.count(PLACE, self.level, on_hand)
            return
        self.level, adjustment = stock.count(PLACE, self.level, on_hand)
        self.counted += adjustment

    @rule(line=LINES, units=UNITS)
    def take(self, line: int, units: int) -> None:
        if units > self.level.available:
            with pytest.raises(NotEnoughAvailable):
                stock.take(PLACE, self.level, Claim(), units)
            return
        self.level, self.claims[line] = stock.take(PLACE, self.level, self.claims.get(line, Claim()), units)

    @rule(line=LINES, units=UNITS, how=st.sampled_from([stock.release, stock.ship, stock.write_off]))
    def let_go(self, line: int, units: int, how: Any) -> None:
        claim = self.claims.get(line, Claim())
        if units > claim.open:
            with pytest.raises(MoreThanTaken):
                how(PLACE, self.level, claim, units)
            return
        self.level, self.claims[line] = how(PLACE, self.level, claim, units)
        self.gone += units if how is not stock.release else 0

    @rule(line=LINES, units=UNITS)
    def restock(self, line: int, units: int) -> None:
        claim = self.claims.get(line, Claim())
        if units > claim.shipped - claim.restocked:
            with pytest.raises(MoreThanTaken):
                stock.restock(PLACE, self.level, claim, units)
            return
        self.level, self.claims[line] = stock.restock(PLACE, self.level, claim, units)
        self.back += units

    @invariant()
    def nothing_is_sold_twice(self) -> None:
        assert self.level.available >= 0
        assert self.level.reserved == sum(claim.open for claim in self.claims.values())

    @invariant()
    def no_unit_appears_or_vanishes(self) -> None:
        assert self.level.on_hand == self.counted - self.gone + self.back

    @invariant()
    def what_is_given_back_was_taken(self) -> None:
        for claim in self.claims.values():
            assert 0 <= claim.released + claim.shipped + claim.written_off <= claim.taken
            assert 0 <= claim.restocked <= claim.shipped


TestShelf = Shelf.TestCase

SKUS = st.sampled_from(["A", "B", "C"])
WANTED = st.lists(st.tuples(SKUS, UNITS), min_size=1, max_size=5).map(
    lambda lines: [Wanted(line, sku, units) for line, (sku, units) in enumerate(lines, 1)]
)
FREE = st.dictionaries(
    SKUS, st.dictionaries(st.sampled_from(["main", "reserve", "shop"]), st.integers(0, 20)), max_size=3
).map(
    lambda skus: {
        sku: {StockPlace("atelier", sku, location): units for location, units in places.items()}
        for sku, places in skus.items()
    }
)


@given(WANTED, FREE)
def test_an_order_is_served_whole_or_not_at_all(
    wanted: list[Wanted], free: dict[str, dict[StockPlace, int]]
) -> None:
    available = {sku: sum(places.values()) for sku, places in free.items()}
    short = stock.shortages(wanted, available)
    body = {sku: sum(w.quantity for w in wanted if w.sku == sku) for sku in {w.sku for w in wanted}}
    assert {s.sku for s in short} == {sku for sku, units in body.items() if units > available.get(sku, 0)}
    assert all((s.requested, s.available) == (body[s.sku], available.get(s.sku, 0)) for s in short)
    if short:
        return
    taken = stock.allocate(wanted, free)
    for want in wanted:
        parts = [part for part in taken if part.line == want.line]
        assert sum(part.quantity for part in parts) == want.quantity
        assert {part.place.sku for part in parts} == {want.sku}
    for places in free.values():
        for place, units in places.items():
            assert sum(part.quantity for part in taken if part.place == place) <= units


def test_errors_name_the_place_both_values_and_the_next_step() -> None:
    with pytest.raises(
        NotEnoughAvailable, match=r"TASSE-BLEUE at main: 3 requested, 1 available; set the stock"
    ):
        stock.take(PLACE, Level(on_hand=1), Claim(), 3)
    with pytest.raises(MoreThanTaken, match=r"ship of 2, 1 left to ship"):
        stock.ship(PLACE, Level(5, 1), Claim(taken=1), 2)
    with pytest.raises(BelowReserved, match=r"1 on hand is below the 3 reserved"):
        stock.count(PLACE, Level(5, 3), 1)
