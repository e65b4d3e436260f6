"""The private PostgreSQL: durable, closed to everybody else, gone after use; both kinds of binaries."""

from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import processtree
from deploy.local.postgres import PrivatePostgres, installed_homes, start_postgres
from tests.deploy.listening import LOOPBACK, listening

KINDS = [
    "embedded",
    *(["installed"] if any((home / "bin" / "initdb").exists() for home in installed_homes()) else []),
]
"""The binaries this machine has: a bare one has only those that the project brings."""


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, parts_folder: Path) -> Iterator[PrivatePostgres]:
    started = start_postgres(parts_folder / f"own-{request.param}", {"COMPTOIR_POSTGRES": request.param})
    assert isinstance(started, PrivatePostgres)
    yield started
    started.stop()


async def value(server: PrivatePostgres, sql: str) -> str:
    connection = await asyncpg.connect(server.admin_url)
    try:
        return str(await connection.fetchval(sql))
    finally:
        await connection.close()


async def test_it_keeps_what_was_committed_through_restart_crash_and_kill(server: PrivatePostgres) -> None:
    await value(server, "create table kept as select 42 as answer")

    def kill_and_restart() -> None:
        server.kill()
        server.restart()

    faults: list[Callable[[], None]] = [
        server.restart,
        lambda: server.restart(immediate=True),
        kill_and_restart,
    ]
    for fault in faults:
        before = server.pid
        fault()
        assert server.pid != before
        assert await value(server, "select answer from kept") == "42"


async def test_it_is_as_durable_as_in_production(server: PrivatePostgres) -> None:
    for setting, expected in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}.items():
        assert await value(server, f"show {setting}") == expected


async def test_it_is_closed_to_others(server: PrivatePostgres) -> None:
    assert listening(server.pid) == {("127.0.0.1", server.port)}
    assert {address for address, _ in listening(server.pid)} <= LOOPBACK
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.admin_url.replace(server.password, "guessed"))


async def test_stopped_it_leaves_nothing(server: PrivatePostgres) -> None:
    family = [server.pid, *processtree.descendants(server.pid)]
    server.stop()
    assert not any(processtree.is_running(pid) for pid in family)
    assert not server.place.folder.exists()
    assert not server.place.wanted.exists()
