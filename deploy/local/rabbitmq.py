"""Private RabbitMQ: its own data, cookie and epmd, free ports on 127.0.0.1, a random password, no guest.

It listens on nothing but 127.0.0.1 (AMQP, management, Erlang distribution and epmd alike) and shares nothing
with a broker of the system or with another private one. `COMPTOIR_RABBITMQ_URL` and
`COMPTOIR_RABBITMQ_MANAGEMENT_URL` name a broker to use instead.
"""

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import unquote, urlsplit

from contracts.envelope import MAX_BODY_BYTES
from deploy.local import processtree
from deploy.local.place import ServerFolder, ServerTls, take_place
from deploy.local.ports import free_ports
from deploy.local.rabbitmq_home import (
    PLUGINS,
    RabbitmqHome,
    RabbitmqNotFound,
    find_rabbitmq,
    installed_homes,
    unpacked_home,
)
from deploy.local.reaper import process_reaper
from deploy.local.spawning import run, spawn

START_SECONDS = 90.0
STOP_SECONDS = 45.0
POLL_SECONDS = 0.05
LEAST_FREE_BYTES = 256 * 10**6
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"
ADMINISTRATOR = "comptoir"

SETTINGS = """
listeners.tcp.1 = 127.0.0.1:{amqp_port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {metrics_port}
default_user = {user}
default_pass = {password}
default_vhost = /
default_user_tags.administrator = true
disk_free_limit.absolute = 64MB
max_message_size = {most_bytes}
raft.wal_max_size_bytes = 64000000
log.file = broker.log
log.file.level = info
log.console = false
"""


class RabbitMQDidNotStart(Exception):
    """The private broker exited or did not answer in time; carries the end of its log."""


class RabbitMQNotOurs(Exception):
    """The broker was named by COMPTOIR_RABBITMQ_URL; only its owner may stop, restart, kill or control it."""

    def __init__(self) -> None:
        super().__init__("unset COMPTOIR_RABBITMQ_URL to have a private broker")


class RabbitMQ:
    """A broker run by someone else, known by its administrator's URLs. `PrivateRabbitMQ` is one started here."""

    def __init__(self, amqp_url: str, management_url: str, metrics_url: str | None = None) -> None:
        parts = urlsplit(amqp_url)
        self.amqp_url = amqp_url
        self.management_url = management_url.rstrip("/")
        self.metrics_url = metrics_url
        self.user = unquote(parts.username or "guest")
        self.password = unquote(parts.password or "guest")

    @property
    def pid(self) -> int:
        """Return the Erlang VM's process id."""
        raise RabbitMQNotOurs

    @property
    def node(self) -> str:
        """Return the Erlang node's name."""
        raise RabbitMQNotOurs

    def stop(self) -> None:
        """End a private broker for good and remove its data; do nothing for a broker that is not ours."""

    def restart(self) -> None:
        """Stop cleanly and start on the same ports with the same data."""
        raise RabbitMQNotOurs

    def kill(self) -> None:
        """Send SIGKILL; `restart()` starts it again."""
        raise RabbitMQNotOurs

    def tool(self, program: str, *arguments: str) -> str:
        """Return the output of one of the broker's tools; raise CalledProcessError when it fails."""
        raise RabbitMQNotOurs

    def ctl(self, *arguments: str) -> str:
        """Return the output of `rabbitmqctl`, as `tool` does."""
        return self.tool("rabbitmqctl", *arguments)


