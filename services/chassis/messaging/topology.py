"""The broker's topology, derived from the catalogue: nothing here is written down twice.

One durable topic exchange per sender, one quorum queue per listener and sender, a dead-letter queue per listener, one
for what storefronts publish with a routing key that nobody listens to,
limits by policy (arguments can't be changed later, policies can), and a user per service and per storefront with only
the rights it needs: to write to its own exchange and to read its own queues. A pure function; `deploy.topology`
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
"""Exchange, and by listener queue, of what a storefront published with a routing key that nobody listens to."""
UNROUTED_QUEUE = f"orders.{UNROUTED}"
"""Of the alternate exchange of the storefronts': what they publish with a routing key that nobody listens to."""
DELIVERY_LIMIT = 50
NEVER = 1_000_000_000
"""Deliveries of a dead letter: some versions of RabbitMQ drop it after twenty unless they are told otherwise."""
QUEUE_BYTES = 4 * 1024**3
STOREFRONT_QUEUE_MESSAGES = 100_000
STOREFRONT_QUEUE_MILLISECONDS = 14 * 24 * 3600 * 1000


@dataclass(frozen=True, order=True)
class Storefront:
    """A storefront module of a shop. Its broker user and its queue bear the same name."""

    shop: str
    module: str

    @property
    def name(self) -> str:
        return f"{STOREFRONT}.{self.shop}.{self.module}"


@dataclass(frozen=True, order=True)
class Binding:
    """What an exchange passes on to a queue."""

    exchange: str
    queue: str
    routing_key: str


def dead_queue_of(listener: str) -> str:
    """Where the broker puts what a listener could not take."""
    return f"{listener}.{DEAD}"


def listened_queues(service: str) -> list[str]:
    """The queues a service handles messages from, but for its dead letters."""
    unrouted = [UNROUTED_QUEUE] if UNROUTED_QUEUE.startswith(f"{service}.") else []
    return [*queues_of(service), *unrouted]


def exchanges() -> dict[str, str]:
    """All exchanges with their types."""
    senders = dict.fromkeys(entry.sender for entry in CATALOGUE.values())
    return {**dict.fromkeys(senders, "topic"), PUBLIC: "topic", DEAD: "direct", UNROUTED: "fanout"}


def bindings(storefronts: Sequence[Storefront]) -> list[Binding]:
    """All bindings. A queue is also bound by its own name, so that its sender can replay to it alone."""
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
    """All queues, every one a quorum queue."""
    return sorted({binding.queue for binding in bindings(storefronts)})


def permissions(storefronts: Sequence[Storefront]) -> dict[str, dict[str, str]]:
    """What each user may configure (nothing), write and read, as the broker's regular expressions."""
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
    """Limits and dead-lettering: at least once for services, dead letters for ever, storefronts' answers bounded and
    forgetful."""
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
    """The whole as RabbitMQ's importable definitions. `passwords` by user; a user without one is left alone."""
    rights = permissions(storefronts)
    return {
        "vhosts": [{"name": vhost}],
        "users": [_user(name, passwords[name], _tags(name)) for name in rights if name in passwords],
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


def _answers_storefronts(service: str) -> bool:
    return any(entry.public and entry.sender == service for entry in CATALOGUE.values())


def _tags(user: str) -> str:
    """A service may ask the management API for its virtual host, to see whether its bindings are there."""
    return "management" if user in SERVICES else ""


def _user(name: str, password: str, tags: str) -> dict[str, str]:
    """RabbitMQ's salted SHA-256, so that no password stands in the definitions."""
    salt = os.urandom(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    return {
        "name": name,
        "password_hash": digest,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags,
    }
