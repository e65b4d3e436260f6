"""`comptoir` used wrongly, without settings or without a service: one sentence each, and an exit status."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import deploy.cli.app
from contracts.catalogue import SERVICES
from deploy import databases
from deploy.cli.app import app, main
from deploy.cli.environment import read_environment
from deploy.cli.failures import NotConfigured, Status
from deploy.cli.options import ServiceName

ROOT = Path(__file__).resolve().parents[3]
README = (Path(deploy.cli.app.__file__).parent / "README.md").read_text()
HELP = Path(__file__).parent / "help.txt"
TOKEN = "a-token-for-tests-only"
DATABASES = [f"COMPTOIR_{one.upper()}_DATABASE_URL" for one in SERVICES]
BYTES = "caf\udce9"
"""An argument whose bytes are not UTF-8, as Python reads it."""
ORDERS = {"COMPTOIR_INTERNAL_TOKEN": TOKEN, "COMPTOIR_ORDERS_URL": "http://127.0.0.1:1"}
BACKWARDS = ("--from", "2026-11-28T08:00Z", "--to", "2026-11-28T08:00+01:00")


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: str
) -> tuple[int, str, str]:
    """Exit status, output and errors of a command, with these settings only."""
    for name in [name for name in os.environ if name.startswith("COMPTOIR_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["comptoir", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def commands(group: typer.Typer = app, *names: str) -> Iterator[tuple[str, ...]]:
    """The words of every command, also of groups."""
    for one in group.registered_commands:
        assert one.name is not None
        yield (*names, one.name)
    for inner in group.registered_groups:
        assert inner.name is not None
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, *names, inner.name)


def helps() -> str:
    """The help of every command, in the width of a file."""
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    texts = []
    for words in [(), *sorted(commands())]:
        output = runner.invoke(app, [*words, "--help"], prog_name="comptoir")
        assert output.exit_code == 0, output.output
        texts.append(output.output)
    return "\n".join(texts)


def test_the_help_of_every_command_is_the_committed_one() -> None:
    """`COMPTOIR_WRITE=1` in the environment writes it."""
    output = helps()
    if os.environ.get("COMPTOIR_WRITE"):
        HELP.write_text(output)
    assert output == HELP.read_text()


def test_the_readme_has_every_command_with_options_that_exist() -> None:
    rows = re.findall(r"^\| `comptoir ([a-z ]+?)(?: ([^a-z].*?))?` \|", README, re.MULTILINE)
    assert sorted(tuple(words.split()) for words, _ in rows) == sorted(commands())
    runner = CliRunner()
    for words, rest in rows:
        output = runner.invoke(app, [*words.split(), "--help"]).output
        assert [one for one in re.findall(r"--[a-z-]+", rest) if one not in output] == [], words


def test_the_services_are_those_of_the_catalogue() -> None:
    assert tuple(ServiceName) == SERVICES


def test_the_exit_statuses_are_documented() -> None:
    assert [int(row) for row in re.findall(r"^\| (\d) \|", README, re.MULTILINE)] == [*Status]


def test_every_setting_of_the_readme_is_read() -> None:
    named = set(re.findall(r"COMPTOIR_[A-Z_]+", README.partition("## Settings")[2]))
    code = "".join(path.read_text() for path in (ROOT / "deploy").rglob("*.py"))
    made = {f"COMPTOIR_{one.upper()}{what}" for one in SERVICES for what in ("_URL", "_DATABASE_URL")}
    assert {name for name in named - made if name not in code} == set()


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "expected"),
    [
        ((), {}, 2, "Usage: comptoir"),
        (("moon",), {}, 2, "No such command 'moon'"),
        (("parked", "explain", "moon", "1"), {}, 2, "'moon' is not one of"),
        (
            ("parked", "explain", "orders", "seven"),
            {},
            2,
            "'seven' is no whole number from 1 on; give one such as 7",
        ),
        (("parked", "discard", "orders", "1"), {}, 2, "Missing option '--reason'"),
        (
            ("replay", "orders", "notifier", "--from", "noon", "--to", "noon"),
            {},
            2,
            "is not an ISO 8601 time",
        ),
        (
            ("replay", "orders", "notifier", "--from", "2026-11-28T08:00", "--to", "noon"),
            {},
            2,
            "has no offset",
        ),
        (("replay", "orders", "notifier", *BACKWARDS), {}, 2, "the period is empty"),
        (("lost", "count", "orders", "notifier", *BACKWARDS), {}, 2, "(--from) is not before its end"),
        (("lost", "send", "orders", "notifier", *BACKWARDS), {}, 2, "2026-11-28T08:00:00+01:00 (--to)"),
        (("traces", "--otlp", "http://127.0.0.1:1", *BACKWARDS), {}, 2, "the period is empty"),
        (("status",), {}, 2, "set COMPTOIR_INTERNAL_TOKEN"),
        (("status",), {"COMPTOIR_INTERNAL_TOKEN": TOKEN}, 2, "set COMPTOIR_ORDERS_URL"),
        (("audit",), {}, 2, "set COMPTOIR_ORDERS_DATABASE_URL, COMPTOIR_PAYMENTS_DATABASE_URL"),
        (("verify", "books"), {}, 2, "set COMPTOIR_PAYMENTS_DATABASE_URL to postgresql://"),
        (("migrate", "notifier"), {}, 2, "set COMPTOIR_NOTIFIER_DATABASE_URL"),
        (("topology", "diff"), {}, 2, "set COMPTOIR_RABBITMQ_MANAGEMENT_URL"),
        (
            ("topology", "diff"),
            {"COMPTOIR_RABBITMQ_MANAGEMENT_URL": "http://a:b@127.0.0.1:1", "COMPTOIR_STOREFRONTS": "maison"},
            2,
            "is not of the form shop.module",
        ),
        (
            ("topology", "apply"),
            {"COMPTOIR_RABBITMQ_MANAGEMENT_URL": f"http://a:{TOKEN}@127.0.0.1:1"},
            3,
            "does not answer at http://127.0.0.1:1",
        ),
        (
            ("parked", "list", "orders"),
            {"COMPTOIR_INTERNAL_TOKEN": TOKEN, "COMPTOIR_ORDERS_URL": "http://127.0.0.1:1"},
            3,
            "orders does not answer (ConnectError): is it running, is COMPTOIR_ORDERS_URL right?",
        ),
        (
            ("migrate", "orders"),
            {"COMPTOIR_ORDERS_DATABASE_URL": f"mysql://u:{TOKEN}@127.0.0.1/x"},
            2,
            "COMPTOIR_ORDERS_DATABASE_URL must begin with postgresql://",
        ),
        (("--env-file", "/nowhere/x.env", "status"), {}, 2, "could not read /nowhere/x.env"),
        (("--env-file", "", "status"), {}, 2, "no file is named; is a variable of the shell not set?"),
        (("traces", "--otlp", "http://127.0.0.1:1", "--cursor", ""), {}, 2, "no file is named"),
        (("traces", "--otlp", "http://127.0.0.1:1", "--cursor", " "), {}, 2, "no file is named"),
        (("traces", "--otlp", ""), dict.fromkeys(DATABASES, "postgresql://x"), 2, "is not an address"),
        (("effects", "list", "--kind", ""), {}, 2, "it is empty; give a value, or leave the option out"),
        (("parked", "list", "--fingerprint", " "), {}, 2, "it is empty; give a value"),
        (("status",), {"COMPTOIR_SECRETS_DIR": "/nowhere"}, 2, "could not read the secret files in /nowhere"),
        (("pause", "orders", "--reason", BYTES), {}, 2, "--reason is not UTF-8: check the encoding"),
        (("pause", "orders", "--actor", BYTES, "--reason", "x"), {}, 2, "--actor is not UTF-8"),
        (("erase", "--shop", "maison", "--order", BYTES, "--reason", "y"), {}, 2, "--order is not UTF-8"),
        (("verify", "books", "--shop", BYTES), {}, 2, "--shop is not UTF-8"),
        (("backup", BYTES), {}, 2, "argument 2 is not UTF-8"),
        (("pause", "orders", "--reason", "x"), {"COMPTOIR_ACTOR": BYTES}, 2, "COMPTOIR_ACTOR is not UTF-8"),
        (("pause", "orders", "--reason", "x", "--actor", "a" * 5000), {}, 2, "the name has 5,000 characters"),
        (
            ("status",),
            {"COMPTOIR_INTERNAL_TOKEN": "wröng"},
            2,
            "has a character that no HTTP header can carry",
        ),
        (("status",), {**ORDERS, "COMPTOIR_ORDERS_URL": "http://[::"}, 2, "ORDERS_URL is no valid URL"),
        (
            ("status",),
            {**ORDERS, "COMPTOIR_ORDERS_URL": "http://h:8o"},
            2,
            "ORDERS_URL has a port that is no number",
        ),
        (
            ("traces", "--otlp", "http://[::"),
            dict.fromkeys(DATABASES, "postgresql://x"),
            2,
            "is not an address",
        ),
        (("audit",), dict.fromkeys(DATABASES, "postgresql://[::"), 2, "ORDERS_DATABASE_URL is no valid URL"),
        (
            ("audit",),
            dict.fromkeys(DATABASES, "postgresql://h:99999/x"),
            2,
            "has a port that is no number to 65535",
        ),
        (
            ("audit",),
            dict.fromkeys(DATABASES, "postgresql://h/x%00"),
            2,
            "ORDERS_DATABASE_URL has a NUL character",
        ),
        (("topology", "diff"), {"COMPTOIR_RABBITMQ_MANAGEMENT_URL": "http://[::"}, 2, "_URL is no valid URL"),
        (("audit", "--quiet-seconds", "abc"), {}, 2, "'abc' is not a number of seconds"),
        (("audit", "--quiet-seconds", "nan"), {}, 2, "'nan' is not a number of seconds"),
        (("drain", "--timeout", "inf"), {}, 2, "'inf' is not a number of seconds"),
        (("restore", "x", "--wait=-1"), {}, 2, "'-1' is not a number of seconds"),
        (
            ("restore", "/nowhere/backup"),
            {**ORDERS, **dict.fromkeys(DATABASES, "postgresql://x")},
            2,
            "/nowhere/backup does not exist: give the folder of a backup",
        ),
    ],
)
def test_what_can_not_be_done_is_reported(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    settings: dict[str, str],
    status: int,
    expected: str,
) -> None:
    ended, out, err = run(capsys, monkeypatch, *arguments, **settings)
    message = " ".join((out + err).split())
    assert (ended, expected in message) == (status, True), message
    assert TOKEN not in message
    assert "Traceback" not in message


def test_a_backup_of_a_server_that_does_not_answer_names_the_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://u:{TOKEN}@127.0.0.1:1/x"
    settings = {f"COMPTOIR_{one.upper()}_DATABASE_URL": url for one in SERVICES}
    ended, out, err = run(capsys, monkeypatch, "backup", str(tmp_path / "backup"), **settings)
    message = " ".join(err.split())
    assert (ended, out, TOKEN in message) == (3, "", False)
    assert "the database of orders can't be opened" in message
    assert "is PostgreSQL running, is COMPTOIR_ORDERS_DATABASE_URL right?" in message


@pytest.mark.parametrize(
    ("arguments", "url", "status", "expected"),
    [
        (["foo"], "", 2, "usage: python -m deploy.databases [--new-passwords]"),
        ([f"postgresql://u:{TOKEN}@127.0.0.1:1/x"], "", 2, "set COMPTOIR_POSTGRES_ADMIN_URL"),
        (["--new-passwords"], "", 2, "set COMPTOIR_POSTGRES_ADMIN_URL to postgresql://"),
        (
            ["--new-passwords"],
            f"mysql://u:{TOKEN}@127.0.0.1/x",
            2,
            "set COMPTOIR_POSTGRES_ADMIN_URL to postgresql://",
        ),
        (
            ["--new-passwords"],
            f"postgresql://u:{TOKEN}@127.0.0.1:x/x",
            3,
            "is COMPTOIR_POSTGRES_ADMIN_URL right?",
        ),
        (["--new-passwords"], f"postgresql://u:{TOKEN}@127.0.0.1:1/x", 3, "PostgreSQL can't be opened:"),
        ([], f"postgresql://u:{TOKEN}@127.0.0.1:1/x", 2, "set COMPTOIR_ORDERS_DATABASE_URL"),
    ],
)
def test_databases_that_can_not_be_made_are_one_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    url: str,
    status: int,
    expected: str,
) -> None:
    for name in [name for name in os.environ if name.startswith("COMPTOIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COMPTOIR_POSTGRES_ADMIN_URL", url)
    with pytest.raises(SystemExit) as ended:
        databases.main(arguments)
    output = capsys.readouterr()
    assert (ended.value.code, output.out, output.err.count("\n")) == (status, "", 1)
    assert expected in output.err
    assert TOKEN not in output.err


def test_an_unknown_setting_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env_file, secrets = tmp_path / "comptoir.env", tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "comptoir_smtp_pasword").write_text("hunter2")
    env_file.write_text("COMPTOIR_INTRNAL_TOKEN=hunter2\nCOMPTOIR_SMTP_HOST=mail\nPATH=/bin\n")
    settings = {"COMPTOIR_SECRETS_DIR": str(secrets), "COMPTOIR_ORDER_URL": "x"}
    ended, out, err = run(capsys, monkeypatch, "--env-file", str(env_file), "status", **settings)
    assert (ended, out) == (2, "")
    assert err.splitlines() == [
        "unknown setting COMPTOIR_INTRNAL_TOKEN is ignored; did you mean COMPTOIR_INTERNAL_TOKEN?",
        "unknown setting COMPTOIR_ORDER_URL is ignored; did you mean COMPTOIR_ORDERS_URL?",
        "unknown setting COMPTOIR_SMTP_PASWORD is ignored; did you mean COMPTOIR_SMTP_PASSWORD?",
        "set COMPTOIR_INTERNAL_TOKEN to the operators' token of the services",
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("# a\n\nCOMPTOIR_VHOST=x\n\nhunter2\n", 5),
        ("COMPTOIR_VHOST\n", 1),
        ("A=b\nCOMPTOIR_VHOST='hunter2\n", 2),
    ],
)
def test_a_line_that_is_not_a_setting_is_refused_with_its_number(
    tmp_path: Path, content: str, line: int
) -> None:
    file = tmp_path / "comptoir.env"
    file.write_text(content)
    with pytest.raises(NotConfigured, match=rf"{file}, line {line} is not NAME=VALUE") as refused:
        read_environment({}, file)
    assert "hunter2" not in str(refused.value)


def test_settings_come_from_the_environment_then_the_file_then_secret_files(tmp_path: Path) -> None:
    secrets, file = tmp_path / "secrets", tmp_path / "comptoir.env"
    secrets.mkdir()
    for name in ("comptoir_internal_token", "COMPTOIR_VHOST", "comptoir_orders_url"):
        (secrets / name).write_text(f"from secrets {name}\n")
    (secrets / "other").write_bytes(b"\xff")
    file.write_text(
        f"COMPTOIR_SECRETS_DIR='{secrets}'\nCOMPTOIR_VHOST='from $HOME'\nCOMPTOIR_ORDERS_URL=file\n"
    )
    found = read_environment({"COMPTOIR_ORDERS_URL": "variable", "COMPTOIR_VHOST": ""}, file)
    assert found["COMPTOIR_INTERNAL_TOKEN"] == "from secrets comptoir_internal_token"
    assert found["COMPTOIR_VHOST"] == "from $HOME"
    assert found["COMPTOIR_ORDERS_URL"] == "variable"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"a\0b", "has a NUL character; remove it"),
        (b"\n", "is empty"),
        (None, "is a directory"),
    ],
)
def test_a_secret_file_that_is_unusable_is_named(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    file = tmp_path / "comptoir_internal_token"
    file.mkdir() if content is None else file.write_bytes(content)
    (tmp_path / "comptoir_smtp_password").write_bytes(b"")  # a setting of others
    with pytest.raises(NotConfigured, match=f"COMPTOIR_INTERNAL_TOKEN: .*{file}.*{expected}"):
        read_environment({"COMPTOIR_SECRETS_DIR": str(tmp_path)})


def test_a_nul_in_a_file_of_settings_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "comptoir.env"
    file.write_text(f"{DATABASES[0]}=postgresql://u:hunter2\0@h/x\n")
    ended, out, err = run(capsys, monkeypatch, "--env-file", str(file), "audit")
    assert (ended, out, err) == (2, "", f"{DATABASES[0]} has a NUL character; remove it\n")


def test_an_undecodable_argument_of_the_process_is_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "pause", "orders", "--reason", b"\xff"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("--reason is not UTF-8: ")


def test_a_variable_may_name_a_file_with_the_value(tmp_path: Path) -> None:
    secret, env_file = tmp_path / "password", tmp_path / "comptoir.env"
    secret.write_text("a-password\n")
    env_file.write_text(
        f"COMPTOIR_PASSWORD_STOREFRONT_MAISON_SHOP_FILE={secret}\nCOMPTOIR_VHOST_FILE=/nowhere\n"
    )
    with pytest.raises(NotConfigured, match="COMPTOIR_VHOST: could not read /nowhere in COMPTOIR_VHOST_FILE"):
        read_environment({}, env_file)
    env_file.write_text(f"COMPTOIR_PASSWORD_STOREFRONT_MAISON_SHOP_FILE={secret}\n")
    found = read_environment({"COMPTOIR_VHOST": "shop"}, env_file)
    assert (found["COMPTOIR_PASSWORD_STOREFRONT_MAISON_SHOP"], found["COMPTOIR_VHOST"]) == (
        "a-password",
        "shop",
    )
    with pytest.raises(NotConfigured, match="COMPTOIR_VHOST: given more than once"):
        read_environment({"COMPTOIR_VHOST": "shop", "COMPTOIR_VHOST_FILE": str(secret)})


def test_it_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "parked", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: comptoir parked")
