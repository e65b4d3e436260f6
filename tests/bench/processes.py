"""What processes use: memory and processor time."""

from contextlib import suppress
from pathlib import Path

import psutil

from deploy.local import processtree

MIB = 2**20


def resident_mib(pid: int) -> float:
    """Memory a process holds now."""
    return float(psutil.Process(pid).memory_info().rss / MIB)


def most_resident_mib(pid: int) -> float:
    """The most memory a process ever held; psutil does not tell it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no VmHWM in its status")


def processor_seconds(pid: int) -> float:
    """Processor time of a process and everything it started, including what has ended and was reaped."""
    return sum(_own_seconds(each) for each in (pid, *processtree.descendants(pid)))


def _own_seconds(pid: int) -> float:
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
