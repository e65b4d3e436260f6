"""A process that lacks a setting names all that is missing at once, and prints no secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.chassis.setting_files import PREFIX
from services.chassis.settings import ServiceSettings, load_settings

ROOT = Path(__file__).resolve().parents[3]
SECRET = "postgresql://comptoir:hunter2@127.0.0.1/db"
GOOD = {
    "DATABASE_URL": SECRET,
    "AMQP_URL": "amqp://orders:hunter3@127.0.0.1/",
    "INTERNAL_TOKEN": "a-token-that-is-long-enough",
    "HTTP_PORT": "8080",
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def refusal_of(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    """What a start with these settings ends with."""
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SystemExit) as ended:
        load_settings(ServiceSettings)
    return str(ended.value)


def test_everything_missing_is_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal_of(monkeypatch, HTTP_PORT="")
    assert "4 invalid settings" in text
    for name in GOOD:
        assert f"  {PREFIX}{name} " in text


def test_what_is_wrong_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**GOOD, "INTERNAL_TOKEN": "short-secret", "HTTP_PORT": "eighty", "LOG_LEVEL": "LOUD"}
    text = refusal_of(monkeypatch, **given)
    for name in ("INTERNAL_TOKEN", "HTTP_PORT", "LOG_LEVEL"):
        assert f"  {PREFIX}{name} " in text
    for secret in ("short-secret", "hunter2", "hunter3", "eighty", "LOUD"):
        assert secret not in text


def test_the_inbox_remembers_longer_than_events_are_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "COMPTOIR_INBOX_DAYS must exceed" in refusal_of(
        monkeypatch, **GOOD, INBOX_DAYS="10", EVENT_LOG_DAYS="10"
    )


def test_secrets_do_not_show_when_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(PREFIX + name, value)
    assert "hunter" not in f"{load_settings(ServiceSettings)!r}"


@pytest.mark.parametrize(
    ("failpoint", "expected"),
    [("after_lunch", "known are received, inbox_written"), ("after_commit:soon", "name@place:number")],
)
def test_an_unknown_failpoint_is_refused(failpoint: str, expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import services.chassis.failpoints"],
        env={**os.environ, "COMPTOIR_FAILPOINT": failpoint},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("INTERNAL_TOKEN", "w\u00f6rng-and-long-enough", "has a character that no HTTP header can carry"),
        ("METRICS_TOKEN", "long enough but\ttabbed", "has a character that no HTTP header can carry"),
        ("INTERNAL_TOKEN", "caf\udce9-and-long-enough", "is not UTF-8"),
        ("DATABASE_URL", "postgresql://[::", "is no valid URL"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:x/db", "has a port that is no number to 65535"),
    ],
)
def test_a_value_that_no_program_can_use_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    text = refusal_of(monkeypatch, **{**GOOD, name: value})
    assert f"{PREFIX}{name}: {words}" in text
    assert value not in text
