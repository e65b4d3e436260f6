"""The pipeline of a message on a real PostgreSQL, with the fulfillment service as the example."""

from contracts.envelope import uuid7
from contracts.fulfillment import SetStock, StockLevel, StockLevelChanged
from tests.conftest import Desks


def _stock(on_hand: int = 5) -> SetStock:
    return SetStock(shop="atelier", levels=[StockLevel(sku="MUG-1", on_hand=on_hand)], actor="test")


async def test_a_message_is_handled_once_however_often_it_comes(desks: Desks) -> None:
    desk = await desks("fulfillment")
    event_id = uuid7()
    results = [(await desk.deliver(_stock(), id=event_id)).result for _ in range(3)]
    assert results == ["handled", "duplicate", "duplicate"]
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == 1


async def test_an_outcome_names_its_command(desks: Desks) -> None:
    desk = await desks("fulfillment")
    outcome = await desk.deliver(_stock())
    [(envelope, message)] = outcome.emitted
    assert isinstance(message, StockLevelChanged)
    assert envelope.causation_id == outcome.envelope.id
