"""RabbitMQ as Comptoir needs it: 3.10 and 4.x. Its own dashboards, which are linked, show the rest.

Where a name changed between versions, the query asks for both with `or`.
"""

from deploy.grafana.building import Dashboard, Row
from deploy.grafana.panels import Panel, Query, Stat
from deploy.grafana.queries import add, either, largest, of, rate

NODE = "{{instance}}"
BUILD = "rabbitmq_build_info"
READY, CONSUMERS = "rabbitmq_detailed_queue_messages_ready", "rabbitmq_detailed_queue_consumers"
MEMORY, DISK = "rabbitmq_alarms_memory_used_watermark", "rabbitmq_alarms_free_disk_space_watermark"
LATENCY = either(
    largest(of("rabbitmq_raft_entry_commit_latency_seconds"), "instance"),
    largest(of("rabbitmq_raft_max_commit_latency_seconds"), "instance"),
)
HANDLES = "RabbitMQ 4 may not report file descriptors"

_NOW = Row(
    "Now",
    [
        Stat(
            "Nodes",
            "Nodes that answered the last scrape. A cluster of three works with two, and stops with one.",
            "short",
            [Query(f"count({of(BUILD)})", "nodes")],
        ),
        Stat(
            "Alarms",
            "Memory or disk alarms that are on. While one is, the broker accepts no messages: services keep theirs "
            "in the outbox.",
            "short",
            [Query(f"{add(of(MEMORY))} + {add(of(DISK))}", "alarms")],
            warning=1,
        ),
        Stat(
            "Messages",
            "Ready and unacknowledged messages in all queues.",
            "short",
            [Query(add(of("rabbitmq_queue_messages")), "messages")],
        ),
        Stat(
            "Connections",
            "Connections of services, storefronts and tools.",
            "short",
            [Query(add(of("rabbitmq_connections")), "connections")],
        ),
        Stat(
            "Consumers",
            "Consumers of all queues.",
            "short",
            [Query(add(of("rabbitmq_consumers")), "consumers")],
        ),
        Stat(
            "Queues",
            "Queues of all virtual hosts.",
            "short",
            [Query(add(of("rabbitmq_queues")), "queues")],
        ),
    ],
)

_LIMITS = Row(
    "Before publishers are blocked",
    [
        Panel(
            "Memory left",
            "Bytes until the memory alarm, by node. At 0 the broker accepts no messages.",
            "bytes",
            [
                Query(
                    f"{of('rabbitmq_resident_memory_limit_bytes')} - {of('rabbitmq_process_resident_memory_bytes')}",
                    NODE,
                )
            ],
        ),
        Panel(
            "Disk left",
            "Bytes until the disk alarm, by node.",
            "bytes",
            [
                Query(
                    f"{of('rabbitmq_disk_space_available_bytes')} - {of('rabbitmq_disk_space_available_limit_bytes')}",
                    NODE,
                )
            ],
        ),
        Panel(
            "Alarms",
            "By node: 1 while the alarm is on.",
            "short",
            [Query(of(MEMORY), f"{NODE}, memory"), Query(of(DISK), f"{NODE}, disk")],
            warning=1,
            decimals=0,
        ),
        Panel(
            "Open file descriptors",
            "Share of the node's limit. Each connection and each queue's files take some.",
            "percentunit",
            [
                Query(
                    f"{of('rabbitmq_process_open_fds')} / {of('rabbitmq_process_max_fds')}",
                    NODE,
                    HANDLES,
                )
            ],
            warning=0.8,
        ),
    ],
)

_MESSAGES = Row(
    "Messages",
    [
        Panel(
            "Longest queues",
            "Ready messages of the ten longest queues.",
            "short",
            [Query(f"topk(10, {add(of(READY), 'vhost', 'queue')})", "{{vhost}} {{queue}}")],
        ),
        Panel(
            "Queues with messages and no consumer",
            "Ready messages that nobody receives. A storefront's queue here: the storefront is not connected.",
            "short",
            [
                Query(
                    f"({of(READY)} > 0) and ({of(CONSUMERS)} == 0)",
                    "{{vhost}} {{queue}}",
                    "every queue with messages has a consumer",
                )
            ],
        ),
        Panel(
            "In and out",
            "Messages received from publishers, confirmed to them, delivered and acknowledged.",
            "ops",
            [
                Query(add(rate("rabbitmq_global_messages_received_total")), "received"),
                Query(add(rate("rabbitmq_global_messages_confirmed_total")), "confirmed"),
                Query(add(rate("rabbitmq_global_messages_delivered_total")), "delivered"),
                Query(add(rate("rabbitmq_global_messages_acknowledged_total")), "acknowledged"),
            ],
        ),
        Panel(
            "Redelivered",
            "Messages delivered again: their consumer's connection broke, or it returned them. Above a twentieth of "
            "all deliveries, handlers die.",
            "ops",
            [Query(add(rate("rabbitmq_global_messages_redelivered_total")), "redelivered")],
        ),
        Panel(
            "Unroutable",
            "Messages that no binding takes: dropped, or returned to the publisher. Services publish as mandatory and "
            "keep what is returned; look for missing bindings.",
            "ops",
            [
                Query(add(rate("rabbitmq_global_messages_unroutable_dropped_total")), "dropped"),
                Query(add(rate("rabbitmq_global_messages_unroutable_returned_total")), "returned"),
            ],
        ),
        Panel(
            "Dead-lettered",
            "By reason. Delivery limit: a message was returned too often and may kill its handler; it is parked.",
            "ops",
            [
                Query(
                    add(rate(f"rabbitmq_global_messages_dead_lettered_{reason}_total")),
                    reason.replace("_", " "),
                )
                for reason in ("delivery_limit", "rejected", "expired", "maxlen")
            ],
        ),
    ],
)

_CLUSTER = Row(
    "Connections and quorum queues",
    [
        Panel(
            "Connections opened and closed",
            "A steady rate is a client that connects for every message, or one that fails and tries again.",
            "ops",
            [
                Query(add(rate("rabbitmq_connections_opened_total")), "opened"),
                Query(add(rate("rabbitmq_connections_closed_total")), "closed"),
            ],
        ),
        Panel(
            "Raft: time to commit",
            "The slowest quorum queue of each node. It is the time that publishers wait for a confirm: the disk's.",
            "s",
            [Query(LATENCY, NODE)],
        ),
    ],
)

DASHBOARD = Dashboard(
    "rabbitmq",
    "RabbitMQ",
    "The broker as Comptoir needs it: alarms, what is left before publishers are blocked, queues, losses.",
    (BUILD, READY),
    [_NOW, _LIMITS, _MESSAGES, _CLUSTER],
    shows_starts=False,
)
