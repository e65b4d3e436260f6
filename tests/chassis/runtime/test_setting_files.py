"""Settings given as files: as Docker and Kubernetes give secrets, and each way in which that goes wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.setting_files import LARGEST_BYTES, PREFIX, SecretsDirUnreadable, secret_files
from services.chassis.settings import ServiceSettings, load_settings
from services.notifier.mails.settings import NotifierSettings

URL = "postgresql://comptoir:hunter2@127.0.0.1/db"
TOKEN = "a-token-that-is-long-enough"
REST = {"AMQP_URL": "amqp://orders:hunter3@127.0.0.1/", "HTTP_PORT": "8080"}


@pytest.fixture(autouse=True)
def _only_these_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in REST.items():
        monkeypatch.setenv(PREFIX + name, value)


def assert_is_read(settings: ServiceSettings) -> None:
    assert settings.database_url.get_secret_value() == URL
    assert settings.internal_token.get_secret_value() == TOKEN


def test_secrets_of_docker_are_files_that_variables_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "database_url").write_text(f"{URL}\n")
    (tmp_path / "token").write_text(f"\ufeff{TOKEN}\r\n")
    monkeypatch.setenv("COMPTOIR_DATABASE_URL_FILE", str(tmp_path / "database_url"))
    monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("COMPTOIR_DATABASE_URL", "")
    assert_is_read(load_settings(ServiceSettings))


def test_a_secret_of_kubernetes_is_a_directory_of_links(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = tmp_path / "..2026_11_30_18_00_00.1"
    version.mkdir()
    (tmp_path / "..data").symlink_to(version.name)
    for name, value in {"COMPTOIR_DATABASE_URL": URL, "comptoir_internal_token": TOKEN, "other": "x"}.items():
        (version / name).write_text(value)
        (tmp_path / name).symlink_to(f"..data/{name}")
    monkeypatch.setenv("COMPTOIR_SECRETS_DIR", str(tmp_path))
    assert_is_read(load_settings(ServiceSettings))


def test_a_file_may_hold_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "shops.json").write_text(
        '[{"shop": "maison", "name": "Maison", "merchant_email": "a@example.com", "from_email": "b@example.com"}]'
    )
    for name, value in {"DATABASE_URL": URL, "INTERNAL_TOKEN": TOKEN}.items():
        monkeypatch.setenv(PREFIX + name, value)
    monkeypatch.setenv("COMPTOIR_SHOPS_FILE", str(tmp_path / "shops.json"))
    assert [shop.name for shop in load_settings(NotifierSettings).shops] == ["Maison"]


def _empty(file: Path) -> None:
    file.write_text(" \n")


def _binary(file: Path) -> None:
    file.write_bytes(b"\xff\x00")


def _huge(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(LARGEST_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda file: None,
            "could not read {file} in COMPTOIR_DATABASE_URL_FILE (no such file or directory)",
        ),
        (Path.mkdir, "could not read {file} in COMPTOIR_DATABASE_URL_FILE (is a directory)"),
        (lambda file: file.symlink_to(file.name), "(too many levels of symbolic links)"),
        (_empty, "{file} in COMPTOIR_DATABASE_URL_FILE is empty"),
        (_binary, "{file} in COMPTOIR_DATABASE_URL_FILE is not UTF-8"),
        (_huge, "{file} in COMPTOIR_DATABASE_URL_FILE is larger than 16 MiB"),
    ],
)
def test_an_unusable_file_is_named_beside_all_else_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    file = tmp_path / "url"
    make(file)
    monkeypatch.setenv("COMPTOIR_DATABASE_URL_FILE", str(file))
    with pytest.raises(SystemExit) as ended:
        load_settings(ServiceSettings)
    lines = str(ended.value).splitlines()
    assert lines[0] == "ServiceSettings: 2 invalid settings:"
    assert "COMPTOIR_DATABASE_URL: " in lines[1]
    assert expected.format(file=file) in lines[1]
    assert "COMPTOIR_INTERNAL_TOKEN is missing" in lines[2]


def test_a_file_without_the_right_to_read_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text(URL)
    file.chmod(0)
    monkeypatch.setenv("COMPTOIR_DATABASE_URL_FILE", str(file))
    user = os.geteuid()
    if user == 0:  # who may read every file
        os.seteuid(65534)
    try:
        with pytest.raises(SystemExit) as ended:
            load_settings(ServiceSettings)
    finally:
        os.seteuid(user)
    assert f"could not read {file} in COMPTOIR_DATABASE_URL_FILE (permission denied)" in str(ended.value)


@pytest.mark.parametrize("port", ["8080", "8081"])
def test_a_setting_given_twice_is_named_with_its_places_and_without_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: str
) -> None:
    (tmp_path / "comptoir_http_port").write_text(port)
    (tmp_path / "comptoir_database_url").write_text(URL)
    monkeypatch.setenv("COMPTOIR_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("COMPTOIR_DATABASE_URL_FILE", str(tmp_path / "another"))
    monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", TOKEN)
    with pytest.raises(SystemExit) as ended:
        load_settings(ServiceSettings)
    output = str(ended.value)
    places = f"COMPTOIR_DATABASE_URL_FILE, {tmp_path}/comptoir_database_url"
    assert f"COMPTOIR_DATABASE_URL: given more than once ({places}); keep one of them" in output
    assert (
        f"COMPTOIR_HTTP_PORT: given more than once (COMPTOIR_HTTP_PORT, {tmp_path}/comptoir_http_port)"
        in output
    )
    assert "hunter2" not in output


def test_two_files_of_one_setting_are_named(tmp_path: Path) -> None:
    for name in ("comptoir_internal_token", "COMPTOIR_INTERNAL_TOKEN"):
        (tmp_path / name).write_text("a secret")
    with pytest.raises(
        SecretsDirUnreadable, match=r"COMPTOIR_INTERNAL_TOKEN and comptoir_internal_token in .* remove one"
    ):
        secret_files(tmp_path)


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_a_directory_of_secrets_that_is_none_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("COMPTOIR_SECRETS_DIR", str(tmp_path / folder))
    with pytest.raises(SystemExit, match="correct COMPTOIR_SECRETS_DIR or its permissions"):
        load_settings(ServiceSettings)
