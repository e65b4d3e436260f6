"""Services whose every connection is TLS by a private authority: database, broker, each other, mails received."""

import asyncio
import smtplib
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from cryptography import x509

from deploy.cli.environment import database_urls, read_environment
from deploy.cli.failures import Unreachable
from deploy.cli.migrating import migrations_of
from deploy.cli.services import Services
from deploy.demo.standins.paypal.certificates import Authority, Holder
from deploy.local.parts import Postgres
from deploy.local.place import ServerTls
from deploy.local.postgres import PrivatePostgres
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.supervisor import Program
from deploy.local.system import ROOT, System, module_of
from deploy.topology import broker_of, check, explain_failures
from services.chassis.http.tokens import authorization
from services.chassis.messaging.binding_watch import BindingWatch
from services.chassis.storage.migrating import migrate
from services.chassis.testing import wait_until
from tests.tls.conftest import LOOPBACK, at
from tests.tls.fronts import context_of, files_of, in_front_of, in_front_of_postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
API_TOKEN = "a-token-of-the-rest-api"


@dataclass
class Encrypted:
    """The system's addresses with TLS, and what its clients need."""

    system: System
    settings: Mapping[str, str]
    client: httpx2.AsyncClient
    database_port: int
    broker_port: int
    management_port: int
    certificate: Path
    is_database_real: bool

    def environment(self, service: str) -> dict[str, str]:
        """A service's settings; its database's URL, a secret, is in a file."""
        plain = self.system.environment(service)
        url = self.certificate.parent / f"{service}-url"
        url.write_text(at(self.system.databases[service], self.database_port) + "\n")
        del plain["COMPTOIR_DATABASE_URL"]
        urls = {
            name: value.replace("http:", "https:")
            for name, value in plain.items()
            if name.endswith("S_URL") or name in ("COMPTOIR_FULFILLMENT_URL", "COMPTOIR_NOTIFIER_URL")
        }
        return {
            **plain,
            **urls,
            **self.settings,
            "COMPTOIR_DATABASE_URL_FILE": str(url),
            "COMPTOIR_AMQP_URL": at(self.system.amqp_url(service), self.broker_port, scheme="amqps"),
            "COMPTOIR_BROKER_MANAGEMENT_URL": "",
        }

    def url(self, service: str) -> str:
        return self.system.url(service).replace("http:", "https:")

    async def start(self, service: str, **more: str) -> None:
        """Start a service; return when it is ready."""
        argv = [sys.executable, "-m", module_of(service)]
        env = {**self.environment(service), **more}
        await self.system.supervisor.start(Program(service, argv, env, None, ROOT))

        async def is_ready() -> bool:
            try:
                return (await self.client.get(f"{self.url(service)}/readyz")).status_code == 200
            except httpx2.HTTPError:
                return False

        await wait_until(is_ready, 60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def encrypted(
    system: System,
    postgres: Postgres,
    rabbitmq: PrivateRabbitMQ,
    server_tls: ServerTls,
    folder: Path,
    trusted: Path,
    good: Holder,
    authority: Authority,
) -> AsyncIterator[Encrypted]:
    certificate, key = files_of(folder, good)
    ours, our_key = files_of(folder, authority.issue("client"))
    settings = {
        **dict.fromkeys(
            ("COMPTOIR_DATABASE_CA_FILE", "COMPTOIR_AMQP_CA_FILE", "COMPTOIR_SERVICES_CA_FILE"), str(trusted)
        ),
        "COMPTOIR_AMQP_CERTIFICATE_FILE": str(ours),
        "COMPTOIR_AMQP_KEY_FILE": str(our_key),
        "COMPTOIR_HTTP_CERTIFICATE_FILE": str(certificate),
        "COMPTOIR_HTTP_KEY_FILE": str(key),
    }
    async with AsyncExitStack() as stack:
        tls = context_of(folder, good)
        database, is_real = await _encrypt(postgres, server_tls, tls, stack)
        management = await stack.enter_async_context(in_front_of(rabbitmq.management_port, tls))
        trusting = ssl.create_default_context(cafile=trusted)
        client = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False, verify=trusting))
        made = Encrypted(
            system, settings, client, database, rabbitmq.tls_port, management, certificate, is_real
        )
        await asyncio.gather(
            made.start("fulfillment"),
            made.start(
                "orders",
                COMPTOIR_API_TOKENS=f'[{{"name": "erp", "shop": "maison", "token": "{API_TOKEN}"}}]',
            ),
            made.start(
                "notifier",
                COMPTOIR_INBOUND_CERTIFICATE_FILE=str(certificate),
                COMPTOIR_INBOUND_KEY_FILE=str(key),
            ),
        )
        yield made
        await asyncio.gather(
            *(system.supervisor.stop(name) for name in ("fulfillment", "orders", "notifier"))
        )


