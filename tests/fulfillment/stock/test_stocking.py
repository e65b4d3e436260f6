"""A count sets what is on hand, explains the difference, and never takes what orders were promised."""

from contracts.fulfillment.stock import StockLevelChanged
from contracts.message import Reason
from contracts.service import CommandDone, CommandRejected
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_at, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of


async def test_a_count_sets_levels_and_writes_adjustments(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=2))
    outcome = await desk.deliver(stock_of(shop, A=3, B=2, C=0))
    (event,) = outcome.messages_of(StockLevelChanged)
    assert [(level.sku, level.on_hand) for level in event.levels] == [("A", 3), ("C", 0)]
    assert outcome.emitted[0][0].causation_id == outcome.envelope.id
    query = "SELECT sku, quantity FROM stock_movement WHERE cause = $1"
    assert [tuple(row) for row in await desk.fetch(query, outcome.envelope.id)] == [("A", -2)]
    await assert_counts_agree(desk)


async def test_the_same_count_again_is_done_already(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    again = await desk.deliver(stock_of(shop, A=5))
    (answer,) = again.messages_of(CommandDone)
    assert (answer.command_id, answer.command_type, answer.order_id) == (
        again.envelope.id,
        "orders.stock.set.v1",
        None,
    )


async def test_below_reserved_is_refused_whole_with_every_reason(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=5))
    await desk.deliver(placed(shop, goods("A", 4), goods("B", 3)))
    outcome = await desk.deliver(
        stock_at(shop, ("C", "main", 1), ("A", "main", 3), ("B", "main", 2), ("C", "main", 2))
    )
    (answer,) = outcome.messages_of(CommandRejected)
    assert [(reason.code, reason.field) for reason in answer.reasons] == [
        ("level_repeated", "levels[0]"),
        ("on_hand_below_reserved", "levels[1].on_hand"),
        ("on_hand_below_reserved", "levels[2].on_hand"),
        ("level_repeated", "levels[3]"),
    ]
    reason: Reason = answer.reasons[1]
    assert "3 on hand is below the 4 reserved" in reason.message
    assert await level_of(desk, shop, "A") == (5, 4)
    assert await level_of(desk, shop, "C") is None
    await assert_counts_agree(desk)


async def test_a_thousand_levels_at_once(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    outcome = await desk.deliver(stock_of(shop, **{f"S{n:04}": n for n in range(1000)}))
    assert len(outcome.messages_of(StockLevelChanged)[0].levels) == 1000
    assert await desk.fetchval("SELECT sum(on_hand) FROM stock_level") == 499_500
    await assert_counts_agree(desk)
