"""Folder and account of a private server: a folder its account can reach, removed with the server.

PostgreSQL refuses to run as root and a broker should not either, so under root servers run as `nobody`. A
checkout below a folder closed to others is then out of reach: data and, if need be, binaries go to a folder
under the system's temporary one instead, and the requested folder holds a note with its path. The same goes
for files that need not survive a power loss: they are kept in memory where there is room.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.reaper import process_reaper
from deploy.local.spawning import OURSELVES, Identity

ACCOUNT = "nobody"
MEMORY = Path("/dev/shm")
LEAST_FREE_MEMORY_BYTES = 4 * 10**9

_RABBITMQ = """
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {authorities}
ssl_options.certfile = {chain}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""


def server_identity() -> Identity:
    """Return `nobody` when we are root, otherwise ourselves."""
    if os.geteuid() != 0:
        return OURSELVES
    account = pwd.getpwnam(ACCOUNT)
    return Identity(account.pw_uid, account.pw_gid)


def can(identity: Identity, access: str, path: Path) -> bool:
    """Return whether `identity` has `access` ("r", "w" or "x") to `path`, tested as that account."""
    wanted = subprocess.run(
        ["/bin/sh", "-c", f'test -{access} "$0"', str(path)],
        check=False,
        cwd="/",
        user=identity.uid,
        group=identity.gid,
        extra_groups=None if identity.uid is None else [],
    )
    return wanted.returncode == 0


@dataclass(frozen=True)
class ServerFolder:
    """A server's own folder (mode 0700, owned by `identity`); `wanted` is the path that the caller requested."""

    folder: Path
    identity: Identity
    wanted: Path

    def make(self, name: str) -> Path:
        """Create a folder below, owned by the server."""
        return self.hand_over(self.folder / name, make=True)

    def write(self, name: str, text: str) -> Path:
        """Create a file below, readable only by the server."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return self.hand_over(path)

    def hand_over(self, path: Path, *, make: bool = False) -> Path:
        """Give ownership of `path` to the server's account."""
        if make:
            path.mkdir(mode=0o700)
        if self.identity.uid is not None:
            os.chown(path, self.identity.uid, self.identity.gid or -1)
        return path

    def within_reach(self, base: Path, trees: Sequence[str], programs: Sequence[str]) -> Path:
        """Return `base`, or a folder here with copies of its `trees` if the account may not run one of
        `programs`.

        The copies are side by side like the originals: programs find their libraries by relative paths.
        """
        if not _has_blank(base) and all(can(self.identity, "x", base / program) for program in programs):
            return base
        copies = self.make("programs")
        for tree in trees:
            shutil.copytree(base / tree, copies / tree, symlinks=True)
        for below in copies.rglob("*"):
            if not below.is_symlink():
                self.hand_over(below)
        return copies

    def leave(self) -> None:
        """Remove the folder and the note that points to it."""
        for folder in {self.folder, self.wanted}:
            shutil.rmtree(folder, ignore_errors=True)
            process_reaper.removed(folder)


def _has_blank(path: Path) -> bool:
    """Return whether a path has a blank: RabbitMQ's scripts split paths at blanks."""
    return any(character.isspace() for character in str(path))


def take_place(wanted: Path, *, is_durable: bool = True, memory: Path = MEMORY) -> ServerFolder:
    """Return an empty folder for a server: `wanted` itself if its account can reach that and its path has no
    blank, else a temporary one.

    `is_durable`: whether its files must survive a power loss; otherwise they are in `memory` if that has
    room.
    """
    wanted = wanted.resolve()
    identity = server_identity()
    wanted.mkdir(parents=True, mode=0o700)
    process_reaper.remove_at_end(wanted)
    place = ServerFolder(wanted, identity, wanted)
    place.hand_over(wanted)
    in_memory = not is_durable and _has_room(memory)
    if not in_memory and can(identity, "w", wanted) and not _has_blank(wanted):
        return place
    elsewhere = Path(tempfile.mkdtemp(prefix="comptoir-", dir=memory if in_memory else None))
    process_reaper.remove_at_end(elsewhere)
    (wanted / "is-at").write_text(f"{elsewhere}\n")
    place = ServerFolder(elsewhere, identity, wanted)
    place.hand_over(elsewhere)
    return place


def _has_room(memory: Path) -> bool:
    """Return whether files fit there and programs may run from there, since copies of them may be needed."""
    if not os.access(memory, os.W_OK):
        return False
    found = os.statvfs(memory)
    return found.f_bavail * found.f_frsize >= LEAST_FREE_MEMORY_BYTES and not found.f_flag & os.ST_NOEXEC


@dataclass(frozen=True)
class ServerTls:
    """PEM of a server's certificate with those between it and its authority, of its key, and of the authorities whose
    clients it accepts."""

    chain: bytes
    key: bytes
    authorities: bytes

    def rabbitmq(self, place: ServerFolder, port: int) -> str:
        """Write the files and return RabbitMQ's settings: a listener beside the plain one, for clients that
        have a certificate."""
        return _RABBITMQ.format(port=port, **self._write(place))

    def postgres(self, place: ServerFolder) -> dict[str, str]:
        """Write the files and return PostgreSQL's settings, which take effect after a reload."""
        files = self._write(place)
        return {"ssl_cert_file": files["chain"], "ssl_key_file": files["key"], "ssl": "on"}

    def _write(self, place: ServerFolder) -> dict[str, str]:
        files = {"chain": self.chain, "key": self.key, "authorities": self.authorities}
        return {name: str(place.write(f"tls-{name}.pem", pem.decode())) for name, pem in files.items()}