async def _encrypt(
    postgres: Postgres, server_tls: ServerTls, tls: ssl.SSLContext, stack: AsyncExitStack
) -> tuple[int, bool]:
    """The port of a PostgreSQL with TLS: its own, or one in front of a server that was built without."""
    connection: Any = await asyncpg.connect(postgres.admin_url)
    stack.push_async_callback(connection.close)
    port = urlsplit(postgres.admin_url).port or 0
    library = await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'ssl_library'")
    if not library or not isinstance(postgres, PrivatePostgres):
        return await stack.enter_async_context(in_front_of_postgres(port, tls)), False
    settings = server_tls.postgres(postgres.place)
    for name, value in settings.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")

    async def is_on(wanted: str) -> bool:
        await connection.execute("SELECT pg_reload_conf()")
        return bool(await connection.fetchval("SHOW ssl") == wanted)

    async def reset() -> None:
        for name in settings:
            await connection.execute(f"ALTER SYSTEM RESET {name}")
        await wait_until(lambda: is_on("off"))

    stack.push_async_callback(reset)
    await wait_until(lambda: is_on("on"))
    return port, True


async def test_every_connection_of_the_services_is_encrypted(
    encrypted: Encrypted, postgres: Postgres, rabbitmq: PrivateRabbitMQ
) -> None:
    connection: Any = await asyncpg.connect(postgres.admin_url)
    rows = await connection.fetch(
        """SELECT application_name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
           WHERE application_name LIKE 'comptoir-%' AND datname LIKE $1""",
        f"%{encrypted.system.name}",
    )
    await connection.close()
    names = {row["application_name"].partition("@")[0] for row in rows}
    assert names >= {"comptoir-orders", "comptoir-fulfillment"}
    if encrypted.is_database_real:
        assert all(row["ssl"] for row in rows)
    listed = await asyncio.to_thread(rabbitmq.ctl, "list_connections", "vhost", "ssl", "--formatter", "csv")
    ours = [line for line in listed.splitlines() if encrypted.system.vhost in line]
    assert ours
    assert all("true" in line for line in ours)


async def test_a_service_calls_another_by_https(encrypted: Encrypted) -> None:
    url = f"{encrypted.url('orders')}/v1/stock?sku=tea"
    answer = await encrypted.client.get(url, headers={"Authorization": f"Bearer {API_TOKEN}"})
    assert answer.status_code == 200, answer.text
    with pytest.raises(httpx2.HTTPError):
        await encrypted.client.get(encrypted.system.url("fulfillment") + "/livez")


async def test_mails_are_received_by_starttls_alone(encrypted: Encrypted, trusted: Path) -> None:
    def hand_over() -> list[int]:
        tls = ssl.create_default_context(cafile=trusted)
        with smtplib.LMTP("127.0.0.1", encrypted.system.inbound_port, timeout=30) as client:
            client.ehlo("tests")
            codes = [client.mail("zoe@clients.example")[0]]
            client.starttls(context=tls)
            client.ehlo("tests")
            return [*codes, client.mail("zoe@clients.example")[0], client.rcpt("nobody@reply.example.org")[0]]

    assert await asyncio.to_thread(hand_over) == [530, 250, 550]


