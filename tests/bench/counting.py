"""What services count of themselves, read off `/metrics` (statements, batches), and what their tables hold.

A counter that is not there yet counts as nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx2

from contracts.catalogue import CATALOGUE, SERVICES
from tests.bench.harness import Harness
from tests.replicas import service_of

_SAMPLE = re.compile(
    r"^comptoir_(database_statements_total|batch_messages_sum|batch_messages_count)\{([^}]*)\} (\S+)$", re.M
)
_QUEUE = re.compile(r'queue="([^"]*)"')
BYTES = """SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
    WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'msg'::regnamespace)"""

BODIES = (
    """SELECT type, sum(length(body))::bigint AS bytes FROM msg.event_log WHERE time >= $1 GROUP BY type"""
)


@dataclass
class Counts:
    """Statements by service, messages and batches by queue, bytes of tables and indexes by service, so far."""

    statements: dict[str, float] = field(default_factory=dict)
    messages: dict[str, float] = field(default_factory=dict)
    batches: dict[str, float] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def add(self, service: str, text: str) -> None:
        """Add what the `/metrics` of one of a service's processes says."""
        self.statements.setdefault(service, 0.0)
        for name, labels, value in _SAMPLE.findall(text):
            queue = _QUEUE.search(labels)
            if name == "database_statements_total":
                self.statements[service] += float(value)
            elif queue is not None:
                of_queue = self.messages if name == "batch_messages_sum" else self.batches
                of_queue[queue[1]] = of_queue.get(queue[1], 0.0) + float(value)


async def count(harness: Harness, names: Sequence[str]) -> Counts:
    """What these running processes of our services have counted."""
    counts = Counts()
    async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
        for name in names:
            answer = await http.get(f"{harness.ours.url(name)}/metrics", headers=harness.ours.operator)
            answer.raise_for_status()
            counts.add(service_of(name), answer.text)
    for service in {service_of(name) for name in names}:
        counts.bytes[service] = await harness.fetchval(service, BYTES)
    return counts


def statements_each(before: Counts, after: Counts, lives: int) -> dict[str, float]:
    """Statements a life costs, by service."""
    return {name: (now - before.statements.get(name, 0.0)) / lives for name, now in after.statements.items()}


def batch_sizes(before: Counts, after: Counts) -> dict[str, float]:
    """Messages in a commit on the average, by queue; queues of which nothing was committed are left out."""
    batches = _grown(before.batches, after.batches)
    messages = _grown(before.messages, after.messages)
    return {queue: messages[queue] / number for queue, number in sorted(batches.items()) if number}


def kilobytes_each(before: Counts, after: Counts, lives: int) -> dict[str, float]:
    """By how much the tables and indexes of each service grew for a life."""
    return {name: grown / lives / 1000 for name, grown in _grown(before.bytes, after.bytes).items()}


async def delivered_kilobytes_each(harness: Harness, since: datetime, lives: int) -> dict[str, float]:
    """Bodies that the broker delivered for a life, by sender: what each sent since then, times the queues it goes to.

    Submissions are not in it, headers neither.
    """
    found = {}
    for service in SERVICES:
        rows = await harness.fetch(service, BODIES, since)
        found[service] = sum(row["bytes"] * _queues(row["type"]) for row in rows) / lives / 1000
    return found


def _queues(type: str) -> int:
    """How many queues a message goes to: its listeners', and the storefront's."""
    entry = CATALOGUE[type]
    return len(entry.listeners) + entry.public


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: now - before.get(name, 0) for name, now in after.items()}
