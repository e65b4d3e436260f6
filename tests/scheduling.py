"""pytest plugin: which worker runs a test, and when (`pytest -n 2 --dist loadgroup --no-loadscope-reorder`).

Tests that share a running system go to one worker, so that it is started once; all others go file by file. Files that
take a minute or more come first and quick ones last, so that no worker waits long for the other at the end. A system
ends with its last test: its processes look for work and are scraped even when nobody uses it.
"""

import gc
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.chassis.runtime.garbage import freeze_present_objects

TESTS = Path(__file__).parent
SYSTEMS = {
    "faults": "harness",
    "browser": "running",
    "journeys": "shop",
    "auditor": "life",
    "watching": "watch",
}
"""Fixtures that start a system for the whole session, by folder."""
LONG = (
    "faults/test_kill_at_every_failpoint.py",
    "demo/test_one_command.py",
    "bench/test_bench_report.py",
    "deploy/installing/test_image.py",
    "harness",
    "life",
    "journeys/test_any_order_any_repetition.py",
)
LATE = ("running", "shop")
"""Systems that are idle once their tests have run."""
QUICK = ("contracts", "project", "fulfillment", "notifier", "orders", "payments")
"""Folders whose files take seconds."""


LASTING = pytest.StashKey[dict[str, list[tuple[pytest.FixtureDef[Any], Any]]]]()
"""Fixtures in use that end with the last test of a system, by system."""


def pytest_configure(config: pytest.Config) -> None:
    """Begin without a system."""
    config.stash[LASTING] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group and sort the tests of a worker; without workers nothing changes."""
    if not hasattr(config, "workerinput"):
        return
    groups = {item: group_of(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: turn_of(groups[item]))


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of later searches for cycles: it stays until the session ends."""
    gc.collect()
    freeze_present_objects()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None]:
    """Note the fixtures of a folder with a system that would last for the whole session."""
    folder = fixturedef.baseid.removeprefix("tests/")
    if fixturedef.scope == "session" and folder in SYSTEMS:
        request.config.stash[LASTING].setdefault(SYSTEMS[folder], []).append((fixturedef, request))
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """End a system, and what was started for it, after the last test of its group; without workers nothing changes."""
    try:
        yield
    finally:
        is_last = nextitem is None or group_of(nextitem) != group_of(item)
        if is_last and hasattr(item.config, "workerinput"):
            _end(item.config, group_of(item))


def _end(config: pytest.Config, system: str) -> None:
    for fixturedef, request in reversed(config.stash[LASTING].pop(system, [])):
        fixturedef.finish(request)


def group_of(item: pytest.Item) -> str:
    """Return the system that a test uses together with others, or its file."""
    path = item.path.relative_to(TESTS).as_posix()
    fixtures: Sequence[str] = getattr(item, "fixturenames", ())
    system = SYSTEMS.get(path.partition("/")[0])
    return system if system in fixtures and system is not None else path


def turn_of(group: str) -> int:
    """Return the turn of a group: the long ones one after the other, most files, late systems, quick files."""
    if group in LONG:
        return LONG.index(group)
    if group in LATE:
        return len(LONG) + 1 + LATE.index(group)
    is_quick = group.partition("/")[0] in QUICK
    return len(LONG) + (1 + len(LATE) if is_quick else 0)
