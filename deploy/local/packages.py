"""Debian packages fetched and unpacked by an unprivileged user, without changing the system.

apt's lists, cache and locks are all in a private folder, so no root is needed and the system's own package
state is neither locked nor changed. Unpacked packages are a cache: a folder appears under its final name only
when it is complete, even if another process builds it at the same time.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

APT_TIMEOUT_SECONDS = 300


class PackagesUnavailable(Exception):
    """apt is not installed or could not fetch; the text has its output."""


@contextmanager
def exclusively(lock: Path) -> Iterator[None]:
    """Hold the lock file `lock` (created when missing) while the body runs; others wait for their turn."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def cached(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return `folder`, made by `make(new_empty_folder)` when it does not exist yet; never visible half made."""
    if folder.is_dir():
        return folder
    with exclusively(folder.with_name(folder.name + ".lock")):
        if not folder.is_dir():
            work = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
            try:
                make(work)
                work.chmod(0o755)
                work.rename(folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return folder


class PrivateApt:
    """apt with its lists and cache under `folder`."""

    def __init__(self, folder: Path) -> None:
        if not all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg")):
            raise PackagesUnavailable("this system has no apt-get and dpkg")
        self.folder = folder
        for needed in ("lists/partial", "cache/archives/partial"):
            (folder / needed).mkdir(parents=True, exist_ok=True)

    def run(self, tool: str, *arguments: str, cwd: Path | None = None) -> str:
        """Return the standard output of apt's `tool`; raise PackagesUnavailable with its error output when it
        fails.
        """
        options = [
            f"Dir::State::lists={self.folder / 'lists'}",
            f"Dir::Cache={self.folder / 'cache'}",
            "APT::Sandbox::User=",
            "Acquire::Retries=3",
        ]
        argv = [tool, *(part for option in options for part in ("-o", option)), *arguments]
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                argv,
                capture_output=True,
                text=True,
                check=False,
                cwd=cwd,
                env=environment,
                timeout=APT_TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            raise PackagesUnavailable(f"{tool} did not end within {APT_TIMEOUT_SECONDS} s") from late
        if done.returncode:
            raise PackagesUnavailable(f"{tool} {arguments[0]}: {(done.stderr or done.stdout).strip()[-600:]}")
        return done.stdout

    def update(self) -> None:
        """Refresh the package lists."""
        self.run("apt-get", "-q", "update")

    def needed_by(self, package: str) -> set[str]:
        """Return `package` and the names of all packages it depends on, directly or indirectly."""
        hidden = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        answer = self.run("apt-cache", "depends", "--recurse", *(f"--no-{kind}" for kind in hidden), package)
        return {line for line in answer.splitlines() if line and not line.startswith((" ", "<"))}

    def resolve(self, *packages: str) -> list[str]:
        """Return what apt would install for `packages` on an empty system: one of each alternative."""
        nothing = self.folder / "status"
        nothing.touch()
        answer = self.run(
            "apt-get",
            *("-q", "-s", "-o", f"Dir::State::status={nothing}", "-o", "APT::Install-Recommends=false"),
            *("install", *packages),
        )
        return [line.split()[1] for line in answer.splitlines() if line.startswith("Inst ")]

    def unpack(self, packages: list[str], into: Path) -> None:
        """Download `packages` and unpack their files below `into`; none of their scripts runs."""
        downloads = Path(tempfile.mkdtemp(prefix="debs.", dir=self.folder))
        try:
            self.run("apt-get", "-q", "download", *packages, cwd=downloads)
            for package in sorted(downloads.glob("*.deb")):
                subprocess.run(["dpkg", "-x", package, into], check=True)
        finally:
            shutil.rmtree(downloads, ignore_errors=True)


def is_installed(package: str) -> bool:
    """Return whether dpkg lists `package` as installed on this system."""
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Abbrev}", package], capture_output=True, text=True, check=False
    )
    return answer.stdout.startswith("ii")
