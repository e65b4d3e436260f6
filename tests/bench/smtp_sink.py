"""postfix's `smtp-sink`: a mail server that takes everything and keeps nothing, cheap enough to stand under load.

Taken from the system if it is there, else unpacked from Debian's package without root. Where neither works the bench
uses the demo's mail server, which costs more than sending does, and says so.
"""

import os
import shutil
from pathlib import Path

from deploy.local.packages import PackagesUnavailable, PrivateApt, cached, is_installed
from deploy.local.place import ACCOUNT

BACKLOG = 512
INSTALLED = ("/usr/sbin/smtp-sink", "/usr/libexec/postfix/smtp-sink")


def find_sink(parts_folder: Path) -> list[str | Path] | None:
    """The command that runs the sink, without its address; None when there is none to be had."""
    on_path = shutil.which("smtp-sink") or next((path for path in INSTALLED if Path(path).exists()), None)
    if on_path:
        return [on_path, *_as_whom()]
    try:
        home = cached(parts_folder / "smtp-sink", _unpack)
    except PackagesUnavailable:
        return None
    folders = [home / "usr/lib/postfix", *home.glob("usr/lib/*-linux-gnu"), *home.glob("lib/*-linux-gnu")]
    libraries = f"LD_LIBRARY_PATH={':'.join(map(str, folders))}"
    return ["/usr/bin/env", libraries, home / "usr/sbin/smtp-sink", *_as_whom()]


def listening(sink: list[str | Path], port: int) -> list[str | Path]:
    """The whole command for one port."""
    return [*sink, f"127.0.0.1:{port}", str(BACKLOG)]


def _as_whom() -> list[str | Path]:
    """smtp-sink refuses to stay root."""
    return ["-u", ACCOUNT] if os.geteuid() == 0 else []


def _unpack(folder: Path) -> None:
    apt = PrivateApt(folder / "apt")
    apt.update()
    libraries = [
        name for name in apt.needed_by("postfix") if name.startswith("lib") and not is_installed(name)
    ]
    apt.unpack(["postfix", *libraries], folder)
    shutil.rmtree(folder / "apt")
