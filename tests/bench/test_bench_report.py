"""The bench's arithmetic and report, and a tiny run of everything on the real parts."""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter as Counted
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Summary, generate_latest
from rich.console import Console

from contracts.storefront import OrderSubmitted
from deploy.local.parts import Parts, Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.system import System
from services.chassis import metrics
from tests.bench.__main__ import MEASURES, ROOT, measure_all
from tests.bench.connection import Connections
from tests.bench.counting import Counts, batch_sizes, kilobytes_each, statements_each
from tests.bench.harness import BenchStuck, Harness
from tests.bench.latency import held_over
from tests.bench.living import World, live_all
from tests.bench.paying import Provider, pay_steadily, succeeded
from tests.bench.progress import Progress
from tests.bench.report import cells, lines_of, show, write_report
from tests.bench.row import Held, Row, per_second, percentile
from tests.bench.sales import LINES, intent_of, model_of
from tests.bench.scale import SMOKE, Scale, full_scale
from tests.bench.template import Table, shifted

SMOKE_SECONDS = 480
NAMES = (
    "intake",
    "life",
    "bytes",
    "latency",
    "replicas",
    "webhook",
    "catch-up",
    "memory",
    "list",
    "search",
    "export",
    "invoices",
    "mails",
    "invoice",
)
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
def test_one_timestamp_gives_no_rate(batches: list[tuple[float, int]]) -> None:
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
        (Row("mails", 700, "mails/s", floor=18_000, goal=150, is_floor_partial=True), 0.0389, True),
        (Row("mails", 100, "mails/s", floor=18_000, goal=150, is_floor_partial=True), 0.0056, False),
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


def test_the_table_states_what_was_reached() -> None:
    row = Row("webhook p99 at 300/s", 61.04, "ms", goal=50, less_is_better=True)
    assert cells(row) == ("webhook p99 at 300/s", "61.0 ms", "", "", "≤ 50.0", "missed")
    console = Console(record=True, width=120)
    show(console, [row, Row("life", 2345.6, "orders/s", floor=4000, goal=200)], ["2 cores"])
    text = console.export_text()
    assert all(word in text for word in ("61.0 ms", "missed", "2,346 orders/s", "0.59", "reached", "2 cores"))


def test_a_rate_that_was_not_held_is_reported_and_misses_its_goal() -> None:
    row = Row("webhook p99", 4.0, "ms", goal=50, less_is_better=True, held=Held(300, 212.4))
    assert row.is_met is False
    assert cells(row)[-1] == "held 212/s of 300/s"
    assert row.document()["held"] == {"asked": 300, "reached": 212.4}
    held = Row("webhook p99", 4.0, "ms", goal=50, less_is_better=True, held=Held(300, 299))
    assert (held.is_met, cells(held)[-1]) == (True, "reached")


def test_lives_that_take_their_own_time_at_the_end_have_held_the_rate() -> None:
    assert held_over(50, 1000, 20, 20.6) == Held(50, 50)
    assert held_over(50, 1000, 20, 41).is_held is False
    assert held_over(50, 1000, 20, 41).reached == 25
    assert held_over(50, 0, 20, 0.001) == Held(50, 0)


def test_a_figure_names_its_components() -> None:
    parts = {"statements per life": {"orders": 20.155, "payments": 8.0}, "messages per batch": {"a.b": 4.0}}
    row = Row("life", 201.0, "orders/s", parts=parts)
    assert row.document()["parts"]["statements per life"] == {"orders": 20.16, "payments": 8.0}
    assert lines_of(row) == [
        "life, statements per life: orders 20.16, payments 8.00; sum 28.16",
        "life, messages per batch: a.b 4.00",
    ]


def test_what_services_counted_is_reported_per_life_and_per_batch() -> None:
    before, after = Counts(bytes={"orders": 1000}), Counts(bytes={"orders": 27_000})
    before.add("orders", _exposed(statements=100, messages=40, batches=10))
    after.add("orders", _exposed(statements=300, messages=80, batches=14))
    after.add("payments", "# nothing yet")
    assert statements_each(before, after, 10) == {"orders": 20, "payments": 0}
    assert batch_sizes(before, after) == {"orders.payments": 10}
    assert batch_sizes(after, after) == {}
    after.add("orders", _exposed(statements=50, messages=10, batches=2))  # another process of it
    assert statements_each(before, after, 10) == {"orders": 25, "payments": 0}
    assert batch_sizes(before, after) == {"orders.payments": pytest.approx(50 / 6)}
    assert kilobytes_each(before, after, 2) == {"orders": 13}