class PrivateRabbitMQ(RabbitMQ):
    """A broker started here in `place` with the programs of `home`."""

    def __init__(self, place: ServerFolder, home: RabbitmqHome, tls: ServerTls | None = None) -> None:
        self.place, self.home, self._tls = place, home, tls
        self.log = place.folder / "output.log"
        self.amqp_port, self.tls_port, self.management_port, self.metrics_port, *erlang = free_ports(6)
        self.distribution_port, self.epmd_port = erlang
        password = secrets.token_urlsafe(18)
        super().__init__(
            f"amqp://{ADMINISTRATOR}:{password}@127.0.0.1:{self.amqp_port}/",
            f"http://127.0.0.1:{self.management_port}",
            f"http://127.0.0.1:{self.metrics_port}",
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RabbitMQDidNotStart("this private RabbitMQ has been stopped")
        return self._process.pid

    @property
    def node(self) -> str:
        return f"comptoir-{self.amqp_port}@localhost"

    def initialise(self) -> None:
        """Write the broker's settings, plugins and its own cookie, and start its own epmd."""
        for name in ("data", "log", "home", "expanded"):
            self.place.make(name)
        self.place.write("home/.erlang.cookie", secrets.token_hex(20)).chmod(0o400)
        self.place.write("enabled_plugins", f"[{','.join(PLUGINS)}].\n")
        self.place.write("environment.conf", "")
        tls = self._tls.rabbitmq(self.place, self.tls_port) if self._tls else ""
        self.place.write("rabbitmq.conf", SETTINGS.format(**vars(self), most_bytes=MAX_BODY_BYTES) + tls)
        self._epmd = self._spawn(self.home.erlang / "epmd")

    def start(self) -> None:
        """Start the broker; return once AMQP and management answer, or raise RabbitMQDidNotStart within 90 s."""
        self._process = self._spawn(self.home.scripts / "rabbitmq-server")
        deadline = time.monotonic() + START_SECONDS
        while not (self._speaks_amqp() and self._is_managed()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RabbitMQDidNotStart(f"RabbitMQ on port {self.amqp_port}:\n{self._log_tail()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        self.kill()
        if self._epmd is not None:
            processtree.kill_tree(self._epmd.pid)
            self._epmd.wait()
            process_reaper.release(self._epmd.pid)
            self._epmd = None
        self.place.leave()

    def restart(self) -> None:
        if self._process is not None:
            processtree.send(self._process.pid, signal.SIGTERM)
            processtree.wait_until_gone([self._process.pid], STOP_SECONDS)
            self.kill()
        self.start()

    def kill(self) -> None:
        if self._process is not None:
            processtree.kill_tree(self._process.pid)
            self._process.wait()
            process_reaper.release(self._process.pid)
            self._process = None

    def tool(self, program: str, *arguments: str) -> str:
        argv: list[str | Path] = [self.home.scripts / program, "--quiet", "--node", self.node, *arguments]
        return run(argv, env=self._environment(), cwd=self.place.folder, identity=self.place.identity).stdout

    def _spawn(self, *argv: str | Path) -> subprocess.Popen[bytes]:
        place = self.place
        return spawn(argv, log=self.log, env=self._environment(), cwd=place.folder, identity=place.identity)

    def _environment(self) -> dict[str, str]:
        """Return every variable that the scripts would otherwise read from the system's folders and default
        ports.

        RUNNING_UNDER_SYSTEMD makes rabbitmq-server become the Erlang VM instead of remaining its parent.
        """
        folder = self.place.folder
        return {
            **self.home.environment(),
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "no-further-settings"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "expanded"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "broker.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK_ONLY,
            "RABBITMQ_CTL_ERL_ARGS": LOOPBACK_ONLY,
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _speaks_amqp(self) -> bool:
        """Return whether the port answers the protocol header with a method frame (Connection.Start)."""
        try:
            with socket.create_connection(("127.0.0.1", self.amqp_port), timeout=2) as connection:
                connection.sendall(PROTOCOL_HEADER)
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def _is_managed(self) -> bool:
        """Return whether the management API accepts the administrator's login."""
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        connection = HTTPConnection("127.0.0.1", self.management_port, timeout=2)
        try:
            connection.request("GET", "/api/whoami", headers={"Authorization": f"Basic {credentials}"})
            return connection.getresponse().status == 200
        except (HTTPException, OSError):
            return False
        finally:
            connection.close()

    def _log_tail(self) -> str:
        logs = [log for log in (self.log, *sorted((self.place.folder / "log").glob("*.log"))) if log.exists()]
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-2000:]}" for log in logs)


def given_rabbitmq(environment: Mapping[str, str]) -> RabbitMQ | None:
    """Return the broker that `environment` names, if any; both URLs are needed."""
    amqp_url = environment.get("COMPTOIR_RABBITMQ_URL")
    management_url = environment.get("COMPTOIR_RABBITMQ_MANAGEMENT_URL")
    if bool(amqp_url) != bool(management_url):
        raise RabbitmqNotFound("set COMPTOIR_RABBITMQ_URL and COMPTOIR_RABBITMQ_MANAGEMENT_URL, or neither")
    metrics_url = environment.get("COMPTOIR_RABBITMQ_METRICS_URL")
    return RabbitMQ(amqp_url, management_url, metrics_url) if amqp_url and management_url else None


def _check_disk(place: ServerFolder) -> None:
    """Check the free disk space: without it RabbitMQ would start but accept no message, and publishers would
    hang while its disk alarm is on.
    """
    free = shutil.disk_usage(place.folder).free
    if free < LEAST_FREE_BYTES:
        place.leave()
        raise RabbitMQDidNotStart(
            f"only {free // 10**6} MB are free at {place.folder}; RabbitMQ takes no messages below 64 MB: make "
            f"room for at least {LEAST_FREE_BYTES // 10**6} MB"
        )


def start_rabbitmq(
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    is_durable: bool = True,
    tls: ServerTls | None = None,
) -> RabbitMQ:
    """Start and return a RabbitMQ with management; `folder` must not exist yet and is its own until `stop()`.

    With `tls` it also listens on its `tls_port`. `COMPTOIR_RABBITMQ_URL` with `COMPTOIR_RABBITMQ_MANAGEMENT_URL` in
    `environment` have priority: nothing is started. `COMPTOIR_RABBITMQ` chooses between "installed" and "fetched"
    programs ("auto": the first that is present).
    """
    if given := given_rabbitmq(environment):
        return given
    home = find_rabbitmq(environment.get("COMPTOIR_RABBITMQ", "auto"), installed_homes())
    place = take_place(folder, is_durable=is_durable)
    _check_disk(place)
    if tree := home.tree:
        programs = [f"{tree.name}/usr/lib/erlang/bin/erl", f"{tree.name}/usr/lib/rabbitmq/bin/rabbitmqctl"]
        home = unpacked_home(place.within_reach(tree.parent, [tree.name], programs) / tree.name)
    broker = PrivateRabbitMQ(place, home, tls)
    try:
        broker.initialise()
        broker.start()
    except BaseException:
        broker.stop()
        raise
    return broker
