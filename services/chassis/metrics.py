"""The Prometheus series of a service. One registry per process; names begin with `comptoir_`."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HANDLED = Counter(
    "comptoir_messages_handled_total", "Messages whose effect was committed.", ["service", "queue", "type"]
)
DUPLICATES = Counter(
    "comptoir_messages_duplicate_total", "Messages that had been handled before.", ["service", "queue"]
)
WAITING = Counter(
    "comptoir_messages_waiting_total",
    "Messages set aside until what they need appears.",
    ["service", "queue"],
)
PARKED = Counter(
    "comptoir_messages_parked_total", "Messages parked for an operator.", ["service", "queue", "reason"]
)
EVENT_AGE = Histogram(
    "comptoir_event_age_seconds",
    "From an event's id to its commit here.",
    ["service", "queue"],
    buckets=(*_SECONDS, 30, 60, 120, 300, 600),
)
BATCH_SIZE = Histogram(
    "comptoir_batch_messages",
    "Messages in one commit.",
    ["service", "queue"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
)
COMMIT_SECONDS = Histogram(
    "comptoir_commit_seconds", "One batch, begin to commit.", ["service", "queue"], buckets=_SECONDS
)
STATEMENTS = Counter(
    "comptoir_database_statements_total",
    "Statements sent to PostgreSQL, BEGIN and COMMIT included.",
    ["service"],
)
POOL_CONNECTIONS = Gauge(
    "comptoir_pool_connections",
    "Connections to PostgreSQL that a process has open. Each process has its own: sum by (pool, state).",
    ["pool", "state"],
)
POOL_CONNECTIONS_MAX = Gauge(
    "comptoir_pool_connections_max",
    "Most connections to PostgreSQL that a process opens. Each process has its own: sum by (pool).",
    ["pool"],
)
POOL_WAIT = Histogram(
    "comptoir_pool_wait_seconds",
    "From asking for a connection to having it, or giving up.",
    ["pool"],
    buckets=_SECONDS,
)
LOOP_LAG = Histogram(
    "comptoir_event_loop_lag_seconds",
    "How late the event loop runs what is due, twice a second.",
    buckets=_SECONDS,
)
PUBLISHED = Counter("comptoir_messages_published_total", "Messages confirmed by the broker.", ["service"])
UNCONFIRMED = Counter("comptoir_publishes_failed_total", "Publishes to be repeated.", ["service", "why"])
CONFIRM_SECONDS = Histogram(
    "comptoir_confirm_seconds", "Publish to confirm, per batch.", ["service"], buckets=_SECONDS
)
_SHARED = "Every replica reports the same: max by (service), no sum."
"""Note on gauges that describe the whole service rather than one of its processes."""
DISPATCH_ROWS = Gauge(
    "comptoir_dispatch_rows", f"Messages in the outbox, not published yet. {_SHARED}", ["service"]
)
DISPATCH_AGE = Gauge(
    "comptoir_dispatch_oldest_seconds", f"Age of the oldest message in the outbox. {_SHARED}", ["service"]
)
DISPATCH_REFUSED = Gauge(
    "comptoir_dispatch_refused",
    f"Messages in the outbox that the broker refused. {_SHARED}",
    ["service"],
)
BINDINGS_MISSING = Gauge(
    "comptoir_bindings_missing",
    f"Bindings of the service's queues that the broker lacks. {_SHARED}",
    ["service"],
)
PARKED_ROWS = Gauge(
    "comptoir_parked_rows",
    f"Parked messages. {_SHARED.replace('(service)', '(service, state)')}",
    ["service", "state"],
)
PARKED_AGE = Gauge(
    "comptoir_parked_oldest_seconds",
    f"Age of the oldest parked message. {_SHARED.replace('(service)', '(service, state)')}",
    ["service", "state"],
)
EFFECTS = Counter("comptoir_effects_total", "External effects by outcome.", ["service", "kind", "outcome"])
EFFECT_ROWS = Gauge(
    "comptoir_effect_rows",
    "External effects that have not ended well, without failed ones that were acknowledged; every five seconds. "
    f"{_SHARED.replace('(service)', '(service, kind, state)')}",
    ["service", "kind", "state"],
)
EFFECT_DUE_AGE = Gauge(
    "comptoir_effect_due_seconds",
    f"Time since the oldest planned external effect fell due. {_SHARED.replace('(service)', '(service, kind)')}",
    ["service", "kind"],
)
EFFECT_AGE = Gauge(
    "comptoir_effect_oldest_seconds",
    f"Age of the oldest external effect that was begun or is due. {_SHARED.replace('(service)', '(service, kind)')}",
    ["service", "kind"],
)
PAUSED = Gauge(
    "comptoir_paused",
    f"Whether an operator has paused it (1) or not (0). {_SHARED.replace('(service)', '(service, what)')}",
    ["service", "what"],
)
RESTORE_UNFINISHED = Gauge(
    "comptoir_restore_unfinished",
    f"1 while a restore of the database from a backup is not finished. {_SHARED}",
    ["service"],
)
WORKER_ERRORS = Counter(
    "comptoir_worker_errors_total", "Errors of background workers.", ["service", "worker"]
)
HTTP_SECONDS = Histogram(
    "comptoir_http_request_seconds",
    "From a request to the start of its response.",
    ["method", "route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
