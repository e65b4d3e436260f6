"""pytest plugin: the real PostgreSQL and RabbitMQ tests run on, private to one test session and worker.

Each starts when the first test asks for it and ends with the session. One that cannot start fails the test
that asked: nothing is ever skipped for want of a server.
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from deploy.demo.standins.paypal.certificates import Authority
from deploy.local.parts import Postgres, RabbitMQ, start_postgres, start_rabbitmq
from deploy.local.place import ServerTls
from tests.preloading import Preloaded

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """A folder below var/test that only this session and worker uses; gone afterwards."""
    folder = ROOT / "var" / "test" / secrets.token_hex(6)
    folder.mkdir(parents=True)
    yield folder
    with suppress(OSError):
        folder.rmdir()


@pytest.fixture(scope="session")
def postgres(parts_folder: Path) -> Iterator[Postgres]:
    """A running PostgreSQL (`admin_url`, and `restart`, `kill` for tests of faults)."""
    server = start_postgres(parts_folder / "postgres", is_durable=False)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The private certificate authority of this session."""
    return Authority("Tests")


@pytest.fixture(scope="session")
def server_tls(authority: Authority) -> ServerTls:
    """The certificate of the servers: for 127.0.0.1 and comptoir.test, not for localhost."""
    loopback = x509.IPAddress(ip_address("127.0.0.1"))
    holder = authority.issue("comptoir.test", alternatives=(loopback,))
    return ServerTls(holder.chain_pem(), holder.key_pem(), authority.root_pem)


@pytest.fixture(scope="session")
def rabbitmq(parts_folder: Path, server_tls: ServerTls) -> Iterator[RabbitMQ]:
    """A running RabbitMQ (`amqp_url`, `management_url`, and `restart`, `kill`, `ctl` for tests of faults)."""
    broker = start_rabbitmq(parts_folder / "rabbitmq", is_durable=False, tls=server_tls)
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def preloaded() -> Iterator[Preloaded]:
    """A launcher for systems: their processes are forked from an interpreter that has imported the services."""
    launcher = Preloaded()
    yield launcher
    launcher.close()
