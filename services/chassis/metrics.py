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
    "comptoir_messages_parked_total", "Messages parked for a person.", ["service", "queue", "reason"]
)
EVENT_AGE = Histogram(
    "comptoir_event_age_seconds",
    "From an event's id to its commit here.",
    ["service", "queue"],
    buckets=(*_SECONDS, 60, 600),
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
PUBLISHED = Counter("comptoir_messages_published_total", "Messages confirmed by the broker.", ["service"])
UNCONFIRMED = Counter("comptoir_publishes_failed_total", "Publishes to be repeated.", ["service", "why"])
CONFIRM_SECONDS = Histogram(
    "comptoir_confirm_seconds", "Publish to confirm, per batch.", ["service"], buckets=_SECONDS
)
_SHARED = "Every replica reports the same: max by (service), no sum."
"""Note on gauges that describe the whole service rather than one of its processes."""
DISPATCH_ROWS = Gauge("comptoir_dispatch_rows", f"Messages still to leave. {_SHARED}", ["service"])
DISPATCH_AGE = Gauge(
    "comptoir_dispatch_oldest_seconds", f"Age of the oldest message still to leave. {_SHARED}", ["service"]
)
DISPATCH_REFUSED = Gauge(
    "comptoir_dispatch_refused",
    f"Messages the broker turned away, still in the outbox. {_SHARED}",
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
EFFECTS = Counter("comptoir_effects_total", "External effects by outcome.", ["service", "kind", "outcome"])
WORKER_ERRORS = Counter(
    "comptoir_worker_errors_total", "Errors of background workers.", ["service", "worker"]
)
