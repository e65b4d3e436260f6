"""An adjustment adds to what is on hand or takes away, never what orders were promised, and once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockLevelChanged, StockReserved
from contracts.service import CommandDone, CommandRejected
from services.fulfillment.order.stock import (
    MOST_ON_HAND,
    ChangeAboveMost,
    ChangeBelowReserved,
    Level,
    StockPlace,
    adjust,
)
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, adjustment, goods, placed, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of

PLACE = StockPlace("maison", "A", "main")


@given(st.integers(0, MOST_ON_HAND), st.integers(0, MOST_ON_HAND), st.integers(-MOST_ON_HAND, MOST_ON_HAND))
def test_a_level_keeps_its_bounds_for_any_request(on_hand: int, reserved: int, change: int) -> None:
    level = Level(max(on_hand, reserved), reserved)
    if level.on_hand + change < level.reserved:
        with pytest.raises(ChangeBelowReserved, match=f"below the {reserved} .* at most {level.available},"):
            adjust(PLACE, level, change)
    elif level.on_hand + change > MOST_ON_HAND:
        with pytest.raises(ChangeAboveMost, match=f"add at most {MOST_ON_HAND - level.on_hand}$"):
            adjust(PLACE, level, change)
    else:
        changed = adjust(PLACE, level, change)
        assert changed == Level(level.on_hand + change, level.reserved)
        assert changed.reserved <= changed.on_hand <= MOST_ON_HAND


async def test_units_come_and_go_and_it_is_kept_who_set_it_and_why(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    outcome = await desk.deliver(adjustment(shop, "A", -2))
    (event,) = outcome.messages_of(StockLevelChanged)
    assert [(level.sku, level.on_hand, level.reserved) for level in event.levels] == [("A", 3, 0)]
    assert (event.changed_by, event.reason) == ("staff:zoe", "Deux bougies cassées")
    assert outcome.emitted[0][0].causation_id == outcome.envelope.id
    query = "SELECT quantity, actor, reason FROM stock_movement JOIN stock_change USING (shop, cause) WHERE cause = $1"
    assert [tuple(row) for row in await desk.fetch(query, outcome.envelope.id)] == [
        (-2, "staff:zoe", "Deux bougies cassées")
    ]
    await assert_counts_agree(desk)


async def test_what_came_in_goes_to_the_order_that_waits(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=1))
    order = placed(shop, goods("A", 3))
    await desk.deliver(order)
    outcome = await desk.deliver(adjustment(shop, "A", 2))
    (reserved,) = outcome.messages_of(StockReserved)
    assert reserved.order_id == order.order_id
    assert outcome.messages_of(StockLevelChanged)[0].levels[0].reserved == 3
    await assert_counts_agree(desk)


async def test_below_reserved_is_refused_with_both_values_and_what_to_do(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    await desk.deliver(placed(shop, goods("A", 4)))
    outcome = await desk.deliver(adjustment(shop, "A", -2))
    (answer,) = outcome.messages_of(CommandRejected)
    (reason,) = answer.reasons
    assert (reason.code, reason.field) == ("on_hand_below_reserved", "change")
    assert "5 on hand -2 is 3, below the 4 reserved by orders; take away at most 1" in reason.message
    assert await level_of(desk, shop, "A") == (5, 4)


async def test_what_was_never_counted_or_changes_nothing_is_refused(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    for command, code in (
        (adjustment(shop, "B", 3), "level_unknown"),
        (adjustment(shop, "A", 3, location="attic"), "level_unknown"),
        (adjustment(shop, "A", 0), "nothing_to_change"),
        (adjustment(shop, "A", MOST_ON_HAND), "on_hand_above_most"),
    ):
        (answer,) = (await desk.deliver(command)).messages_of(CommandRejected)
        assert [reason.code for reason in answer.reasons] == [code]
    assert await desk.fetchval("SELECT count(*) FROM stock_level WHERE shop = $1", shop) == 1


async def test_the_same_adjustment_again_is_done_even_when_the_inbox_forgot_it(desks: Desks) -> None:
    desk, shop, command_id = await desks("fulfillment"), a_shop(), uuid7()
    await desk.deliver(stock_of(shop, A=5))
    command = adjustment(shop, "A", 2)
    await desk.deliver(command, id=command_id)
    assert (await desk.deliver(command, id=command_id)).emitted == []
    await desk.hub.pool.execute("DELETE FROM msg.inbox")
    again = await desk.deliver(command, id=command_id)
    assert [answer.command_id for answer in again.messages_of(CommandDone)] == [command_id]
    assert await level_of(desk, shop, "A") == (7, 0)
    await assert_counts_agree(desk)
