"""Topology of the broker, derived from the catalogue: nothing is defined twice.

It has one durable topic exchange per sender, one quorum queue per consumer and sender, a dead-letter queue
per consumer, one for storefronts' messages with a routing key that no queue is bound to, limits by policy
(arguments can't be changed later, policies can), and a user per service and per storefront with only the
rights it needs: to write to its own exchange and to read its own queues. A pure function; `deploy.topology`
applies it.
"""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.catalogue import CATALOGUE, PUBLIC, SERVICES, STOREFRONT, queue_of, queues_of

DEAD = "dead"
"""Exchange of dead letters; routing key = name of the dead-letter queue."""
UNROUTED = "unrouted"
"""Exchange, and queue per consumer, of storefronts' messages with a routing key that no queue is bound to."""
UNROUTED_QUEUE = f"orders.{UNROUTED}"
"""Queue of the storefronts' alternate exchange: their messages with a routing key that no queue is bound to."""
DELIVERY_LIMIT = 50
NEVER = 1_000_000_000
"""Delivery limit of a dead letter: some versions of RabbitMQ drop it after twenty unless configured otherwise."""
QUEUE_BYTES = 4 * 1024**3
STOREFRONT_QUEUE_MESSAGES = 100_000
STOREFRONT_QUEUE_MILLISECONDS = 14 * 24 * 3600 * 1000


@dataclass(frozen=True, order=True)
class Storefront:
    """A storefront module of a shop. Its broker user and its queue have the same name."""

    shop: str
    module: str

    @property
    def name(self) -> str:
        return f"{STOREFRONT}.{self.shop}.{self.module}"


@dataclass(frozen=True, order=True)
class Binding:
    """A binding from an exchange to a queue."""

    exchange: str
    queue: str
    routing_key: str


def dead_queue_of(listener: str) -> str:
    """Return the queue to which the broker moves messages that a consumer could not handle."""
    return f"{listener}.{DEAD}"


def listened_queues(service: str) -> list[str]:
    """Return the queues a service handles messages from, except its dead-letter queue."""
    unrouted = [UNROUTED_QUEUE] if UNROUTED_QUEUE.startswith(f"{service}.") else []
    return [*queues_of(service), *unrouted]


def exchanges() -> dict[str, str]:
    """Return all exchanges with their types."""
    senders = dict.fromkeys(entry.sender for entry in CATALOGUE.values())
    return {**dict.fromkeys(senders, "topic"), PUBLIC: "topic", DEAD: "direct", UNROUTED: "fanout"}


def bindings(storefronts: Sequence[Storefront]) -> list[Binding]:
    """Return all bindings. A queue is also bound by its own name, so that its sender can replay to it only."""
    found = {
        Binding(entry.exchange, queue_of(listener, entry.sender), entry.type)
        for entry in CATALOGUE.values()
        for listener in entry.listeners
    }
    found |= {Binding(binding.exchange, binding.queue, binding.queue) for binding in found}
    found |= {Binding(DEAD, dead_queue_of(service), dead_queue_of(service)) for service in SERVICES}
    found.add(Binding(UNROUTED, UNROUTED_QUEUE, ""))
    found |= {Binding(PUBLIC, s.name, f"{s.shop}.{s.module}.#") for s in storefronts}
    return sorted(found)


def queues(storefronts: Sequence[Storefront]) -> list[str]:
    """Return all queues, each of them a quorum queue."""
    return sorted({binding.queue for binding in bindings(storefronts)})


def permissions(storefronts: Sequence[Storefront]) -> dict[str, dict[str, str]]:
    """Return what each user may configure (nothing), write and read, as the broker's regular expressions."""
    rights = {
        service: {
            "configure": "^$",
            "write": f"^({service}|{PUBLIC})$" if _answers_storefronts(service) else f"^{service}$",
            "read": rf"^{service}\..+$",
        }
        for service in SERVICES
    }
    for storefront in storefronts:
        queue = storefront.name.replace(".", r"\.")
        rights[storefront.name] = {"configure": "^$", "write": f"^{STOREFRONT}$", "read": f"^{queue}$"}
    return rights


