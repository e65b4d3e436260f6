"""Messaging: whether messages are handled, by queue. The broker's depths beside the services' own counts."""

from deploy.grafana.building import Dashboard, Row, Variable
from deploy.grafana.panels import Bars, Panel, Query, Stat
from deploy.grafana.queries import add, average, either, increase, largest, of, quantile, rate

SERVICE, QUEUE = 'service=~"$service"', 'queue=~"$queue"'
AGE = "comptoir_event_age_seconds"
READY, CONSUMERS = "rabbitmq_detailed_queue_messages_ready", "rabbitmq_detailed_queue_consumers"
OURS = 'queue!~"storefront[.].+"'
UNREAD = f"count(({of(READY, OURS)} > 0) and ({of(CONSUMERS, OURS)} == 0)) or vector(0)"
REPEATS = "messages are repeated only after a restart or a lost connection"
PARKS = "no message was parked since the processes started"
WAITS = "no message waited since the processes started"
BACKOFFICE = "Operations in the back office"

_NOW = Row(
    "Now",
    [
        Stat(
            "Queues without a consumer",
            "Queues with messages and no consumer: their service is down, or its connection is. Queues of storefronts "
            "are not counted.",
            "short",
            [Query(UNREAD, "queues")],
            warning=1,
        ),
        Stat(
            "Messages ready",
            "Messages that wait to be received, in all queues.",
            "short",
            [Query(add(of(READY, QUEUE)), "messages")],
        ),
        Stat(
            "Age at handling, 95 %",
            "From an event to its commit by a consumer. Above 30 s people notice that pages are behind.",
            "s",
            [Query(quantile(0.95, AGE, matchers=(SERVICE, QUEUE)), "age")],
            warning=30,
        ),
        Stat(
            "Parked, dead",
            f"Messages that an operator has to look at: {BACKOFFICE} explains each, and retries or discards it.",
            "short",
            [Query(add(largest(of("comptoir_parked_rows", SERVICE, 'state="dead"'), "service")), "dead")],
            warning=1,
        ),
        Stat(
            "Parked, waiting",
            "Messages that wait for another one, such as a payment for its order. They continue by themselves.",
            "short",
            [
                Query(
                    add(largest(of("comptoir_parked_rows", SERVICE, 'state="waiting"'), "service")), "waiting"
                )
            ],
        ),
        Stat(
            "Bindings missing",
            "Bindings that the catalogue has and the broker lacks: messages are lost. Run deploy.topology apply.",
            "short",
            [
                Query(
                    add(largest(of("comptoir_bindings_missing", SERVICE), "service")),
                    "bindings",
                    "bindings are watched only with COMPTOIR_BROKER_MANAGEMENT_URL",
                )
            ],
            warning=1,
        ),
    ],
)

_QUEUES = Row(
    "Queues",
    [
        Panel(
            "Messages ready",
            "By queue. A depth is no alarm; one that grows is: compare with the rate of handled messages.",
            "short",
            [Query(add(of(READY, QUEUE), "queue"), "{{queue}}")],
        ),
        Panel(
            "Messages received and not acknowledged",
            "By queue. It stays at the limit (prefetch by consumers) when handlers are stuck.",
            "short",
            [Query(add(of("rabbitmq_detailed_queue_messages_unacked", QUEUE), "queue"), "{{queue}}")],
        ),
        Panel(
            "Handled",
            "Messages whose effect was committed, by queue.",
            "ops",
            [Query(add(rate("comptoir_messages_handled_total", SERVICE, QUEUE), "queue"), "{{queue}}")],
        ),
        Panel(
            "Age at handling, 95 %",
            "From an event to its commit, by queue. This is how far a service is behind.",
            "s",
            [Query(quantile(0.95, AGE, "queue", matchers=(SERVICE, QUEUE)), "{{queue}}")],
            warning=30,
        ),
        Panel(
            "Consumers",
            "By queue. As many as the service has processes; 0 while messages wait is an outage.",
            "short",
            [Query(add(of(CONSUMERS, QUEUE), "queue"), "{{queue}}")],
        ),
        Panel(
            "Acknowledged at the broker",
            "By queue, as RabbitMQ counts it: per queue from 4.0 on, per channel before. Needs the family "
            "queue_delivery_metrics (4.x) or channel_queue_metrics (3.x) of /metrics/detailed.",
            "ops",
            [
                Query(
                    either(
                        add(rate("rabbitmq_detailed_queue_messages_acked_total", QUEUE), "queue"),
                        add(rate("rabbitmq_detailed_channel_messages_acked_total", QUEUE), "queue"),
                    ),
                    "{{queue}}",
                    "these families of /metrics/detailed cost more and are not scraped by default",
                )
            ],
        ),
    ],
)

