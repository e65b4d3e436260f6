"""`python -m contracts.check`: on the real contracts, and on a checkout in which each kind of break is planted."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.catalogue import CATALOGUE
from contracts.check import HistoryUnreadable, broken, complaints, main, outdated, published_schemas
from contracts.generate import FOLDER, write

PLACED = "schemas/orders.order.placed.v1.json"
PLANTED_FIELD = {"type": "string", "description": "A field that was published once."}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The folder `contracts` of a git checkout whose schemas are current, nothing committed yet."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    git(folder.parent, "init", "--quiet", "--initial-branch=main")
    write(folder)
    return folder


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *identity, *arguments], cwd=root, env=environment, check=True, capture_output=True)


def commit(folder: Path, subject: str) -> None:
    git(folder.parent, "add", "--all")
    git(folder.parent, "commit", "--quiet", "--allow-empty", f"--message={subject}")


def alter(folder: Path, change: Callable[[dict[str, Any]], object], path: str = PLACED) -> None:
    schema = json.loads((folder / path).read_bytes())
    change(schema)
    (folder / path).write_text(json.dumps(schema))


def with_planted_field(schema: dict[str, Any]) -> None:
    schema["properties"]["planted"] = PLANTED_FIELD


def test_the_contracts_are_current_and_honour_all_that_was_published() -> None:
    assert list(complaints(FOLDER)) == []


def test_the_command_shows_it_and_ends_with_zero() -> None:
    command = [sys.executable, "-m", "contracts.check"]
    done = subprocess.run(command, cwd=FOLDER.parent, check=False, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(CATALOGUE)} messages" in done.stdout


def test_a_file_edited_by_hand_is_outdated_and_the_message_names_make_contracts(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(checkout, "first")
    alter(checkout, lambda schema: schema.update(title="Edited"))
    assert main(checkout) == 1
    output = capsys.readouterr().out
    assert "run `make contracts`" in output
    assert f"contracts/{PLACED}" in output


def test_a_missing_file_and_a_file_of_no_message_are_outdated(checkout: Path) -> None:
    (checkout / "asyncapi.json").unlink()
    (checkout / "schemas" / "orders.order.lost.v1.json").write_text("{}")
    assert outdated(checkout) == ["asyncapi.json", "schemas/orders.order.lost.v1.json"]


def test_an_archive_without_git_is_only_checked_for_being_current(tmp_path: Path) -> None:
    write(tmp_path)
    alter(tmp_path, with_planted_field)
    assert list(published_schemas(tmp_path)) == []
    assert outdated(tmp_path) == [PLACED]
    write(tmp_path)
    assert main(tmp_path) == 0


def test_an_archive_unpacked_inside_some_other_checkout_has_no_history(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    folder = tmp_path / "vendored" / "contracts"
    folder.mkdir(parents=True)
    write(folder)
    assert main(folder) == 0


def test_a_checkout_without_commits_has_no_history(checkout: Path) -> None:
    assert main(checkout) == 0


def test_a_field_published_by_the_first_commit_and_gone_since_is_a_break_with_the_way_out(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(checkout, with_planted_field)
    commit(checkout, "first")
    write(checkout)
    commit(checkout, "the planted field is gone")
    assert main(checkout) == 1
    output = capsys.readouterr().out
    assert "orders.order.placed.v1 (published in " in output
    assert "planted: the field was removed or renamed" in output
    assert 'OrderPlacedV2 with wire_name "order.placed.v2"' in output


def test_a_field_that_came_and_went_between_two_commits_is_a_break_too(checkout: Path) -> None:
    commit(checkout, "first")
    alter(checkout, with_planted_field)
    commit(checkout, "added")
    write(checkout)
    commit(checkout, "removed")
    assert ["planted: the field was removed or renamed" in line for line in broken(checkout)] == [True]


def test_an_addition_since_the_first_commit_is_none(checkout: Path) -> None:
    alter(checkout, lambda schema: schema["properties"].pop("note"))
    commit(checkout, "before the customer's remark")
    write(checkout)
    commit(checkout, "with it")
    assert main(checkout) == 0


def test_a_removed_message_is_a_break(checkout: Path) -> None:
    (checkout / "schemas" / "orders.order.lost.v1.json").write_text('{"type": "object"}')
    commit(checkout, "first")
    (checkout / "schemas" / "orders.order.lost.v1.json").unlink()
    commit(checkout, "removed")
    assert [line.split(" (")[0] for line in broken(checkout)] == ["orders.order.lost.v1"]
    assert "the message was removed" in next(broken(checkout))


def test_what_changed_before_the_newest_tag_is_forgiven(checkout: Path) -> None:
    alter(checkout, with_planted_field)
    commit(checkout, "a draft")
    write(checkout)
    commit(checkout, "ready")
    git(checkout.parent, "tag", "v1")
    assert main(checkout) == 0


def test_what_the_newest_tag_holds_is_not(checkout: Path) -> None:
    commit(checkout, "a draft")
    git(checkout.parent, "tag", "--annotate", "--message=first", "v1")
    alter(checkout, with_planted_field)
    commit(checkout, "released")
    git(checkout.parent, "tag", "--annotate", "--message=second", "v2")
    write(checkout)
    commit(checkout, "the planted field is gone")
    assert ["published in v2): planted" in line for line in broken(checkout)] == [True]


def test_a_break_is_seen_before_it_is_committed(checkout: Path) -> None:
    alter(checkout, with_planted_field)
    commit(checkout, "first")
    write(checkout)
    assert main(checkout) == 1


def test_a_hook_that_points_git_elsewhere_changes_nothing(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(checkout, with_planted_field)
    commit(checkout, "first")
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("elsewhere")))
    assert len(list(broken(checkout))) == 1


def test_a_checkout_that_git_cannot_read_is_an_error_and_not_a_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    write(folder)
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(HistoryUnreadable, match="failed"):
        list(published_schemas(folder))
    assert main(folder) == 1
    assert "history of the schemas can't be read" in capsys.readouterr().out


def test_without_git_a_checkout_is_an_error_that_names_how_to_install_it(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(checkout) == 1
    assert "install git" in capsys.readouterr().out
