"""The bench's arithmetic and report, and a tiny run of everything on the real parts."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from contracts.storefront import OrderSubmitted
from tests.bench.__main__ import MEASURES, ROOT
from tests.bench.paying import succeeded
from tests.bench.report import cells, show, write_report
from tests.bench.row import Row, per_second, percentile
from tests.bench.sales import LINES, intent_of, model_of
from tests.bench.scale import Scale, full_scale
from tests.bench.template import Table, shifted

SMOKE_SECONDS = 170
NAMES = ("intake", "life", "latency", "webhook", "catch-up", "memory", "list", "search", "export")
VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


@given(VALUES, st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], percent: int
) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_percentiles_of_known_values() -> None:
    assert percentile([], 99) == 0
    assert percentile([3.0, 1.0, 2.0], 50) == 2
    assert percentile([float(each) for each in range(1, 101)], 99) == 99


def test_a_rate_leaves_out_the_batch_whose_end_is_unknown() -> None:
    assert per_second([(10.0, 50), (10.5, 100), (11.0, 7)]) == 150
    assert per_second([(11.0, 7), (10.0, 50), (10.5, 100)]) == 150


@pytest.mark.parametrize("batches", [[], [(1.0, 100)], [(1.0, 100), (1.0, 100)]])
def test_one_moment_gives_no_rate(batches: list[tuple[float, int]]) -> None:
    with pytest.raises(ValueError, match="give no rate"):
        per_second(batches)


@pytest.mark.parametrize(
    ("row", "ratio", "is_met"),
    [
        (Row("intake", 2600, "orders/s", floor=5000, goal=2500), 0.52, True),
        (Row("intake", 2600, "orders/s", floor=5300, goal=2500), 0.4906, False),
        (Row("intake", 2400, "orders/s", floor=2500, goal=2500), 0.96, False),
        (Row("latency p50", 49.0, "ms", goal=50, less_is_better=True), None, True),
        (Row("latency p50", 51.0, "ms", goal=50, less_is_better=True), None, False),
        (Row("noted", 51.0, "ms"), None, None),
    ],
)
def test_a_goal_is_met_by_value_and_ratio(row: Row, ratio: float | None, is_met: bool | None) -> None:
    assert row.ratio == (ratio if ratio is None else pytest.approx(ratio, abs=1e-4))
    assert row.is_met is is_met


def test_the_report_holds_the_agreed_keys(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    write_report(path, [Row("life", 201.26, "orders/s", floor=399.9, goal=200), Row("life noted", 1.0, "s")])
    assert json.loads(path.read_text()) == [
        {"name": "life", "value": 201.3, "unit": "orders/s", "floor": 399.9, "ratio": 0.503, "goal": 200},
        {"name": "life noted", "value": 1.0, "unit": "s", "floor": None, "ratio": None, "goal": None},
    ]
    assert list(path.parent.iterdir()) == [path]


def test_the_table_says_what_was_reached() -> None:
    row = Row("webhook p99 at 300/s", 61.04, "ms", goal=50, less_is_better=True)
    assert cells(row) == ("webhook p99 at 300/s", "61.0 ms", "", "", "≤ 50.0", "missed")
    console = Console(record=True, width=120)
    show(console, [row, Row("life", 2345.6, "orders/s", floor=4000, goal=200)], ["2 cores"])
    text = console.export_text()
    assert all(word in text for word in ("61.0 ms", "missed", "2,346 orders/s", "0.59", "reached", "2 cores"))


def test_the_environment_lengthens_the_run() -> None:
    assert full_scale({}) == Scale()
    longer = full_scale({"BENCH_SECONDS": "60", "BENCH_EVENTS": "100000"})
    assert (longer.life_seconds, longer.catch_up_events) == (60, 100_000)


def test_every_order_of_the_generators_is_one_comptoir_takes() -> None:
    for number in range(60):
        submitted = OrderSubmitted.model_validate_json(model_of(number).submitted(number))
        assert len(submitted.lines) == LINES
        assert submitted.totals.total_minor == model_of(number).total_minor
        assert submitted.payment is not None
        assert submitted.payment.provider_reference == intent_of(number)
        assert submitted.idempotency_key == f"bench-{number}"


def test_every_webhook_of_the_generators_is_about_its_own_order() -> None:
    bodies = [succeeded(number) for number in (7, 67, 127)]
    for number, body in zip((7, 67, 127), bodies, strict=True):
        event = json.loads(body)
        assert event["data"]["object"]["id"] == intent_of(number)
        assert event["data"]["object"]["amount_received"] == model_of(number).total_minor
    assert len({json.loads(body)["id"] for body in bodies}) == len(bodies)


def test_a_clone_has_ids_of_its_own_and_the_same_content() -> None:
    original = UUID("01935000-0000-7000-8000-000000000001")
    rows = [[(original, "K7F3-QD9M", "{a}", 3)], []]
    table = Table("orders", ("order_id", "code", "flags", "n"), ("uuid", "text", "text[]", "integer"), rows)
    assert table.cloned([(1, 5)]) is None
    assert table.cloned([(0, 5), (0, 6)]) == [
        [shifted(original, 5), shifted(original, 6)],
        ["K7F3-QD9M.5", "K7F3-QD9M.6"],
        ["{a}", "{a}"],
        [3, 3],
    ]
    assert shifted(original, 5) == UUID("01935000-0005-7000-8000-000000000001")
    assert "$3::text[]" in table.statement
    assert "r.flags::text[]" in table.statement


@pytest.mark.timeout(SMOKE_SECONDS + 30)
async def test_a_tiny_run_measures_everything_on_real_parts(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench", "--smoke", "--report", report),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), SMOKE_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, said.decode()[-3000:]
    rows = json.loads(report.read_text())
    assert {row["name"].split()[0] for row in rows} == set(NAMES)
    assert all(row["value"] > 0 and row["goal"] for row in rows)
    assert {row["name"] for row in rows if row["floor"]} == {"intake", "life", "catch-up"}
    assert set(MEASURES) <= set(NAMES)
