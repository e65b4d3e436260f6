"""A certificate that can't be trusted, or no TLS where it is wanted: one sentence and exit status 1, never plain."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.demo.standins.paypal.certificates import Authority, Holder
from deploy.local.parts import Postgres
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.system import System
from tests.tls.conftest import LOOPBACK, Ends, at
from tests.tls.fronts import context_of, files_of, in_front_of, in_front_of_postgres, mail_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAME = "fulfillment"


def port_of(postgres: Postgres) -> int:
    port = urlsplit(postgres.admin_url).port
    assert port is not None
    return port


async def test_broker_that_can_not_be_trusted(
    system: System, rabbitmq: PrivateRabbitMQ, ends: Ends, trusted: Path, foreign: Path
) -> None:
    url = system.amqp_url(NAME)
    for broker, authority, event in (
        (
            at(url, rabbitmq.tls_port, scheme="amqps"),
            foreign,
            "the certificate of RabbitMQ is not signed by an authority",
        ),
        (
            at(url, rabbitmq.tls_port, "localhost", "amqps"),
            trusted,
            "the certificate of RabbitMQ is for another host",
        ),
        (
            at(url, rabbitmq.amqp_port, scheme="amqps"),
            trusted,
            "RabbitMQ does not offer TLS at the address in",
        ),
    ):
        status, output = await ends(NAME, COMPTOIR_AMQP_URL=broker, COMPTOIR_AMQP_CA_FILE=str(authority))
        assert (status, output.count("\n")) == (1, 0), output
        assert output.startswith(event)
        assert ("COMPTOIR_AMQP_CA_FILE" if authority is foreign else "COMPTOIR_AMQP_URL") in output


async def test_broker_with_an_expired_certificate(
    system: System, rabbitmq: PrivateRabbitMQ, ends: Ends, folder: Path, trusted: Path, expired: Holder
) -> None:
    async with in_front_of(rabbitmq.amqp_port, context_of(folder, expired)) as port:
        url = at(system.amqp_url(NAME), port, scheme="amqps")
        status, output = await ends(NAME, COMPTOIR_AMQP_URL=url, COMPTOIR_AMQP_CA_FILE=str(trusted))
    assert (status, output) == (1, "the certificate of RabbitMQ has expired; renew it there")


async def test_broker_that_requires_a_certificate_of_its_authority(
    system: System, rabbitmq: PrivateRabbitMQ, ends: Ends, folder: Path, trusted: Path
) -> None:
    certificate, key = files_of(folder, Authority("Another").issue(NAME))
    foreign = {"COMPTOIR_AMQP_CERTIFICATE_FILE": str(certificate), "COMPTOIR_AMQP_KEY_FILE": str(key)}
    url = at(system.amqp_url(NAME), rabbitmq.tls_port, scheme="amqps")
    for ours in ({}, foreign):
        status, output = await ends(NAME, COMPTOIR_AMQP_URL=url, COMPTOIR_AMQP_CA_FILE=str(trusted), **ours)
        assert (status, output.count("\n")) == (1, 0), output
        assert output.startswith("RabbitMQ refuses our certificate or requires one")
        assert output.endswith("set or renew COMPTOIR_AMQP_CERTIFICATE_FILE")


async def test_database_that_can_not_be_trusted(
    system: System,
    postgres: Postgres,
    ends: Ends,
    folder: Path,
    trusted: Path,
    foreign: Path,
    good: Holder,
    expired: Holder,
) -> None:
    for holder, host, authority, event in (
        (good, "127.0.0.1", foreign, "the certificate of PostgreSQL is not signed by an authority"),
        (good, "localhost", trusted, "the certificate of PostgreSQL is for another host"),
        (expired, "127.0.0.1", trusted, "the certificate of PostgreSQL has expired; renew it there"),
        (None, "127.0.0.1", trusted, "PostgreSQL does not offer TLS at the address in COMPTOIR_DATABASE_URL"),
    ):
        tls = context_of(folder, holder) if holder else None
        async with in_front_of_postgres(port_of(postgres), tls) as port:
            url = at(system.databases[NAME], port, host)
            status, output = await ends(
                NAME, COMPTOIR_DATABASE_URL=url, COMPTOIR_DATABASE_CA_FILE=str(authority)
            )
        assert (status, output.count("\n")) == (1, 0), output
        assert output.startswith(event)


async def test_mail_server_that_can_not_be_trusted(
    system: System, ends: Ends, folder: Path, trusted: Path, foreign: Path, good: Holder, expired: Holder
) -> None:
    plain = {"COMPTOIR_SMTP_HOST": "127.0.0.1", "COMPTOIR_INBOUND_PORT": ""}
    for holder, security, host, authority, event in (
        (
            good,
            "starttls",
            "127.0.0.1",
            foreign,
            "the certificate of the mail server is not signed by an authority",
        ),
        (good, "starttls", "localhost", trusted, "the certificate of the mail server is for another host"),
        (expired, "starttls", "127.0.0.1", trusted, "the certificate of the mail server has expired"),
        (None, "starttls", "127.0.0.1", trusted, "the mail server does not offer STARTTLS"),
        (None, "tls", "127.0.0.1", trusted, "the mail server does not offer TLS"),
    ):
        async with mail_server(context_of(folder, holder) if holder else None) as port:
            status, output = await ends(
                "notifier",
                **{
                    **plain,
                    "COMPTOIR_SMTP_HOST": host,
                    "COMPTOIR_SMTP_PORT": str(port),
                    "COMPTOIR_SMTP_SECURITY": security,
                    "COMPTOIR_SMTP_CA_FILE": str(authority),
                },
            )
        assert (status, output.count("\n")) == (1, 0), output
        assert output.startswith(event)


async def test_certificates_of_ours_that_can_not_be_served(
    ends: Ends, folder: Path, good: Holder, authority: Authority
) -> None:
    certificate, key = files_of(folder, good)
    _, other = files_of(folder, authority.issue("other", alternatives=LOOPBACK))
    status, output = await ends(
        NAME, COMPTOIR_HTTP_CERTIFICATE_FILE=str(certificate), COMPTOIR_HTTP_KEY_FILE=str(other)
    )
    assert status == 1
    assert (
        f"COMPTOIR_HTTP_CERTIFICATE_FILE, COMPTOIR_HTTP_KEY_FILE: {other} is not the private key of" in output
    )
    assert str(key) not in output
