"""The pipeline of a message on a real PostgreSQL, with the fulfillment service as the example."""

from dataclasses import replace

from contracts.envelope import uuid7
from contracts.fulfillment.stock import SetStock, StockLevel, StockLevelChanged
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


async def test_an_outcome_is_in_its_command_s_trace_or_in_the_one_that_the_command_s_id_names(
    desks: Desks,
) -> None:
    desk = await desks("fulfillment")
    plain = await desk.deliver(_stock())
    trace = "0af7651916cd43dd8448eb211c80319c"
    traced = replace(plain.envelope, id=uuid7(), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    for outcome, expected in (
        (plain, plain.envelope.id.hex),
        (await desk.deliver(_stock(9), envelope=traced), trace),
    ):
        [(envelope, _)] = outcome.emitted
        _, found, span, _ = str(envelope.traceparent).split("-")
        assert (found, len(span), span == "b7ad6b7169203331") == (expected, 16, False)
