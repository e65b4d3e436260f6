"""One system's databases and topology for all tests of TLS, and the certificates of one private authority."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from cryptography import x509

from deploy.demo.standins.paypal.certificates import Authority, Holder
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.supervisor import inherited
from deploy.local.system import ROOT, System, module_of
from tests.preloading import Preloaded

LOOPBACK = (x509.IPAddress(ip_address("127.0.0.1")),)
Ends = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def trusted(folder: Path, authority: Authority) -> Path:
    """The private authority's root."""
    file = folder / "root.pem"
    file.write_bytes(authority.root_pem)
    return file


@pytest.fixture(scope="module")
def foreign(folder: Path) -> Path:
    """Another authority's root, which signed nothing here."""
    file = folder / "foreign.pem"
    file.write_bytes(Authority("Foreign").root_pem)
    return file


@pytest.fixture(scope="module")
def good(authority: Authority) -> Holder:
    return authority.issue("comptoir.test", alternatives=LOOPBACK)


@pytest.fixture(scope="module")
def expired(authority: Authority) -> Holder:
    until = datetime.now(UTC) - timedelta(days=1)
    return authority.issue("comptoir.test", alternatives=LOOPBACK, until=until)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(
    folder: Path, postgres: Postgres, rabbitmq: RabbitMQ, preloaded: Preloaded
) -> AsyncIterator[System]:
    """Databases, migrations and topology; each test starts the process it is about."""
    made = System(folder / "system", postgres, rabbitmq, [], launcher=preloaded)
    await made.supervisor.__aenter__()
    try:
        await made.prepare()
        yield made
    finally:
        await made.__aexit__(None, None, None)


@pytest.fixture
def ends(system: System, preloaded: Preloaded) -> Ends:
    """Starts a process that is to end by itself; gives its exit status and what it wrote as critical."""

    async def run(service: str, **settings: str) -> tuple[int, str]:
        env = {**inherited(), **system.environment(service), **settings}
        argv = [sys.executable, "-m", module_of(service)]
        async with asyncio.timeout(30):
            status, output = await preloaded.run(argv, env=env, cwd=ROOT)
        lines = output.decode().splitlines()
        assert not [line for line in lines if line.startswith("Traceback")], output.decode()
        rows = [json.loads(line) for line in lines if line.startswith("{")]
        values = [row["event"] for row in rows if row["level"] == "critical"]
        return status, "\n".join(values if rows else lines)

    return run


def at(url: str, port: int, host: str = "127.0.0.1", scheme: str | None = None) -> str:
    """The same URL with another host and port."""
    parts = urlsplit(url)
    netloc = f"{parts.netloc.rpartition('@')[0]}@{host}:{port}"
    return parts._replace(scheme=scheme or parts.scheme, netloc=netloc).geturl()
