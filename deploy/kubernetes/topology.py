"""The broker's topology as objects of RabbitMQ's Messaging Topology Operator, from the same definitions that
`comptoir topology apply` sends to a broker.

The operator deletes a queue with its object unless told otherwise, so that every queue and the virtual host have
`deletionPolicy: retain`. Bindings have no names of their own: theirs are digests of what they bind.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.credentials import MONITOR
from deploy.kubernetes.manifests import Manifest, manifest
from services.chassis.messaging.topology import (
    Binding,
    Storefront,
    bindings,
    definitions,
    permissions,
    tags_of,
)

API = "rabbitmq.com/v1beta1"
CLUSTER = {"rabbitmqClusterReference": {"name": "rabbitmq"}}
VHOST = "comptoir"


def topology(storefronts: Sequence[Storefront] = ()) -> list[Manifest]:
    """Return every object of the topology; with storefronts, their logins and queues as well."""
    found = definitions(VHOST, dict.fromkeys(permissions(storefronts), ""), storefronts)
    return [
        manifest(
            API,
            "Vhost",
            VHOST,
            spec={"name": VHOST, "defaultQueueType": "quorum", "deletionPolicy": "retain", **CLUSTER},
        ),
        *(_user(row["user"], row) for row in found["permissions"]),
        _monitor(),
        *(_exchange(row) for row in found["exchanges"]),
        *(_queue(row) for row in found["queues"]),
        *(_binding(row) for row in bindings(storefronts)),
        *(_policy(row) for row in found["policies"]),
        *(_permission(row["user"], row) for row in found["permissions"]),
        _permission(MONITOR, {"configure": "^$", "write": "^$", "read": "^$"}),
    ]


def storefront_objects(storefronts: Sequence[Storefront]) -> list[Manifest]:
    """Return what the topology has with these storefronts and does not have without."""
    always = topology()
    return [one for one in topology(storefronts) if one not in always]


def secret_of(user: str) -> str:
    """Return the name of the Secret with a broker user's name and password."""
    return f"comptoir-broker-{_name(user)}"


def _user(user: str, _: Mapping[str, Any]) -> Manifest:
    tags = [tag for tag in (tags_of(user),) if tag]
    return manifest(
        API,
        "User",
        _name(user),
        spec={
            **({"tags": tags} if tags else {}),
            "importCredentialsSecret": {"name": secret_of(user)},
            **CLUSTER,
        },
    )


def _monitor() -> Manifest:
    spec = {"tags": ["monitoring"], "importCredentialsSecret": {"name": secret_of(MONITOR)}, **CLUSTER}
    return manifest(API, "User", MONITOR, spec=spec)


def _permission(user: str, rights: Mapping[str, str]) -> Manifest:
    allowed = {right: rights[right] for right in ("configure", "write", "read")}
    spec = {"vhost": VHOST, "userReference": {"name": _name(user)}, "permissions": allowed, **CLUSTER}
    return manifest(API, "Permission", _name(user), spec=spec)


def _exchange(row: Mapping[str, Any]) -> Manifest:
    spec = {
        "name": row["name"],
        "vhost": VHOST,
        "type": row["type"],
        "durable": True,
        "autoDelete": False,
        **CLUSTER,
    }
    return manifest(API, "Exchange", row["name"], spec=spec)


def _queue(row: Mapping[str, Any]) -> Manifest:
    spec = {
        "name": row["name"],
        "vhost": VHOST,
        "type": row["arguments"]["x-queue-type"],
        "durable": True,
        "autoDelete": False,
        "deletionPolicy": "retain",
        **CLUSTER,
    }
    return manifest(API, "Queue", _name(row["name"]), spec=spec)


def _binding(row: Binding) -> Manifest:
    digest = hashlib.sha256("\n".join((row.exchange, row.queue, row.routing_key)).encode()).hexdigest()[:12]
    spec = {
        "source": row.exchange,
        "destination": row.queue,
        "destinationType": "queue",
        "routingKey": row.routing_key,
        "vhost": VHOST,
        **CLUSTER,
    }
    return manifest(API, "Binding", f"{_name(row.queue)}.{digest}", spec=spec)


def _policy(row: Mapping[str, Any]) -> Manifest:
    spec = {
        "name": row["name"],
        "vhost": VHOST,
        "pattern": row["pattern"],
        "applyTo": row["apply-to"],
        "priority": row["priority"],
        "definition": row["definition"],
        **CLUSTER,
    }
    return manifest(API, "Policy", row["name"], spec=spec)


def _name(text: str) -> str:
    """Return a name as Kubernetes accepts it: a module such as `price_table` has an underscore."""
    return text.replace("_", "-")
