"""The plan by which tests are dealt out to workers names files and fixtures that exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


PLAN = """
from pathlib import Path
from tests import scheduling
scheduling.TESTS, scheduling.SYSTEMS = Path(__file__).parent, {"inhabited": "house"}
pytest_plugins = ["tests.scheduling"]
"""
HOUSE = """
import pytest
from pathlib import Path
DIARY = Path(__file__).parents[1] / "diary"

@pytest.fixture(scope="session")
def ground():
    yield DIARY.write_text("begins ")
    DIARY.open("a").write("ground ends ")

@pytest.fixture(scope="session")
def house(ground):
    yield DIARY.open("a").write("stands ")
    DIARY.open("a").write("house ends ")
"""
INHABITED = """
def test_one(house): pass
def test_two(house): pass
"""
LATER = """
from pathlib import Path
def test_other():
    (Path(__file__).parents[1] / "diary").open("a").write("later")
"""


def test_a_system_ends_with_its_last_test(tmp_path: Path) -> None:
    files = {
        "conftest.py": PLAN,
        "inhabited/conftest.py": HOUSE,
        "inhabited/test_in.py": INHABITED,
        "later/test_out.py": LATER,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    words = ["-n", "1", "--dist", "loadgroup", "--no-loadscope-reorder", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "diary").read_text() == "begins stands house ends ground ends later"
