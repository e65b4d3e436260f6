"""Where a private server keeps its files: below the folder that was asked for, or in memory."""

from pathlib import Path

import pytest

from deploy.local import place
from deploy.local.place import take_place


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A folder that stands for the machine's memory."""
    made = tmp_path / "memory"
    made.mkdir()
    return made


def test_what_must_outlive_a_loss_of_power_is_never_in_memory(memory: Path, parts_folder: Path) -> None:
    taken = take_place(parts_folder / "durable", memory=memory)
    assert memory not in taken.folder.parents
    taken.leave()


def test_what_need_not_is_in_memory_and_leaves_nothing_there(
    memory: Path, parts_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "LEAST_FREE_MEMORY_BYTES", 1)
    taken = take_place(parts_folder / "quick", is_durable=False, memory=memory)
    assert taken.folder.parent == memory
    assert (parts_folder / "quick" / "is-at").read_text() == f"{taken.folder}\n"
    taken.leave()
    assert list(memory.iterdir()) == []
    assert not (parts_folder / "quick").exists()


def test_memory_without_room_is_left_alone(
    memory: Path, parts_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "LEAST_FREE_MEMORY_BYTES", 1 << 60)
    for where in (memory, memory / "missing"):
        taken = take_place(parts_folder / "no-room", is_durable=False, memory=where)
        assert memory not in taken.folder.parents
        taken.leave()
    assert list(memory.iterdir()) == []
