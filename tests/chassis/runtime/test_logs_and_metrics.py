"""A line per message with its ids and without its body, and figures for what happened."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY, Gauge
from pydantic import BaseModel, ValidationError
from structlog._config import BoundLoggerLazyProxy

from services.chassis import metrics
from services.chassis.errors import describe
from services.chassis.logs import configure_logs
from services.chassis.runtime.loop_lag import SAMPLE_SECONDS, measure_lag
from services.chassis.testing import Desk, wait_until
from tests.chassis.conftest import SampleDesks
from tests.chassis.messaging.test_reading import arrival
from tests.chassis.operators import operator
from tests.chassis.sample import ask

CUSTOMER = "Jeanne Moulin"
WAIT_SECONDS = 0.2


@pytest.fixture
def _plain_logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for module in list(sys.modules.values()):
        if isinstance(log := getattr(module, "log", None), BoundLoggerLazyProxy):
            vars(log).pop("bind", None)  # what it remembers since its first use


@pytest.mark.usefixtures("_plain_logs")
async def test_a_line_per_message_with_its_ids(
    sample_desks: SampleDesks, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await sample_desks()
    monkeypatch.setattr(logging.root, "handlers", [])
    configure_logs("fulfillment", "INFO")
    outcome = await desk.deliver(ask(sku=CUSTOMER))
    await desk.deliver(ask("overflow", CUSTOMER))
    await desk.hub.committer.commit([arrival(json.dumps({"actor": [CUSTOMER]}).encode())])
    logging.getLogger("elsewhere").error("of the standard library")
    output = capsys.readouterr().err
    lines = [json.loads(line) for line in output.splitlines()]
    first = next(line for line in lines if line["event"] == "message")
    assert first["event_id"] == str(outcome.envelope.id)
    assert (first["end"], first["queue"], first["service"]) == (
        "handled",
        "fulfillment.orders",
        "fulfillment",
    )
    assert [line["end"] for line in lines if line["event"] == "message"] == ["handled", "waiting", "parked"]
    failed = next(line for line in lines if line["event"] == "message failed")
    assert any("sample.py" in place for place in failed["places"])
    assert lines[-1]["event"] == "of the standard library"
    assert CUSTOMER not in output


@pytest.mark.usefixtures("_plain_logs")
async def test_an_unwritable_log_does_not_fail_the_work(
    sample_desks: SampleDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await sample_desks()
    reading, writing = os.pipe()
    os.close(reading)
    with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "w", buffering=1) as nowhere:
        monkeypatch.setattr(sys, "stderr", nowhere)
        configure_logs("fulfillment", "INFO")
        assert (await desk.deliver(ask())).result == "handled"
        assert (await desk.deliver(ask("raise"))).result == "waiting"


async def test_an_error_is_reported_without_the_row_it_is_about(sample_desks: SampleDesks) -> None:
    desk: Desk = await sample_desks()
    await desk.hub.pool.execute("CREATE TABLE people (name text UNIQUE CHECK (name <> 'x'), age integer)")
    descriptions = []
    for statement, values in (
        ("INSERT INTO people VALUES ($1), ($1)", [CUSTOMER]),
        ("INSERT INTO people VALUES ($1, $2)", ["x", 7]),
        ("SELECT $1::text::integer", [CUSTOMER]),
        ("SELECT $1::integer", [CUSTOMER]),
    ):
        try:
            await desk.hub.pool.execute(statement, *values)
        except Exception as error:  # noqa: BLE001
            descriptions.append(describe(error))
    descriptions.append(describe(refused({"age": CUSTOMER})))
    assert len(descriptions) == 5
    assert CUSTOMER not in str(descriptions)
    assert "UniqueViolationError 23505" in descriptions[0]


def refused(value: Any) -> ValidationError:
    """pydantic's error about a value."""

    class Person(BaseModel):
        age: int

    with pytest.raises(ValidationError) as error:
        Person.model_validate(value)
    return error.value


async def test_the_figures_are_there(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    before = {"duplicate": count("comptoir_messages_duplicate_total"), "handled": handled()}
    one = ask()
    outcome = await desk.deliver(one)
    await desk.deliver(one, envelope=outcome.envelope)
    await desk.deliver(ask("refuse"))
    assert handled() == before["handled"] + 1
    assert count("comptoir_messages_duplicate_total") == before["duplicate"] + 1
    async with operator(desk.hub) as client:
        text = (await client.get("/metrics")).text
    for series in (
        'comptoir_messages_parked_total{queue="fulfillment.orders",reason="not_sold_here",service="fulfillment"}',
        "comptoir_event_age_seconds_bucket",
        "comptoir_batch_messages_bucket",
        "comptoir_commit_seconds_bucket",
    ):
        assert series in text


async def test_statements_are_counted(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    before = statements()
    await desk.fetch("SELECT 1")
    assert await desk.fetchval("SELECT 2") == 2
    async with desk.hub.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 3")
        await connection.fetchrow("SELECT 4")
        await connection.executemany("SELECT $1::int", [(5,), (6,)])
    assert statements() - before == 7


def statements() -> float:
    return REGISTRY.get_sample_value("comptoir_database_statements_total", {"service": "fulfillment"}) or 0.0


def count(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"service": "fulfillment", "queue": "fulfillment.orders"}) or 0.0


def handled() -> float:
    labels = {"service": "fulfillment", "queue": "fulfillment.orders", "type": "orders.stock.set.v1"}
    return REGISTRY.get_sample_value("comptoir_messages_handled_total", labels) or 0.0


def test_each_gauge_states_whether_replicas_are_added_up() -> None:
    gauges = [value for value in vars(metrics).values() if isinstance(value, Gauge)]
    assert gauges
    for gauge in gauges:
        of_a_process = gauge in (metrics.POOL_CONNECTIONS, metrics.POOL_CONNECTIONS_MAX)
        how = "Each process has its own: sum" if of_a_process else "max"
        assert f"{how} by ({', '.join(gauge._labelnames)})" in gauge._documentation


async def test_a_pool_without_a_free_connection_shows_in_its_figures(sample_desks: SampleDesks) -> None:
    desk = await sample_desks(pool_size=2)
    waited = pool("wait_seconds_sum")
    async with desk.hub.acquire():
        assert (pool("connections", state="in_use"), pool("connections_max")) == (1, 2)
        async with desk.hub.acquire():
            assert (pool("connections", state="in_use"), pool("connections", state="idle")) == (2, 0)
            third, free_at = asyncio.create_task(_ask(desk)), monotonic() + 2 * WAIT_SECONDS
            await wait_until(lambda: monotonic() > free_at)
        await third
    assert pool("connections", state="in_use") == 0
    assert pool("wait_seconds_sum") - waited >= WAIT_SECONDS


async def _ask(desk: Desk) -> None:
    async with desk.hub.acquire() as connection:
        await connection.execute("SELECT 1")


def pool(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(f"comptoir_pool_{name}", {"pool": "main", **labels})
    assert value is not None
    return value


async def test_an_event_loop_that_is_held_up_shows_in_its_lag() -> None:
    def hold_up() -> None:
        until = monotonic() + SAMPLE_SECONDS + WAIT_SECONDS
        while monotonic() < until:
            pass

    before = lag()
    measuring = asyncio.create_task(measure_lag())
    asyncio.get_running_loop().call_soon(hold_up)
    await wait_until(lambda: lag() > before)
    measuring.cancel()
    assert lag() - before > WAIT_SECONDS / 2


def lag() -> float:
    return REGISTRY.get_sample_value("comptoir_event_loop_lag_seconds_sum") or 0.0
