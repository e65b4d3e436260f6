"""However a line's units are packed, lost, shipped, delivered, returned and cancelled, none leaves twice."""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.fulfillment.order import position
from services.fulfillment.order.position import Line, QuantityAboveLeft

LEFT: dict[str, Callable[[Line], int]] = {
    "pack": lambda line: line.ordered - line.cancelled - line.packed + line.lost,
    "lose": lambda line: line.packed - line.lost - line.delivered,
    "ship": lambda line: line.packed - line.shipped,
    "deliver": lambda line: line.shipped - line.delivered,
    "take_back": lambda line: line.shipped - line.returned,
    "cancel": lambda line: line.ordered - line.cancelled - line.packed + line.lost,
}


class Units(RuleBasedStateMachine):
    """One line; every step either goes as far as units are left or is refused with what is left."""

    line: Line

    @initialize(ordered=st.integers(1, 20))
    def order(self, ordered: int) -> None:
        self.line = Line(1, "ship", "TASSE-BLEUE", ordered)

    @rule(step=st.sampled_from(sorted(LEFT)), units=st.integers(1, 8))
    def take_a_step(self, step: str, units: int) -> None:
        go = getattr(position, step)
        left = LEFT[step](self.line)
        if units <= left:
            self.line = go(self.line, units)
            return
        with pytest.raises(QuantityAboveLeft) as refused:
            go(self.line, units)
        assert (refused.value.requested, refused.value.left) == (units, left)

    @invariant()
    def quantities_hold_together(self) -> None:
        line = self.line
        assert 0 <= line.delivered <= line.shipped <= line.packed
        assert 0 <= line.returned <= line.shipped
        assert 0 <= line.lost <= line.packed
        assert 0 <= line.cancelled <= line.ordered
        assert line.packed - line.lost <= line.ordered - line.cancelled
        assert line.left_to_pack >= 0


TestUnits = Units.TestCase


def test_a_refusal_states_what_is_left() -> None:
    with pytest.raises(QuantityAboveLeft, match="line 7: 3 to be packed, 2 left; take at most 2"):
        position.pack(Line(7, "ship", "A", 2), 3)
