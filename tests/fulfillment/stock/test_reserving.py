"""A placed order gets all its goods reserved or none, and is served later, oldest first, when stock comes."""

from datetime import timedelta

from contracts.envelope import uuid7
from contracts.fulfillment.parcels import ParcelPacked
from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.stock import MissingStock, StockLevelChanged, StockRejected, StockReserved
from contracts.orders.lifecycle import OrderPlaced
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.testing import envelope_for
from tests.builders.shipments import pack
from tests.conftest import Desks
from tests.fulfillment.builders import PLACED_AT, a_shop, goods, placed, stock_at, stock_of, ticket
from tests.fulfillment.counting import assert_counts_agree, level_of


async def test_all_goods_of_an_order_are_reserved(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=1))
    outcome = await desk.deliver(placed(shop, goods("A", 2), ticket(), goods("B"), goods("A", 3)))
    (event,) = outcome.messages_of(StockReserved)
    assert (event.position.version, event.position.stock) == (2, StockStanding.RESERVED)
    assert [(line.line, line.ordered) for line in event.position.lines] == [(1, 2), (2, 1), (3, 1), (4, 3)]
    assert [(e.sequence, e.causation_id) for e, _ in outcome.emitted] == [(1, outcome.envelope.id)]
    assert await level_of(desk, shop, "A") == (5, 5)
    await assert_counts_agree(desk)


async def test_one_short_sku_refuses_the_whole_order(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=1))
    outcome = await desk.deliver(placed(shop, goods("A"), goods("B"), goods("B"), goods("C", 4)))
    (event,) = outcome.messages_of(StockRejected)
    assert event.missing == [
        MissingStock(sku="B", requested=2, available=1),
        MissingStock(sku="C", requested=4, available=0),
    ]
    assert (event.position.version, event.position.stock) == (1, StockStanding.MISSING)
    assert await level_of(desk, shop, "A") == (5, 0)
    await assert_counts_agree(desk)


async def test_an_order_without_goods_needs_no_word(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    outcome = await desk.deliver(placed(shop, ticket(2)))
    assert (outcome.result, outcome.emitted) == ("handled", [])
    assert await desk.fetchval("SELECT stock FROM fulfilment_order") == "not_required"


async def test_the_same_order_again_under_another_id_changes_nothing(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 2))
    await desk.deliver(order)
    again = await desk.deliver(order)
    assert (again.result, again.emitted) == ("handled", [])
    assert await level_of(desk, shop, "A") == (5, 2)


async def test_another_shops_stock_is_not_touched(desks: Desks) -> None:
    desk, shop, neighbour = await desks("fulfillment"), a_shop(), a_shop()
    await desk.deliver(stock_of(neighbour, A=5))
    assert (await desk.deliver(placed(shop, goods("A")))).messages_of(StockRejected)
    assert await level_of(desk, neighbour, "A") == (5, 0)


async def test_locations_are_drawn_main_first(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, ("A", "attic", 2), ("A", "main", 3), ("A", "cellar", 4)))
    assert (await desk.deliver(placed(shop, goods("A", 6)))).messages_of(StockReserved)
    levels = [await level_of(desk, shop, "A", place) for place in ("main", "attic", "cellar")]
    assert levels == [(3, 3), (2, 2), (4, 1)]
    await assert_counts_agree(desk)


