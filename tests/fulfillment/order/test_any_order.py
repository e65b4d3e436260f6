"""Any permutation and repetition of an order's messages ends in the same rows."""

import random
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from contracts.envelope import Envelope, uuid7
from contracts.fulfillment.parcels import ParcelPacked
from contracts.fulfillment.shipments import DeliveryRecorded, ShipmentDispatched
from contracts.fulfillment.stock import StockReserved
from contracts.message import Message
from services.chassis.testing import Desk, envelope_for
from tests.builders.shipments import deliver, dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import goods, placed, stock_of, ticket
from tests.fulfillment.counting import assert_counts_agree
from tests.fulfillment.tables import EQUAL_COLUMNS

SHOP = "atelier"
Rows = dict[str, list[tuple[Any, ...]]]
_IDS = [uuid7() for _ in range(10)]
ORDER = placed(SHOP, goods("A", 3), goods("B", 2), ticket(), order_id=_IDS[0])
LIFE: list[Message] = [
    ORDER,
    pack(ORDER, {1: 2}, _IDS[1], weight_grams=640),
    pack(ORDER, {1: 1, 2: 2}, _IDS[2]),
    dispatch(ORDER, [_IDS[1]], _IDS[3], notify_customer=True),
    dispatch(ORDER, [_IDS[2]], _IDS[4], carrier="Chronopost", expected_on=date(2026, 11, 23)),
    deliver(ORDER, _IDS[3]),
    deliver(ORDER, _IDS[4]),
]


def _enveloped(messages: Sequence[Message]) -> list[tuple[Envelope, Message, None]]:
    return [(envelope_for("fulfillment", message), message, None) for message in messages]


async def _with_stock(desks: Desks) -> Desk:
    desk = await desks("fulfillment")
    count = stock_of(SHOP, A=10, B=10)
    await desk.deliver(count, id=_IDS[9])
    return desk


async def _rows(desk: Desk) -> Rows:
    return {
        table: sorted(
            (tuple(row) for row in await desk.fetch(f"SELECT {', '.join(columns)} FROM {table}")),  # noqa: S608
            key=repr,
        )
        for table, columns in EQUAL_COLUMNS.items()
    }


@pytest.fixture(scope="module")
def known() -> dict[str, Rows]:
    """The rows of the straight life, once a test of this module has lived it."""
    return {}


@pytest.fixture
async def expected(desks: Desks, known: dict[str, Rows]) -> Rows:
    """The rows when every message comes once, in its natural sequence."""
    if "straight" not in known:
        desk = await _with_stock(desks)
        for item in _enveloped(LIFE):
            assert (await desk.deliver_all([item]))[0].result == "handled"
        known["straight"] = await _rows(desk)
    return known["straight"]


@pytest.mark.parametrize("seed", range(12))
async def test_any_permutation_three_times_over_ends_in_equal_rows(
    desks: Desks, expected: Rows, seed: int
) -> None:
    chance = random.Random(seed)
    desk = await _with_stock(desks)
    messages = _enveloped(LIFE) * 3
    chance.shuffle(messages)
    while messages:
        size = chance.randint(1, 9)
        batch, messages = messages[:size], messages[size:]
        assert all(outcome.result != "parked" for outcome in await desk.deliver_all(batch))
        if chance.random() < 0.5:
            await desk.retry()
    await desk.retry()
    assert await _rows(desk) == expected
    await assert_counts_agree(desk)


async def test_the_same_commands_under_new_ids_change_nothing_either(desks: Desks, expected: Rows) -> None:
    desk = await _with_stock(desks)
    for message in [*LIFE, *LIFE, *reversed(LIFE)]:
        assert (await desk.deliver(message)).result == "handled"
    assert await _rows(desk) == expected


async def test_a_whole_life_costs_four_events(desks: Desks) -> None:
    desk = await _with_stock(desks)
    order = placed(SHOP, goods("A", 2))
    parcel = pack(order, {1: 2})
    shipment = dispatch(order, [parcel.parcel_id])
    texts = []
    for message in (order, parcel, shipment, deliver(order, shipment.shipment_id)):
        texts += [
            (type(event), envelope.sequence) for envelope, event in (await desk.deliver(message)).emitted
        ]
    assert texts == [(StockReserved, 1), (ParcelPacked, 2), (ShipmentDispatched, 3), (DeliveryRecorded, 4)]


async def test_a_whole_life_fits_in_one_batch(desks: Desks, expected: Rows) -> None:
    desk = await _with_stock(desks)
    outcomes = await desk.deliver_all(_enveloped(LIFE))
    assert {outcome.result for outcome in outcomes} == {"handled"}
    versions = [m.position.version for o in outcomes for _, m in o.emitted if hasattr(m, "position")]
    assert versions == [2, 3, 4, 5, 6, 7, 8]
    assert await _rows(desk) == expected
