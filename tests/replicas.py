"""Replicas: several processes of every service on one system, by name."""

from contracts.catalogue import SERVICES
from deploy.local.supervisor import Program
from deploy.local.system import System


def names_of(service: str, count: int) -> list[str]:
    """Return the names of a service's processes: the one at the system's address, then its replicas."""
    return [service, *(f"{service} {number}" for number in range(2, count + 1))]


def service_of(name: str) -> str:
    """Return the service that a process belongs to; other programs have no replicas."""
    return name.partition(" ")[0]


def program_of(system: System, name: str) -> Program:
    """Return the program of a process of a service."""
    service = service_of(name)
    return system.program(service, None if name == service else name)


async def start_replicas(system: System, count: int) -> list[str]:
    """Start what does not run of so many processes of each service; return the names of all of them.

    One of each service at a time: a machine with few cores would not have all of them ready in time.
    """
    names = {service: names_of(service, count) for service in SERVICES}
    for beside in zip(*names.values(), strict=True):
        stopped = [name for name in beside if not _runs(system, name)]
        await system.supervisor.start(*(program_of(system, name) for name in stopped))
    return [name for each in names.values() for name in each]


def _runs(system: System, name: str) -> bool:
    return name in system.supervisor.names() and system.supervisor.exited(name) is None