def policies() -> list[dict[str, Any]]:
    """Return limits and dead-lettering: at-least-once for services, dead letters kept without expiry, answers
    to storefronts bounded and dropped when the limit is reached."""
    found: list[dict[str, Any]] = [
        {
            "name": f"{service}-queues",
            "pattern": rf"^{service}\.(?!{DEAD}$)",
            "definition": {
                "dead-letter-exchange": DEAD,
                "dead-letter-routing-key": dead_queue_of(service),
                "dead-letter-strategy": "at-least-once",
                "overflow": "reject-publish",
                "delivery-limit": DELIVERY_LIMIT,
                "max-length-bytes": QUEUE_BYTES,
            },
        }
        for service in SERVICES
    ]
    found.append(
        {
            "name": "dead-letters",
            "pattern": rf"^({'|'.join(SERVICES)})\.{DEAD}$",
            "definition": {
                "overflow": "reject-publish",
                "delivery-limit": NEVER,
                "max-length-bytes": QUEUE_BYTES,
            },
        }
    )
    found.append(
        {
            "name": "storefront-answers",
            "pattern": rf"^{STOREFRONT}\.",
            "definition": {
                "max-length": STOREFRONT_QUEUE_MESSAGES,
                "message-ttl": STOREFRONT_QUEUE_MILLISECONDS,
                "overflow": "drop-head",
                "delivery-limit": DELIVERY_LIMIT,
            },
        }
    )
    found.append(
        {
            "name": "storefronts-unrouted",
            "pattern": f"^{STOREFRONT}$",
            "apply-to": "exchanges",
            "definition": {"alternate-exchange": UNROUTED},
        }
    )
    return found


def definitions(
    vhost: str, passwords: Mapping[str, str], storefronts: Sequence[Storefront]
) -> dict[str, Any]:
    """Return everything as RabbitMQ's importable definitions. `passwords` are by user; a user without one is
    left unchanged."""
    rights = permissions(storefronts)
    return {
        "vhosts": [{"name": vhost}],
        "users": [hashed_user(name, passwords[name], tags_of(name)) for name in rights if name in passwords],
        "permissions": [
            {"user": user, "vhost": vhost, **right} for user, right in rights.items() if user in passwords
        ],
        "exchanges": [
            {
                "name": name,
                "vhost": vhost,
                "type": kind,
                "durable": True,
                "auto_delete": False,
                "arguments": {},
            }
            for name, kind in exchanges().items()
        ],
        "queues": [
            {
                "name": name,
                "vhost": vhost,
                "durable": True,
                "auto_delete": False,
                "arguments": {"x-queue-type": "quorum"},
            }
            for name in queues(storefronts)
        ],
        "bindings": [
            {
                "source": binding.exchange,
                "vhost": vhost,
                "destination": binding.queue,
                "destination_type": "queue",
                "routing_key": binding.routing_key,
                "arguments": {},
            }
            for binding in bindings(storefronts)
        ],
        "policies": [
            {"vhost": vhost, "apply-to": "queues", "priority": 1, **policy} for policy in policies()
        ],
    }


def tags_of(user: str) -> str:
    """Return the tags of a user. A service may query the management API for its virtual host, to check its
    bindings."""
    return "management" if user in SERVICES else ""


def hashed_user(name: str, password: str, tags: str) -> dict[str, str]:
    """Return a user with RabbitMQ's salted SHA-256 hash, so that the definitions contain no password."""
    salt = os.urandom(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    return {
        "name": name,
        "password_hash": digest,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags,
    }


def _answers_storefronts(service: str) -> bool:
    return any(entry.public and entry.sender == service for entry in CATALOGUE.values())
