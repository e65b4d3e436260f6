"""The database itself refuses what the rules forbid, whatever program asks."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from contracts.envelope import uuid7
from tests.conftest import FreshDatabase
from tests.fulfillment.builders import PLACED_AT

ORDER, PARCEL, SHIPMENT, OTHER = uuid7(), uuid7(), uuid7(), uuid7()


@pytest.fixture
async def rows(fresh_database: FreshDatabase) -> AsyncIterator[Any]:
    """A connection to a database with one order: three units ordered, two packed, one shipped."""
    connection = await asyncpg.connect(await fresh_database("fulfillment"))
    await connection.execute(f"""
        INSERT INTO fulfilment_order VALUES ('s', '{ORDER}', 'K7F3-QD9M', '{PLACED_AT}', 'reserved', 2, 1, 2);
        INSERT INTO order_line (shop, order_id, line, kind, sku, ordered, packed, shipped, delivered)
            VALUES ('s', '{ORDER}', 1, 'ship', 'A', 3, 2, 1, 0);
        INSERT INTO stock_level VALUES ('s', 'A', 'main', 5, 2);
        INSERT INTO reservation (shop, order_id, line, sku, location, taken, shipped)
            VALUES ('s', '{ORDER}', 1, 'A', 'main', 3, 1);
        INSERT INTO stock_movement VALUES ('s', '{ORDER}', 1, '{ORDER}', 'reserve', 'A', 'main', 3, now());
        INSERT INTO stock_movement VALUES ('s', NULL, NULL, '{OTHER}', 'adjust', 'A', 'main', -3, now());
        INSERT INTO parcel (shop, order_id, parcel_id, number, kind, packed_at, packed_by)
            VALUES ('s', '{ORDER}', '{PARCEL}', 1, 'box', now(), 'zoe');
        INSERT INTO shipment (shop, order_id, shipment_id, carrier, shipped_on, notify_customer, dispatched_at,
                              dispatched_by)
            VALUES ('s', '{ORDER}', '{SHIPMENT}', 'DPD', '2026-11-21', false, now(), 'zoe'),
                   ('s', '{ORDER}', '{OTHER}', 'DPD', '2026-11-21', false, now(), 'zoe');
        INSERT INTO shipment_parcel VALUES ('s', '{ORDER}', '{SHIPMENT}', '{PARCEL}');
    """)  # noqa: S608 - constants of this file
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("packed_within_need", "UPDATE order_line SET packed = 4"),
        ("packed_within_need", "UPDATE order_line SET cancelled = 2"),
        (
            "cancelled_within_ordered",
            "UPDATE order_line SET cancelled = 4, packed = 0, shipped = 0, lost = 0",
        ),
        ("lost_within_packed", "UPDATE order_line SET lost = 3"),
        ("shipped_within_packed", "UPDATE order_line SET shipped = 3"),
        ("delivered_within_shipped", "UPDATE order_line SET delivered = 2"),
        ("returned_within_shipped", "UPDATE order_line SET returned = 2"),
        ("order_line_returned_check", "UPDATE order_line SET returned = -1"),
        ("available_not_negative", "UPDATE stock_level SET reserved = 6"),
        ("available_not_negative", "UPDATE stock_level SET on_hand = 1"),
        ("stock_level_reserved_check", "UPDATE stock_level SET reserved = -1"),
        ("given_back_within_taken", "UPDATE reservation SET released = 3"),
        ("restocked_within_shipped", "UPDATE reservation SET restocked = 2"),
        ("fulfilment_order_stock_check", "UPDATE fulfilment_order SET stock = 'hoped_for'"),
        ("cost_has_a_currency", "UPDATE shipment SET cost_minor = 690"),
        ("delivery_is_whole", "UPDATE shipment SET delivered_at = now()"),
        ("delivery_is_whole", "UPDATE shipment SET proof_reference = 'S-77'"),
    ],
)
async def test_quantities_that_do_not_hold_together_are_refused(
    rows: Any, constraint: str, statement: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await rows.execute(statement)
    assert refused.value.constraint_name == constraint


async def test_a_movement_counts_once(rows: Any) -> None:
    again = "INSERT INTO stock_movement VALUES ('s', $1, $2, $3, $4, 'A', 'main', $5, now())"
    for values in ((ORDER, 1, ORDER, "reserve", 3), (None, None, OTHER, "adjust", -3)):
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await rows.execute(again, *values)
        assert refused.value.constraint_name == "movement_once"


@pytest.mark.parametrize(
    ("constraint", "order_id", "kind", "quantity"),
    [
        ("quantity_signed_by_kind", ORDER, "ship", -1),
        ("quantity_signed_by_kind", None, "adjust", 0),
        ("of_an_order_or_an_adjustment", ORDER, "adjust", 1),
        ("of_an_order_or_an_adjustment", None, "ship", 1),
    ],
)
async def test_a_movement_makes_sense(
    rows: Any, constraint: str, order_id: UUID | None, kind: str, quantity: int
) -> None:
    statement = "INSERT INTO stock_movement VALUES ('s', $1, $2, $3, $4, 'A', 'main', $5, now())"
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await rows.execute(statement, order_id, 1 if order_id else None, uuid7(), kind, quantity)
    assert refused.value.constraint_name == constraint


@pytest.mark.parametrize(
    "statement",
    ["UPDATE stock_movement SET quantity = 9", "DELETE FROM stock_movement", "TRUNCATE stock_movement"],
)
async def test_movements_are_append_only(rows: Any, statement: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await rows.execute(statement)


async def test_a_parcel_leaves_once(rows: Any) -> None:
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await rows.execute("INSERT INTO shipment_parcel VALUES ('s', $1, $2, $3)", ORDER, OTHER, PARCEL)
    assert refused.value.constraint_name == "parcel_ships_once"
