"""`comptoir backup DIR --keep N`: which backups stay, and what is said when one can't be made; two restores at once."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.catalogue import SERVICES
from deploy.auditor.metrics import exposition
from deploy.auditor.watching import Watch
from deploy.backup import manifest
from deploy.backup.keeping import Cleaned, folder_at, newest_at, only_one, remove_old
from deploy.backup.manifest import Dump, Manifest
from deploy.backup.restore_state import only_restore
from deploy.cli.failures import Refused
from deploy.local.parts import Postgres
from tests.deploy.cli.test_usage import TOKEN, run

UNREACHABLE = {
    f"COMPTOIR_{one.upper()}_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x" for one in SERVICES
}
SERIES = "comptoir_auditor_backup_timestamp_seconds"


def at(day: int) -> datetime:
    return datetime(2020, 11, day, 3, 15, tzinfo=UTC)


def made(folder: Path, day: int, *, is_whole: bool = True) -> Path:
    """A backup of a day of November 2020, as far as its manifest and its files' sizes show."""
    return filled(folder_at(folder, at(day)), is_whole=is_whole)


def filled(one: Path, *, is_whole: bool = True) -> Path:
    one.mkdir(parents=True)
    dumps = {}
    for name in SERVICES:
        (one / f"{name}.dump").write_bytes(b"x")
        dumps[name] = Dump(
            file=f"{name}.dump",
            bytes=1,
            sha256=sha256(b"x").hexdigest(),
            taken_at=at(1),
            server_version="",
            migrations=[],
            last_event=None,
            version_floor=0,
        )
    if is_whole:
        whole = Manifest(format=1, comptoir="0", backup_id=uuid4(), taken_at=at(1), databases=dumps)
        manifest.write(one, whole)
    return one


def oddities(folder: Path) -> list[Path]:
    """What is named like a backup, and is none that was made before: no date, the future, a link, no files."""
    no_date, future = filled(folder / "20209999T999999Z"), filled(folder / "99991231T235959Z")
    link = folder / "20201129T000000Z"
    link.symlink_to(future, target_is_directory=True)
    empty, fewer = folder / "20201128T000000Z", filled(folder / "20201128T010000Z")
    empty.mkdir()
    (empty / "manifest.json").write_text("{}")
    (fewer / "payments.dump").unlink()
    return sorted([no_date, future, link, empty, fewer])


def test_the_newest_complete_ones_stay_and_what_is_not_a_backup(tmp_path: Path) -> None:
    backups = [made(tmp_path, day) for day in (1, 2, 3, 5)]
    interrupted = made(tmp_path, 4, is_whole=False)
    (tmp_path / "notes").mkdir()
    (tmp_path / "20201101T031500Z.txt").touch()
    assert remove_old(backups[-1], 2) == Cleaned([*backups[:2], interrupted], [])
    assert {one.name for one in tmp_path.iterdir()} == {
        *(one.name for one in backups[2:]),
        *("notes", "20201101T031500Z.txt"),
    }
    assert remove_old(backups[-1], 2) == Cleaned([], [])


def test_the_one_just_made_stays_and_odd_names_are_neither_counted_nor_removed(tmp_path: Path) -> None:
    odd, old, new = oddities(tmp_path), made(tmp_path, 29), made(tmp_path, 30)
    assert remove_old(new, 1) == Cleaned([old], odd)
    assert sorted(tmp_path.iterdir()) == sorted([new, *odd])


def test_two_at_once_are_refused_and_the_folder_is_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "backups"
    with only_one(folder), pytest.raises(Refused, match="another backup is being made"), only_one(folder):
        pass
    assert folder.stat().st_mode & 0o777 == 0o700
    with only_one(folder):
        pass


def test_a_backup_that_fails_removes_nothing_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = [made(tmp_path, day) for day in (1, 2)]
    ended, out, err = run(capsys, monkeypatch, "backup", str(tmp_path), "--keep", "1", **UNREACHABLE)
    assert (ended, out, "can't be opened" in err, "secret" in err) == (3, "", True, False)
    assert sorted(tmp_path.iterdir()) == kept


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_count_that_keeps_nothing_is_wrong_use(
    count: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended, _, err = run(capsys, monkeypatch, "backup", str(tmp_path), "--keep", count, **UNREACHABLE)
    assert (ended, "is no whole number from 1 on" in err) == (2, True), err


def test_a_folder_that_can_not_be_used_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for below in ("file", "file/backups"):
        ended, _, err = run(
            capsys, monkeypatch, "backup", str(tmp_path / below), "--keep", "1", **UNREACHABLE
        )
        assert (ended, f"could not open {tmp_path / below} for backups" in " ".join(err.split())) == (
            2,
            True,
        ), err


@pytest.mark.parametrize("command", [("backup", "", "--keep", "2"), ("backup", " "), ("restore", "")])
def test_no_folder_is_not_the_current_one(
    command: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended, _, err = run(capsys, monkeypatch, *command, **UNREACHABLE)
    assert (ended, "no folder is named" in " ".join(err.split())) == (2, True), err
    assert list(tmp_path.iterdir()) == []


def test_two_restores_at_once_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres: Postgres
) -> None:
    settings = {
        **UNREACHABLE,
        "COMPTOIR_ORDERS_DATABASE_URL": postgres.admin_url,
        "COMPTOIR_INTERNAL_TOKEN": TOKEN,
    }
    command = ("restore", str(made(tmp_path, 1)), "--json")
    with only_restore("orders", postgres.admin_url):
        ended, _, err = run(capsys, monkeypatch, *command, **settings)
        assert (ended, "another restore is running" in err) == (1, True), err
    ended, _, err = run(capsys, monkeypatch, *command, **settings)
    assert (ended, "the database of payments can't be opened" in err) == (3, True), err


def test_the_auditor_shows_the_newest_complete_backup(tmp_path: Path) -> None:
    made(tmp_path, 5, is_whole=False)
    oddities(tmp_path)
    assert newest_at(tmp_path) is None
    assert f"\n{SERIES} 0.0\n" in exposition(Watch(backups=tmp_path)).decode()
    made(tmp_path, 4)
    [line] = [
        one for one in exposition(Watch(backups=tmp_path)).decode().splitlines() if one.startswith(SERIES)
    ]
    assert float(line.split()[1]) == at(4).timestamp()
    unwatched = exposition(Watch()).decode()
    assert f"# TYPE {SERIES} gauge" in unwatched
    assert f"\n{SERIES} " not in unwatched