def _exposed(statements: int, messages: int, batches: int) -> str:
    """Counters as the client library exposes them, of names that services have."""
    registry = CollectorRegistry()
    for metric in (metrics.STATEMENTS, metrics.BATCH_SIZE):
        assert metric._name in ("comptoir_database_statements", "comptoir_batch_messages")
    counter = Counter("comptoir_database_statements_total", "…", ["service"], registry=registry)
    counter.labels("orders").inc(statements)
    histogram = Summary("comptoir_batch_messages", "…", ["service", "queue"], registry=registry)
    for batch in range(batches):
        histogram.labels("orders", "orders.payments").observe(messages if batch == 0 else 0)
    return generate_latest(registry).decode()


async def test_a_measurement_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    async def fails(_: Harness) -> list[Row]:
        raise BenchStuck("orders: 3 of 7 after 120 s")

    async def works(_: Harness) -> list[Row]:
        written.append(json.loads((tmp_path / "report.json").read_text()))
        return [Row("life", 1.0, "orders/s", goal=1)]

    written: list[Any] = []
    console = Console(record=True, width=120)
    rows = await measure_all(
        _a_harness(tmp_path, console), {"intake": fails, "life": works}, tmp_path / "report.json"
    )
    assert [row["name"] for row in json.loads((tmp_path / "report.json").read_text())] == ["intake", "life"]
    assert [row["failed"] for row in written[0]] == ["orders: 3 of 7 after 120 s"]
    assert cells(rows[0])[-1] == "failed: orders: 3 of 7 after 120 s"
    assert "intake: failed (orders: 3 of 7 after 120 s)" in console.export_text()
    assert "BenchStuck" in (tmp_path / "ours" / "failed-intake.txt").read_text()


def _a_harness(folder: Path, console: Console) -> Harness:
    (folder / "ours").mkdir()
    ours = System(folder / "ours", Postgres(""), RabbitMQ("", ""), [])
    return Harness(Parts(ours.postgres, ours.rabbitmq), ours, ours, SMOKE, None, Progress(console))


async def test_progress_is_reported_while_something_runs() -> None:
    console = Console(record=True, width=120)
    progress, counted = Progress(console), asyncio.Event()

    async def count() -> int:
        counted.set()
        return 7

    async with progress.watching("whole lives", count):
        await counted.wait()
        progress.begin("orders: 5 of 10")
        progress.report("orders: 6 of 10")
    progress.end("life: measured")
    output = [line.strip().partition("s  ")[2] or line for line in console.export_text().splitlines()]
    assert output == ["whole lives", "orders: 5 of 10", "life: measured"]


async def test_lives_that_fail_or_hang_are_counted_and_end_nothing_else() -> None:
    world = _Strange()
    order = {"first": 0, "seconds": 0.05, "patience_seconds": 0.1, "per_second": 100.0, "at_once": 1}
    await live_all(world, order)
    assert world.finished >= 1
    assert world.failed["ValueError: refused"] >= 1
    assert world.failed["not over in time"] >= 1
    assert world.finished + world.failed.total() == world.begun


class _Strange(World):
    """Every third life ends, every third is refused, every third never ends."""

    def __init__(self) -> None:
        self.failed, self.finished, self.last_finished, self.begun = Counted(), 0, 0.0, 0

    async def _live(self, number: int) -> None:
        self.begun += 1
        if number % 3 == 1:
            raise ValueError("refused")
        if number % 3 == 2:
            await asyncio.Event().wait()


async def test_posts_that_nobody_answers_are_counted() -> None:
    async with Connections("127.0.0.1", free_ports(1), 2) as connections:
        provider = Provider(connections, "/webhooks/stripe/x", "whsec_x")
        await pay_steadily(provider, iter(range(1000)), time.perf_counter() + 0.05, 0.01)
    assert set(provider.statuses) == {"ConnectionRefusedError"}
    assert 1 <= provider.statuses.total() <= 6


async def test_a_request_goes_to_another_process_when_one_refuses_or_hangs_up() -> None:
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        if len(requests) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Connections("127.0.0.1", [*free_ports(1), port], 1) as connections:
        assert await connections.post("/", b"") == (200, b"ok")
    assert len(requests) == 2


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
    hashed = Table(
        "page_link", ("token_hash", "logo"), ("bytea", "bytea"), [[(b"hash", b"logo"), (None, None)]]
    )
    columns = hashed.cloned([(0, 5), (0, 6)])
    assert columns is not None
    assert len({*columns[0]} - {b"hash", None}) == 2
    assert columns[1] == [b"logo", None] * 2
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
        output, _ = await asyncio.wait_for(process.communicate(), SMOKE_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, output.decode()[-3000:]
    rows = json.loads(report.read_text())
    assert {row["name"].split()[0] for row in rows} == set(NAMES)
    assert all(row["value"] > 0 and row["goal"] for row in rows)
    with_floor = {"intake", "life", "catch-up", "mails", "replicas 2", "replicas 2 restarted in turn"}
    assert {row["name"] for row in rows if row["floor"]} == with_floor
    assert set(MEASURES) <= set(NAMES)
