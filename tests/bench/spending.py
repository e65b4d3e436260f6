"""Where processor time goes, part by part, per order: steadier than a rate when the machine has other guests."""

from collections.abc import Mapping

from deploy.local.parts import Parts
from deploy.local.supervisor import Supervisor
from tests.bench.processes import processor_seconds
from tests.replicas import service_of

Spent = Mapping[str, float]
"""Processor seconds by part; all processes of a service are one."""


def spent(parts: Parts, supervisor: Supervisor) -> Spent:
    """What all parts have used so far: the running programs of a system, and the two servers."""
    used: dict[str, float] = {}
    for name in supervisor.names():
        if supervisor.exited(name) is None:
            part = service_of(name)
            used[part] = used.get(part, 0.0) + processor_seconds(supervisor.pid(name))
    return {
        **used,
        "PostgreSQL": processor_seconds(parts.postgres.pid),
        "RabbitMQ": processor_seconds(parts.rabbitmq.pid),
    }


def milliseconds_each(before: Spent, after: Spent, count: int) -> dict[str, float]:
    """Milliseconds of processor time per order, by part."""
    return {name: (seconds - before.get(name, 0.0)) / count * 1000 for name, seconds in after.items()}


def summary_of(what: str, before: Spent, after: Spent, count: int) -> str:
    """One line: milliseconds per order by part, and their sum."""
    each = milliseconds_each(before, after, count)
    shares = ", ".join(f"{name} {milliseconds:.2f}" for name, milliseconds in each.items())
    return f"{what}, processor time per order in ms: {shares}; sum {sum(each.values()):.2f}"