async def test_orders_that_wait_are_served_oldest_first_when_stock_comes(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    orders = [placed(shop, goods("A", 2), placed_at=PLACED_AT + timedelta(hours=hour)) for hour in range(4)]
    for order in (orders[2], orders[0], orders[3], orders[1]):
        assert (await desk.deliver(order)).messages_of(StockRejected)
    outcome = await desk.deliver(stock_of(shop, A=5))
    assert [event.order_id for event in outcome.messages_of(StockReserved)] == [
        orders[0].order_id,
        orders[1].order_id,
    ]
    (changed,) = outcome.messages_of(StockLevelChanged)
    assert [(level.on_hand, level.reserved) for level in changed.levels] == [(5, 4)]
    sequences = [e.sequence for e, m in outcome.emitted if isinstance(m, StockReserved)]
    assert sequences == [2, 2]
    later = await desk.deliver(stock_of(shop, A=8))
    assert [event.order_id for event in later.messages_of(StockReserved)] == [
        orders[2].order_id,
        orders[3].order_id,
    ]
    await assert_counts_agree(desk)


async def test_an_order_waits_until_its_last_sku_is_there(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A"), goods("B"))
    await desk.deliver(order)
    assert not (await desk.deliver(stock_of(shop, A=1))).messages_of(StockReserved)
    assert not (await desk.deliver(stock_of(shop, C=1))).messages_of(StockReserved)
    (event,) = (await desk.deliver(stock_of(shop, B=1))).messages_of(StockReserved)
    assert (event.order_id, event.position.version) == (order.order_id, 2)
    await assert_counts_agree(desk)


async def test_a_batch_is_decided_in_the_sequence_of_arrival(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    first, second, third = (placed(shop, goods("A", 2)) for _ in range(3))
    batch = [first, stock_of(shop, A=4), second, third]
    outcomes = await desk.deliver_all([(envelope_for("fulfillment", m), m, None) for m in batch])
    assert [type(event) for _, event in outcomes[0].emitted] == [StockRejected]
    reserved, raised = (event for _, event in outcomes[1].emitted)
    assert isinstance(reserved, StockReserved)
    assert isinstance(raised, StockLevelChanged)
    assert outcomes[2].messages_of(StockReserved)
    assert outcomes[3].messages_of(StockRejected)
    assert await level_of(desk, shop, "A") == (4, 4)
    await assert_counts_agree(desk)


async def test_goods_without_a_sku_need_no_stock_and_can_be_packed(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A"), goods("B", 2))
    bare = [line.model_copy(update={"sku": None}) for line in order.lines]
    placing = order.model_copy(update={"lines": bare})
    outcome = await desk.deliver(placing)
    assert (outcome.result, outcome.emitted) == ("handled", [])
    packed = await desk.deliver(pack(placing, {1: 1, 2: 2}))
    assert [event.position.lines[1].packed for event in packed.messages_of(ParcelPacked)] == [2]
    await assert_counts_agree(desk)


async def test_stock_is_kept_of_the_lines_that_have_a_sku(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A"), goods("B", 2))
    mixed = [order.lines[0], order.lines[1].model_copy(update={"sku": None})]
    outcome = await desk.deliver(order.model_copy(update={"lines": mixed}))
    assert [one.sku for event in outcome.messages_of(StockRejected) for one in event.missing] == ["A"]
    await desk.deliver(stock_of(shop, A=1))
    assert await level_of(desk, shop, "A") == (1, 1)
    await assert_counts_agree(desk)


async def test_a_hundred_orders_cost_a_handful_of_statements(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    skus = {f"S{n}": 100 for n in range(20)}
    await desk.deliver(stock_of(shop, **skus))
    orders = [
        placed(shop, goods(f"S{n % 20}"), goods(f"S{(n + 7) % 20}", 2), order_id=uuid7()) for n in range(100)
    ]
    counted: list[str] = []
    async with desk.hub.acquire() as connection, connection.transaction():
        unit = desk.hub.open_unit(connection)
        with connection.query_logger(lambda query: counted.append(query.query)):
            deliveries = [_delivery(order) for order in orders]
            work = await desk.hub.subscribers.load(unit, deliveries)
            for delivery in deliveries:
                desk.hub.subscribers.handle(work, delivery)
            await work.save()
            await unit.flush()
    assert len(counted) <= 4, counted
    assert await desk.fetchval("SELECT count(*) FROM fulfilment_order WHERE stock = 'reserved'") == 100
    await assert_counts_agree(desk)


def _delivery(order: OrderPlaced) -> ReceivedMessage[OrderPlaced]:
    envelope = envelope_for("fulfillment", order)
    return ReceivedMessage(envelope, order, "fulfillment.orders", None, 0, envelope.time)