async def test_the_command_line_works_by_tls(
    encrypted: Encrypted, trusted: Path, foreign: Path, rabbitmq: PrivateRabbitMQ
) -> None:
    system = encrypted.system
    given = {
        **encrypted.settings,
        "COMPTOIR_INTERNAL_TOKEN": system.secrets.internal_token,
        "COMPTOIR_FULFILLMENT_URL": encrypted.url("fulfillment"),
        "COMPTOIR_RABBITMQ_MANAGEMENT_URL": at(rabbitmq.amqp_url, encrypted.management_port, scheme="https"),
        "COMPTOIR_VHOST": system.vhost,
        "COMPTOIR_FULFILLMENT_DATABASE_URL": at(system.databases["fulfillment"], encrypted.database_port),
    }

    def use(environment: dict[str, str]) -> None:
        assert Services(environment).get("fulfillment", "parked")
        with explain_failures(environment):
            check((broker := broker_of(environment)).management, broker.storefronts)
        migrate(database_urls(environment, ["fulfillment"])["fulfillment"], migrations_of("fulfillment"))

    await asyncio.to_thread(use, read_environment(given))
    for setting, event in (
        ("COMPTOIR_SERVICES_CA_FILE", "the certificate of fulfillment is not signed by an authority"),
        ("COMPTOIR_AMQP_CA_FILE", "the certificate of RabbitMQ's management is not signed by an authority"),
    ):
        with pytest.raises(Unreachable, match=event):
            await asyncio.to_thread(use, {**given, setting: str(foreign)})
    watch = BindingWatch(
        "fulfillment",
        f"https://127.0.0.1:{encrypted.management_port}",
        at(system.amqp_url("fulfillment"), encrypted.broker_port),
        trusted,
    )
    await watch.look()
    await watch.close()
    assert (watch.last_error, watch.missing) == (None, [])


async def test_a_renewed_certificate_is_used_without_a_restart(
    encrypted: Encrypted, folder: Path, trusted: Path, authority: Authority
) -> None:
    renewed = authority.issue("comptoir.test", alternatives=LOOPBACK)
    port = urlsplit(encrypted.url("fulfillment")).port

    async def serial() -> int:
        tls = ssl.create_default_context(cafile=trusted)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(shown).serial_number

    key = Path(encrypted.settings["COMPTOIR_HTTP_KEY_FILE"])
    before = (encrypted.certificate.read_bytes(), key.read_bytes())
    try:
        encrypted.certificate.write_bytes(renewed.chain_pem())  # half renewed: the key is still the old one
        for _ in range(2):
            assert await serial() != renewed.certificate.serial_number
        log = encrypted.system.supervisor.log("fulfillment").read_text()
        assert log.count("renewed certificate can't be used") == 1
        key.write_bytes(renewed.key_pem())
        assert await serial() == renewed.certificate.serial_number
    finally:
        encrypted.certificate.write_bytes(before[0])
        key.write_bytes(before[1])


async def test_a_service_that_can_not_be_trusted_is_named_and_not_called(
    encrypted: Encrypted, foreign: Path
) -> None:
    await encrypted.system.supervisor.stop("orders")
    log = encrypted.system.supervisor.log("orders")
    await encrypted.start(
        "orders",
        COMPTOIR_SERVICES_CA_FILE=str(foreign),
        COMPTOIR_API_TOKENS=f'[{{"name": "erp", "shop": "maison", "token": "{API_TOKEN}"}}]',
    )
    message = "the certificate of fulfillment is not signed by an authority that is trusted here; set"
    await wait_until(lambda: message in log.read_text())
    answer = await encrypted.client.get(
        f"{encrypted.url('orders')}/v1/stock?sku=tea", headers=authorization(API_TOKEN)
    )
    assert answer.status_code == 503
