"""Settings of TLS that contradict each other, or whose files are unusable, end the start and are named."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.demo.standins.paypal.certificates import Authority
from services.chassis.settings import ServiceSettings
from services.notifier.page.settings import PageSettings
from tests.notifier.builders import settings_for

GOOD: dict[str, Any] = {
    "database_url": "postgresql://u:p@127.0.0.1/db",
    "amqp_url": "amqps://u:p@127.0.0.1/v",
    "internal_token": "a-token-that-is-long-enough",
    "http_port": 0,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    file = tmp_path_factory.mktemp("ca") / "root.pem"
    file.write_bytes(authority.root_pem)
    return file


def test_the_files_are_written_into_the_urls(root: Path) -> None:
    made = ServiceSettings(**GOOD, amqp_ca_file=root, database_ca_file=root)
    again = ServiceSettings(**{**GOOD, "amqp_url": made.amqp_url, "database_url": made.database_url})
    ca = str(root).replace("/", "%2F")
    for settings in (made, again):
        assert settings.amqp_url.get_secret_value() == f"amqps://u:p@127.0.0.1/v?cafile={ca}"
        url = settings.database_url.get_secret_value()
        assert url == f"postgresql://u:p@127.0.0.1/db?sslmode=verify-full&sslrootcert={ca}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"amqp_url": "amqp://u:p@h/", "amqp_ca_file": "root"}, "COMPTOIR_AMQP_URL must begin with amqps://"),
        ({"amqp_url": "amqps://u:p@h/?cafile=/x", "amqp_ca_file": "root"}, "the URL has another cafile"),
        (
            {"amqp_url": "amqps://u:p@h/?no_verify_ssl=1"},
            "has no_verify_ssl: certificates are always verified",
        ),
        (
            {"database_url": "postgresql://u@h/d?sslmode=prefer", "database_ca_file": "root"},
            "another sslmode",
        ),
        (
            {"amqp_certificate_file": "root"},
            "set both COMPTOIR_AMQP_CERTIFICATE_FILE and COMPTOIR_AMQP_KEY_FILE",
        ),
        ({"http_key_file": "root"}, "set both COMPTOIR_HTTP_CERTIFICATE_FILE and COMPTOIR_HTTP_KEY_FILE"),
        (
            {"http_certificate_file": "root", "http_key_file": "root"},
            "must hold a certificate chain and its private key in PEM",
        ),
        (
            {"http_certificate_file": "root", "http_key_file": "/nowhere"},
            "could not read /nowhere (no such file",
        ),
        ({"database_ca_file": "/nowhere"}, "could not read /nowhere (no such file or directory)"),
        ({"services_ca_file": __file__}, "holds no certificate in PEM"),
    ],
)
def test_what_can_not_be_used_is_named(root: Path, settings: dict[str, str], expected: str) -> None:
    given = {name: root if value == "root" else value for name, value in settings.items()}
    with pytest.raises(ValidationError) as refused:
        ServiceSettings(**{**GOOD, **given})
    assert expected in str(refused.value)
    assert "u:p" not in str(refused.value)


def test_other_processes_are_called_by_https_alone(root: Path) -> None:
    shops = settings_for().shops
    given = {**GOOD, "shops": shops, "services_ca_file": root, "orders_url": "https://orders:8080"}
    assert PageSettings(**given).service_urls == {"orders_url": "https://orders:8080"}
    with pytest.raises(ValidationError, match="COMPTOIR_ORDERS_URL must begin with https://"):
        PageSettings(**{**given, "orders_url": "http://orders:8080"})


def test_mail_is_not_sent_plain_where_an_authority_is_set(root: Path) -> None:
    with pytest.raises(ValidationError, match="set COMPTOIR_SMTP_SECURITY to starttls or tls"):
        settings_for(smtp_ca_file=root)
    with pytest.raises(ValidationError, match="set COMPTOIR_INBOUND_PORT too"):
        settings_for(inbound_certificate_file=root, inbound_key_file=root)
