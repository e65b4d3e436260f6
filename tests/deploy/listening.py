"""Which addresses a process and its children listen on, as the kernel tells."""

import re
from contextlib import suppress
from pathlib import Path

from deploy.local.processtree import descendants, is_running

LISTENING = "0A"
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def open_sockets(pid: int) -> set[str]:
    """The inodes of the sockets `pid` has open; none if it ends while we look."""
    found: set[str] = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                found.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    except OSError:
        if is_running(pid):
            raise
    return found


def listening(pid: int) -> set[tuple[str, int]]:
    """(hexadecimal address, port) of every TCP socket that `pid` or a process it started listens on."""
    ours = set().union(*(open_sockets(member) for member in [pid, *descendants(pid)]))
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in ours:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found
