"""What processes use: memory and processor time, from /proc."""

import os
from pathlib import Path

from deploy.local import processtree

PROC = Path("/proc")
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Memory a process holds now."""
    return _status_kib(pid, "VmRSS") / 1024


def most_resident_mib(pid: int) -> float:
    """The most memory a process ever held."""
    return _status_kib(pid, "VmHWM") / 1024


def processor_seconds(pid: int) -> float:
    """Processor time of a process and everything it started, including what has ended and was reaped."""
    return sum(_own_seconds(each) for each in (pid, *processtree.descendants(pid)))


def _own_seconds(pid: int) -> float:
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) * _TICK_SECONDS


def _status_kib(pid: int, name: str) -> int:
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"process {pid} has no {name} in its status")
