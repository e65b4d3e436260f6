"""An empty path, address or name on a command line is refused before anything is done: it is an unset variable."""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WATCH = ("--watch", "--serve", "127.0.0.1:9200")


@pytest.mark.parametrize(
    ("program", "arguments", "option"),
    [
        ("deploy.auditor.__main__", (*WATCH, "--backups", ""), "--backups"),
        ("deploy.auditor.__main__", (*WATCH, "--backups", " "), "--backups"),
        ("deploy.auditor.__main__", ("--watch", "--out", ""), "--out"),
        ("deploy.auditor.__main__", ("--watch", "--serve", ""), "--serve"),
        ("deploy.auditor.__main__", ("--mails", ""), "--mails"),
        ("deploy.auditor.__main__", ("--orders", ""), "--orders"),
        ("deploy.seed.__main__", ("10", "--orders", ""), "--orders"),
        ("deploy.seed.__main__", ("10", "--shop", ""), "--shop"),
        ("deploy.compose.__main__", ("--demo", "--folder", ""), "--folder"),
        ("deploy.compose.__main__", ("--shops", ""), "--shops"),
        ("deploy.kubernetes.secrets", ("--passwords", ""), "--passwords"),
        ("deploy.containers.__main__", ("--output", ""), "--output"),
        ("deploy.containers.__main__", ("--output", "x.tar", "--base", ""), "--base"),
        ("deploy.demo.__main__", ("--folder", ""), "--folder"),
        ("deploy.demo.__main__", ("--orders", ""), "--orders"),
        ("deploy.demo.up", ("--folder", ""), "--folder"),
        ("deploy.local.mailserver", ("--port", "1", "--journal", ""), "--journal"),
        ("deploy.local.mailserver", ("--port", "1", "--journal", "x", "--host", ""), "--host"),
        (
            "services.orders.backoffice.commandline",
            ("add-staff", "--login", "a@b.example", "--shop", ""),
            "--shop",
        ),
    ],
)
def test_an_empty_argument_is_refused_with_its_option(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: str,
    arguments: tuple[str, ...],
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    module = import_module(program)
    run = module.run if program.endswith("commandline") else module.main
    with pytest.raises(SystemExit) as ended:
        run(*([arguments] if inspect.signature(run).parameters else []))
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert re.search(rf"argument {option}: the (path|value|shop) is empty; ", told.err), told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "arguments", "words"),
    [
        (
            "deploy.auditor.__main__",
            ("--quiet-seconds", "nan"),
            "--quiet-seconds: 'nan' is not a number of sec",
        ),
        ("deploy.auditor.__main__", ("--every", "x"), "--every: 'x' is not a number of seconds"),
        ("deploy.auditor.__main__", ("--mails", "\udcff"), "--mails: the path is not UTF-8"),
        ("deploy.auditor.__main__", ("--orders", "postgresql://[::"), "--orders: the URL is no valid URL"),
        ("deploy.seed.__main__", ("1", "--shop", "\udcff"), "--shop: the value is not UTF-8"),
        ("deploy.seed.__main__", ("1", "--orders", "postgresql://h:x/y"), "--orders: the URL has a port"),
        ("deploy.demo.up", ("--every", "-1"), "--every: '-1' is not a number of seconds"),
        ("deploy.demo.up", ("--every", "0"), "--every: 0 is no pause"),
        ("deploy.demo.__main__", ("--orders", "\udcff"), "--orders: the path is not UTF-8"),
        (
            "services.orders.backoffice.commandline",
            ("invite-owner", "--shop", "maison", "--login", "\udcff@b.example"),
            "--login: it is not UTF-8",
        ),
    ],
)
def test_an_argument_that_can_not_be_used_is_refused_with_its_option(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    module = import_module(program)
    run = module.run if program.endswith("commandline") else module.main
    with pytest.raises(SystemExit) as ended:
        run(*([arguments] if inspect.signature(run).parameters else []))
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert f"argument {words}" in told.err


def test_no_program_reads_a_path_that_may_be_empty() -> None:
    files = [*ROOT.glob("deploy/**/*.py"), *ROOT.glob("services/**/*.py")]
    assert [str(file) for file in files if re.search(r"\btype=Path\b", file.read_text())] == []
