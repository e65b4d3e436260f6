"""What was ordered in all, edits down and up again included, may exceed the limit of one line."""

from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, add, goods, placed, reduce, stock_of


async def test_down_and_up_again(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=600_000))
    order = placed(shop, goods("A", 600_000))
    await desk.deliver(order)
    assert (await desk.deliver(reduce(order, {1: 599_999}))).result == "handled"
    again = await desk.deliver(add(order, {1: goods("A", 599_999)}))
    assert (again.result, again.detail) == ("handled", "")
