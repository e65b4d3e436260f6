"""The continuous auditor: it scans repeatedly and reports persistent violations.

A working system constantly breaks some invariant while an event is in flight. So a finding counts only when
the same one (row, expected, found) is present at two scans in a row; a finding that has changed in between
was traffic.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import structlog

from deploy.auditor.finding import CHECKS, Violation, sentence_of
from deploy.auditor.inputs import Inputs, Journals, open_inputs
from deploy.auditor.scanning import Progress, Scanner

log = structlog.get_logger()
EVERY_SECONDS = 5.0
MOST_SECONDS = 600.0
"""Time limit of one scan; the connections outlast it."""
REST = 4.0
"""Minimum pause after a scan, as a multiple of its duration: scanning never takes more than a fifth of
the time.
"""
MOST_LISTED = 50
"""Violations listed for one check, the latest first; its count covers all. So no check hides another."""


@dataclass
class Watch:
    """Findings so far. `report`: JSON for display. `backups` is the folder of backups, if it is watched."""

    report: dict[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    failed: int = 0
    backups: Path | None = None
    scanned_at: datetime | None = None
    _suspected: dict[Violation, datetime] = field(default_factory=dict)
    _is_failing: bool = False

    @property
    def suspected(self) -> Collection[Violation]:
        """Return what the last scan found, whether it persists or not."""
        return self._suspected.keys()

    def scan(self, violations: Sequence[Violation], now: datetime, seconds: float) -> list[Violation]:
        """Record one scan; findings that were also present at the previous scan are violations."""
        if self._is_failing:
            log.info("scans succeed again")
        self._is_failing, self.scanned_at = False, now
        before, self._suspected = self._suspected, {}
        for violation in violations:
            self._suspected[violation] = before.get(violation, now)
        lasting = [violation for violation in dict.fromkeys(violations) if violation in before]
        counts = dict.fromkeys(CHECKS, 0)
        for violation in lasting:
            counts[violation.check] += 1
        self._note(counts)
        progress = self.progress
        self.report = {
            "at": _text(now),
            "seconds": round(seconds, 2),
            "error": None,
            "count": len(lasting),
            "in_motion": len(self._suspected) - len(lasting),
            "orders": progress.orders,
            "full_scan": progress.full_scan_at
            and {
                "at": _text(progress.full_scan_at),
                "seconds": round(progress.full_scan_seconds or 0.0, 2),
                "orders": progress.full_scan_orders,
            },
            "checks": [
                {"name": name, "sentence": sentence_of(name), "violations": count}
                for name, count in counts.items()
            ],
            "violations": [
                {**asdict(violation), "since": _text(self._suspected[violation])}
                for violation in self._listed(lasting)
            ],
        }
        return lasting

    def _note(self, counts: Mapping[str, int]) -> None:
        """Log violations that began or ended; the rows are in the report, not in the log."""
        before = {each["name"]: each["violations"] for each in self.report.get("checks", ())}
        for name, count in counts.items():
            if count and not before.get(name):
                log.warning("violations found", check=name, count=count)
            elif before.get(name) and not count:
                log.info("violations gone", check=name)

    def _listed(self, lasting: Sequence[Violation]) -> list[Violation]:
        by_check: dict[str, list[Violation]] = {}
        for violation in sorted(lasting, key=lambda one: self._suspected[one], reverse=True):
            by_check.setdefault(violation.check, []).append(violation)
        return [one for name in CHECKS for one in by_check.get(name, ())[:MOST_LISTED]]

    def fail(self, error: Exception, now: datetime) -> None:
        """Record that a scan could not be finished: earlier results are kept, with the error and its time."""
        self.failed += 1
        if not self._is_failing:
            log.warning("scan failed; trying again", error=f"{type(error).__name__}: {error}"[:500])
        self._is_failing = True
        self.report = {
            **self.report,
            "failed_at": _text(now),
            "error": f"{type(error).__name__}: {error}"[:500],
        }


async def watch(
    urls: Mapping[str, str],
    every_seconds: float,
    out: Path | None,
    state: Watch,
    journals: Callable[[], Journals] = Journals,
) -> None:
    """Scan every so many seconds, or less often, until cancelled; after a scan that raised, try the next one."""
    while True:
        try:
            async with open_inputs(urls) as inputs:
                await _scan_on(inputs, every_seconds, out, state, journals)
        except Exception as error:  # noqa: BLE001 - whatever a scan raises is reported, and the next one is tried
            state.fail(error, datetime.now(UTC))
            _write(out, state)
        await asyncio.sleep(every_seconds)


async def _scan_on(
    inputs: Inputs, every_seconds: float, out: Path | None, state: Watch, journals: Callable[[], Journals]
) -> None:
    """Scan until a scan raises."""
    scanner = Scanner(inputs, state.progress)
    while True:
        began = monotonic()
        async with asyncio.timeout(MOST_SECONDS):
            violations = await scanner.scan(state.suspected, journals)
        state.scan(violations, datetime.now(UTC), monotonic() - began)
        _write(out, state)
        await asyncio.sleep(pause(every_seconds, monotonic() - began))


def _write(out: Path | None, state: Watch) -> None:
    if out is not None:
        write_whole(out, state.report)


def pause(every_seconds: float, took_seconds: float) -> float:
    """Return how long to wait after a scan of this duration: until the next is due, and longer where scans
    are slow.
    """
    return max(every_seconds - took_seconds, REST * took_seconds)


def write_whole(path: Path, report: Mapping[str, Any]) -> None:
    """Write the report atomically: a reader sees the old one or the new one, never a partial one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


async def run_until_cancelled(
    urls: Mapping[str, str],
    every_seconds: float,
    out: Path | None,
    serving: Callable[[Watch], Awaitable[None]] | None,
    journals: Callable[[], Journals] = Journals,
    backups: Path | None = None,
) -> None:
    """Run the watch, and `serving` with its report, if given. When either ends, so does the other."""
    state = Watch(backups=backups)
    watching = asyncio.create_task(watch(urls, every_seconds, out, state, journals))
    tasks = [watching, *([asyncio.ensure_future(serving(state))] if serving is not None else [])]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _text(timestamp: datetime) -> str:
    return timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