_HANDLING = Row(
    "Handling",
    [
        Panel(
            "Handled by type, the ten most frequent",
            "Messages whose effect was committed, by type.",
            "ops",
            [
                Query(
                    f"topk(10, {add(rate('comptoir_messages_handled_total', SERVICE, QUEUE), 'type')})",
                    "{{type}}",
                )
            ],
        ),
        Bars(
            "Parked, by reason, in the time shown",
            "Messages that need a person, or another message. The README of the chassis explains each reason; "
            f"{BACKOFFICE} lists them.",
            "short",
            [
                Query(
                    add(increase("comptoir_messages_parked_total", SERVICE, QUEUE), "queue", "reason"),
                    "{{queue}}, {{reason}}",
                    PARKS,
                )
            ],
        ),
        Panel(
            "Repeated and waiting",
            "Messages that had been handled before, which change nothing, and those set aside until what they need "
            "appears. Many repeats: connections break, or somebody replays.",
            "ops",
            [
                Query(
                    add(rate("comptoir_messages_duplicate_total", SERVICE, QUEUE), "queue"),
                    "{{queue}}, repeated",
                    REPEATS,
                ),
                Query(
                    add(rate("comptoir_messages_waiting_total", SERVICE, QUEUE), "queue"),
                    "{{queue}}, waiting",
                    WAITS,
                ),
            ],
        ),
        Panel(
            "Parked messages",
            "By service and state. Dead ones need a person.",
            "short",
            [
                Query(
                    largest(of("comptoir_parked_rows", SERVICE), "service", "state"), "{{service}}, {{state}}"
                )
            ],
        ),
        Panel(
            "Age of the oldest parked message",
            "By service and state. One that waits for hours waits for something that will not come: look at it.",
            "s",
            [
                Query(
                    largest(of("comptoir_parked_oldest_seconds", SERVICE), "service", "state"),
                    "{{service}}, {{state}}",
                )
            ],
            width=24,
        ),
        Panel(
            "Messages in one commit",
            "Average, by queue. It grows under load, which is what makes the services fast; at 100 it is full.",
            "short",
            [Query(average("comptoir_batch_messages", "queue", matchers=(SERVICE, QUEUE)), "{{queue}}")],
            decimals=1,
        ),
        Panel(
            "Time of a commit, 95 %",
            "From begin to commit of a batch, by queue. Above a second PostgreSQL is slow or rows are locked.",
            "s",
            [
                Query(
                    quantile(0.95, "comptoir_commit_seconds", "queue", matchers=(SERVICE, QUEUE)), "{{queue}}"
                )
            ],
            warning=1,
        ),
    ],
)

DASHBOARD = Dashboard(
    "messaging",
    "Messaging",
    "Whether messages are handled: depth, age, rates and parked messages, by queue.",
    ("comptoir_dispatch_rows", READY),
    [_NOW, _QUEUES, _HANDLING],
    [
        Variable("service", "Service", ("comptoir_dispatch_rows",)),
        Variable("queue", "Queue", (READY,)),
    ],
)
