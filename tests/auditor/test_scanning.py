"""A scan in pieces finds what a scan of everything finds; a scan costs what changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.envelope import uuid7_floor
from deploy.auditor import scanning
from deploy.auditor.auditing import run_checks
from deploy.auditor.finding import CHECKS
from deploy.auditor.inputs import Inputs
from deploy.auditor.scanning import AS_A_WHOLE, EACH_TIME, FOR_PEOPLE, Progress, Scanner, pieces
from deploy.auditor.scope import OF_ORDERS, Scope
from tests.auditor.life import Life
from tests.auditor.plants import DAMAGES, Damage

SEEN_BY_A_WATCH = [damage for damage in DAMAGES if damage.seen_by - FOR_PEOPLE]


def in_small_pieces(monkeypatch: pytest.MonkeyPatch, orders: int = 7) -> None:
    """So many orders a piece, and as many pieces a scan as it takes."""
    monkeypatch.setattr(scanning, "ORDERS_OF_A_PIECE", orders)
    monkeypatch.setattr(scanning, "PIECES_SECONDS", 600.0)


@pytest.mark.parametrize(
    "damage", SEEN_BY_A_WATCH, ids=[damage.what.replace(" ", "-") for damage in SEEN_BY_A_WATCH]
)
async def test_a_full_scan_in_pieces_finds_what_a_scan_of_everything_finds(
    inputs: Inputs, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_small_pieces(monkeypatch, orders=9)
    assert len([piece async for piece in pieces(inputs) if isinstance(piece, Scope)]) > 2
    damaged = await damage.plant(inputs)
    found = await Scanner(damaged, Progress()).scan(())
    assert {one.check for one in found} == damage.seen_by - FOR_PEOPLE, "\n".join(map(str, found))
    monkeypatch.setattr(scanning, "PIECES_SECONDS", 0.0)
    again = await Scanner(damaged, Progress()).scan(found)
    assert set(again) == set(found), "what was suspected alone is seen again without a full scan"


async def test_all_orders_are_in_one_piece_each(
    inputs: Inputs, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_small_pieces(monkeypatch)
    scopes = [piece async for piece in pieces(inputs) if isinstance(piece, Scope)]
    ids = [order_id for scope in scopes for order_id in scope.orders]
    assert len(ids) == len(set(ids))
    rows = await inputs.orders.fetch("SELECT order_id FROM orders")
    assert {row["order_id"] for row in rows} <= set(ids)
    assert max(len(scope.orders) for scope in scopes) <= 7 * 5
    assert len(scopes) > 3
    assert scopes[-1] == Scope(None)


async def test_a_scan_checks_what_changed_and_what_is_suspected(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "PIECES_SECONDS", 0.0)
    later = datetime.now(UTC) + timedelta(hours=1)
    scanner = Scanner(inputs, progress := Progress(began=later))
    assert await scanner.scan(()) == []
    assert progress.orders == 0
    changed, other = (
        row["order_id"] for row in await inputs.orders.fetch("SELECT order_id FROM orders LIMIT 2")
    )
    for order_id in (changed, other):
        await inputs.orders.execute("UPDATE orders SET flags = '{planted}' WHERE order_id = $1", order_id)
    progress.began = later
    assert await scanner.scan(()) == []
    await inputs.payments.execute(
        """INSERT INTO msg.event_log (id, type, time, shop, subject, body)
           SELECT $1, 'planted', now(), shop, order_id::text, '' FROM account WHERE order_id = $2""",
        *(uuid7_floor(later), changed),
    )
    progress.began = later
    found = await scanner.scan(())
    assert progress.orders == 1
    assert {str(changed) in one.where for one in found} == {True}
    assert {one.check for one in found} == {"states_follow_from_facts", "facets_equal_their_orders"}
    progress.began = later + timedelta(hours=1)
    assert set(await scanner.scan(found)) == set(found)
    await inputs.orders.execute("UPDATE orders SET flags = '{}' WHERE order_id = $1", changed)
    progress.began = later + timedelta(hours=1)
    assert await scanner.scan(found) == []


async def test_a_full_scan_goes_on_from_scan_to_scan(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ORDERS_OF_A_PIECE", 7)
    monkeypatch.setattr(scanning, "PIECES_SECONDS", 1e-9)
    ticks = iter(range(10_000))
    monkeypatch.setattr(scanning, "monotonic", lambda: next(ticks) * 0.6e-9)
    scanner = Scanner(inputs, progress := Progress())
    scans = 0
    while progress.full_scan_at is None:
        await scanner.scan(())
        scans += 1
    assert scans > 10
    orders = await inputs.orders.fetchval("SELECT count(*) FROM orders")
    assert progress.full_scan_orders >= orders


async def test_tables_in_a_scope_have_the_columns_that_it_needs(inputs: Inputs) -> None:
    for service, names in OF_ORDERS.items():
        for name in names:
            rows: list[Any] = await inputs.connections[service].fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
                name,
            )
            assert {"shop", "order_id"} <= {row["column_name"] for row in rows}, (service, name)


async def test_checks_are_sorted_into_existing_ones(inputs: Inputs) -> None:
    assert {*EACH_TIME, *AS_A_WHOLE, *FOR_PEOPLE} <= set(CHECKS)
    assert await run_checks(inputs, EACH_TIME) == []
