"""Which addresses a process and its children listen on, as the kernel tells."""

from contextlib import suppress

import psutil

from deploy.local.processtree import descendants

LOOPBACK = {"127.0.0.1", "::1"}


def listening(pid: int) -> set[tuple[str, int]]:
    """(address, port) of every TCP socket that `pid` or a process it started listens on."""
    found: set[tuple[str, int]] = set()
    for each in (pid, *descendants(pid)):
        with suppress(psutil.NoSuchProcess):
            sockets = psutil.Process(each).net_connections(kind="tcp")
            found |= {tuple(one.laddr) for one in sockets if one.status == psutil.CONN_LISTEN}
    return found
