"""Location of RabbitMQ's and Erlang's programs: installed here, or fetched and unpacked without root.

Debian's packages unpack into any folder; only Erlang's `erl` scripts contain the path they were built for.
They are rewritten to find their own path, so the unpacked tree can be renamed and copied.
"""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.packages import PackagesUnavailable, PrivateApt, cached, is_installed

UNPACKED = Path(__file__).resolve().parents[2] / "var" / "parts" / "rabbitmq"
OWN_PLACE = 'ROOTDIR="$(cd "$(dirname "$(readlink -f "$0")")/{up}" && pwd -P)"'
NEEDED_PREFIXES = ("erlang-", "rabbitmq-server", "socat", "lib")
PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WHAT_TO_DO = (
    "Install it (apt-get install rabbitmq-server), or set "
    "COMPTOIR_RABBITMQ_URL=amqp://user:password@host:5672/ and COMPTOIR_RABBITMQ_MANAGEMENT_URL=http://host:15672"
)


class RabbitmqNotFound(Exception):
    """No RabbitMQ server on this machine and none could be fetched; the text says what to do."""


@dataclass(frozen=True)
class RabbitmqHome:
    """`scripts` holds rabbitmq-server and rabbitmqctl, `erlang` erl and epmd; `tree` is the unpacked tree, if
    any.
    """

    scripts: Path
    erlang: Path
    tree: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables by which its programs find each other, and libraries unpacked with them."""
        found = {"PATH": f"{self.erlang}:{os.environ.get('PATH', '')}:{SYSTEM_PATH}"}
        if self.tree and (libraries := [str(path) for path in self.tree.glob("usr/lib/*-linux-*")]):
            found["LD_LIBRARY_PATH"] = ":".join(libraries)
        return found


def unpacked_home(tree: Path) -> RabbitmqHome:
    """Return the programs inside an unpacked `tree`."""
    return RabbitmqHome(tree / "usr/lib/rabbitmq/bin", tree / "usr/lib/erlang/bin", tree)


def installed_homes() -> list[RabbitmqHome]:
    """Return the RabbitMQ installed here, with the Erlang on PATH: the scripts behind Debian's wrapper for
    root.
    """
    on_path = [shutil.which("rabbitmq-server", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")]
    places = [Path("/usr/lib/rabbitmq/bin"), *(Path(found).resolve().parent for found in on_path if found)]
    erl = shutil.which("erl", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    real = [
        place
        for place in places
        if (place / "rabbitmq-server").is_file() and (place / "rabbitmq-env").exists()
    ]
    return [RabbitmqHome(place, Path(erl).parent) for place in real] if erl else []


def find_rabbitmq(kind: str, installed: Sequence[RabbitmqHome], unpacked: Path = UNPACKED) -> RabbitmqHome:
    """Return the programs to use; `kind`: "auto" (installed, else fetched to `unpacked`), "installed",
    "fetched".
    """
    if kind not in {"auto", "installed", "fetched"}:
        raise RabbitmqNotFound(f"COMPTOIR_RABBITMQ={kind!r}: it is one of auto, installed, fetched")
    if kind != "fetched" and installed:
        return installed[0]
    if kind == "installed":
        raise RabbitmqNotFound(f"No RabbitMQ server is installed. {WHAT_TO_DO}")
    try:
        return unpacked_home(cached(unpacked, fetch))
    except PackagesUnavailable as reason:
        raise RabbitmqNotFound(
            f"No RabbitMQ server here, and fetching one failed: {reason}. {WHAT_TO_DO}"
        ) from reason


def fetch(tree: Path) -> None:
    """Unpack RabbitMQ, Erlang and the libraries this system lacks into the empty folder `tree`."""
    apt = PrivateApt(tree / "apt")
    apt.update()
    names = [name for name in apt.needed_by("rabbitmq-server") if name.startswith(NEEDED_PREFIXES)]
    apt.unpack(sorted(name for name in names if not (name.startswith("lib") and is_installed(name))), tree)
    shutil.rmtree(apt.folder)
    for script in tree.glob("usr/lib/erlang/**/bin/*"):
        if script.name in {"erl", "start"} and script.is_file():
            find_own_place(script)
    for plugins in tree.glob("usr/lib/rabbitmq/lib/*/plugins"):
        keep_what_is_needed(plugins)
    open_for_everybody(tree)


def find_own_place(script: Path) -> None:
    """Make Erlang's start script derive its root from its own path, not from the one it was built for."""
    up = ".." if script.parent.parent.name == "erlang" else "../.."
    text = script.read_text()
    script.write_text(re.sub(r"ROOTDIR=/\S+", lambda _: OWN_PLACE.format(up=up), text))


def keep_what_is_needed(plugins: Path) -> None:
    """Remove the plugins that are never enabled.

    Erlang searches every folder for every module, which took half the start's time: 11 s with Debian's 70
    plugins, 5 s with the 29 that remain.
    """
    applications = {
        path.name.rpartition("-")[0]: path for path in plugins.iterdir() if (path / "ebin").is_dir()
    }
    needed: set[str] = set()
    queue = ["rabbit", "rabbitmq_prelaunch", *PLUGINS]
    while queue:
        name = queue.pop()
        if name in applications and name not in needed:
            needed.add(name)
            description = (applications[name] / "ebin" / f"{name}.app").read_text()
            depends = re.search(r"\{applications,\s*\[([^]]*)\]", description)
            queue += re.findall(r"\w+", depends[1]) if depends else []
    for name in applications.keys() - needed:
        shutil.rmtree(applications[name])


def open_for_everybody(tree: Path) -> None:
    """Make the tree readable for the account the server runs under, whatever the umask."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))
