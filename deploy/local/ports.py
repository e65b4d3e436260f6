"""Ports on 127.0.0.1 for private servers.

They are below the range the kernel uses for outgoing connections: a server that restarts on its port must not
find it occupied by another process's client socket.
"""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

LOWEST = 20_000
KERNEL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _highest() -> int:
    first_outgoing = int(KERNEL_RANGE.read_text().split()[0]) if KERNEL_RANGE.exists() else 32_768
    return first_outgoing - 1 if first_outgoing > LOWEST + 1_000 else 65_000


def free_ports(count: int) -> list[int]:
    """Return `count` different unused ports, chosen at random so that parallel runs do not collide."""
    found: list[int] = []
    highest = _highest()
    with ExitStack() as opened:
        while len(found) < count:
            port = random.randint(LOWEST, highest)
            listener = opened.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found
