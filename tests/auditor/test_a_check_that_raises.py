"""A check that raises is a finding and hides no other; a scan that raises is reported, and the next one is tried."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import pytest

from deploy.auditor import watching
from deploy.auditor.auditing import ConnectionLost, run_check, run_checks
from deploy.auditor.finding import CHECKS, Finding, Violation
from deploy.auditor.inputs import Inputs, open_inputs
from deploy.auditor.scanning import Scanner
from deploy.auditor.watching import Watch, run_until_cancelled
from tests.auditor.life import Life
from tests.auditor.plants import DAMAGES

SCANS = 20
ERRORS = [KeyError("unforeseen"), ValueError("not a number"), RuntimeError("odd"), TimeoutError()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_check_that_raises_hides_no_other(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def broken(_: Inputs) -> AsyncIterator[Finding]:
        """Hold something that cannot be looked at."""
        yield Finding("a row", "1", "2")
        raise error

    monkeypatch.setitem(CHECKS, "ledgers_have_no_gaps", broken)
    damage = next(damage for damage in DAMAGES if damage.seen_by == {"outboxes_are_empty"})
    found = await run_checks(await damage.plant(inputs))
    assert {violation.check for violation in found} == {"ledgers_have_no_gaps", "outboxes_are_empty"}
    first, failed, *_ = (violation for violation in found if violation.check == "ledgers_have_no_gaps")
    assert first.where == "a row"
    assert (failed.where, failed.expected) == ("the check itself: ledgers_have_no_gaps", "ended")
    assert failed.found.startswith(type(error).__name__)


async def test_a_query_that_fails_hides_no_other(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(given: Inputs) -> AsyncIterator[Finding]:
        """Read a column that holds something else than expected."""
        for row in await given.payments.fetch("SELECT 'external-refunds/x'::uuid AS edit_id"):
            yield Finding(str(row), "", "")

    monkeypatch.setitem(CHECKS, "ledgers_have_no_gaps", broken)
    (failed,) = await run_checks(inputs)
    assert failed.check == "ledgers_have_no_gaps"
    assert "invalid input syntax for type uuid" in failed.found


async def test_a_lost_connection_is_not_a_finding(life: Life) -> None:
    async with open_inputs(life.urls) as inputs:
        await inputs.orders.close()
        with pytest.raises(ConnectionLost):
            await run_check(inputs, "states_follow_from_facts")


async def test_scanning_goes_on_after_a_scan_that_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    scans = 0
    went_on = asyncio.Event()

    def open_inputs(_: Mapping[str, str]) -> AbstractAsyncContextManager[Any]:
        return nullcontext(object())

    async def scan(*_: Any) -> list[Violation]:
        nonlocal scans
        scans += 1
        if scans == 2:
            raise KeyError("unforeseen")
        if scans == SCANS:
            went_on.set()
        return []

    async def serving(found: Watch) -> None:
        async with asyncio.timeout(20):
            await went_on.wait()
        report.update(found.report)

    report: dict[str, Any] = {}
    monkeypatch.setattr(watching, "open_inputs", open_inputs)
    monkeypatch.setattr(Scanner, "scan", scan)
    monkeypatch.setattr(watching, "pause", lambda *_: 0.001)
    await run_until_cancelled({}, 0.001, None, serving)
    assert scans >= SCANS
    assert report["error"] is None


async def test_the_program_ends_when_its_scanning_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def watch(*_: Any) -> None:
        raise MemoryError

    async def serving(_: Watch) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(watching, "watch", watch)
    async with asyncio.timeout(20):
        with pytest.raises(MemoryError):
            await run_until_cancelled({}, 0.05, None, serving)
