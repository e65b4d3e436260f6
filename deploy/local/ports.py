"""Ports on 127.0.0.1 for private servers.

They are below the range the kernel uses for outgoing connections: a server that restarts on its port must not
find it occupied by another process's client socket. A server listens some seconds after its port was chosen, so
that a look at what is free is not enough: each process of ours takes whole blocks of ports for itself.
"""

import random
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

LOWEST = 20_000
BLOCK = 32
"""Ports that a process takes for itself at once."""

KERNEL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _highest() -> int:
    first_outgoing = int(KERNEL_RANGE.read_text().split()[0]) if KERNEL_RANGE.exists() else 32_768
    return first_outgoing - 1 if first_outgoing > LOWEST + 1_000 else 65_000


class Ports:
    """The ports this process gives out, no port twice while there are others.

    A block belongs to the process that has its name bound as a socket in Linux's abstract namespace, which holds for
    all users of the machine and ends with the process. Elsewhere blocks are chosen at random.
    """

    def __init__(self, lowest: int, highest: int) -> None:
        self._blocks = [range(first, first + BLOCK) for first in range(lowest, highest + 2 - BLOCK, BLOCK)]
        self._claims: list[socket.socket] = []
        self._unused: list[int] = []
        random.SystemRandom().shuffle(self._blocks)

    def free(self, count: int) -> list[int]:
        """Return `count` different ports on which nothing listens.

        Raises `RuntimeError` when every port is taken by others.
        """
        found: list[int] = []
        with ExitStack() as opened:
            while len(found) < count:
                port = self._next()
                listener = opened.enter_context(socket.socket())
                try:
                    listener.bind(("127.0.0.1", port))
                except OSError:
                    continue
                found.append(port)
        return found

    def _next(self) -> int:
        while not self._unused:
            if not self._blocks:
                raise RuntimeError("every port for private servers is taken: end what no longer has to run")
            block = self._blocks.pop()
            if self._claim(block):
                self._unused = list(block)
        return self._unused.pop()

    def _claim(self, block: range) -> bool:
        if sys.platform != "linux":
            return True
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0comptoir-ports-{block.start}")
        except OSError:
            claim.close()
            return False
        self._claims.append(claim)
        return True


_PORTS = Ports(LOWEST, _highest())


def free_ports(count: int) -> list[int]:
    """Return `count` different unused ports that no other process of Comptoir is given."""
    return _PORTS.free(count)
