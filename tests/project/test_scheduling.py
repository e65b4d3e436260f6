"""The plan by which tests are dealt out to workers names files and fixtures that exist."""

import re

import pytest

from tests.scheduling import LATE, LONG, QUICK, SYSTEMS, TESTS, group_of, turn_of


def test_every_name_in_the_plan_exists() -> None:
    systems = set(SYSTEMS.values())
    assert set(LATE) <= systems
    for name in LONG:
        assert name in systems or (TESTS / name).is_file(), name
    for folder in (*QUICK, *SYSTEMS):
        assert (TESTS / folder).is_dir(), folder


def test_every_system_is_a_fixture_of_its_folder_for_the_whole_session() -> None:
    for folder, fixture in SYSTEMS.items():
        text = "\n".join(path.read_text() for path in (TESTS / folder).glob("*.py"))
        found = re.search(rf"fixture\(scope=\"session\"[^)]*\)\n(?:async )?def {fixture}\(", text)
        assert found, f"{folder} has no fixture {fixture} of the session"


def test_long_files_begin_and_quick_ones_end() -> None:
    groups = ["orders/api/test_api_lists.py", "running", "chassis/bus.py", *reversed(LONG)]
    assert sorted(groups, key=turn_of) == [*LONG, "chassis/bus.py", "running", "orders/api/test_api_lists.py"]


def test_workers_are_dealt_whole_groups(request: pytest.FixtureRequest) -> None:
    """pytest-xdist keeps together what has one group at the end of its id; some versions of pytest drop the group."""
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith(f"@{group_of(request.node)}")
