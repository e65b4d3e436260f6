"""Service: the processes themselves, and what the auditor finds in the data of all."""

from deploy.grafana.auditor import AUDITOR, NOT_YET, VIOLATIONS
from deploy.grafana.building import Dashboard, Row
from deploy.grafana.panels import Panel, Query, Stat
from deploy.grafana.queries import RATE_INTERVAL, add, of, quantile, rate

STARTED = "process_start_time_seconds"
HTTP = "comptoir_http_request_seconds"
PROCESS = "{{program}} {{instance}}"
IN_USE = 'state="in_use"'
ERRORS = "no background worker had an error"

_NOW = Row(
    "Now",
    [
        Stat(
            "Processes down",
            "Processes that Prometheus can't scrape: down, or the token is wrong.",
            "short",
            [Query(f"count({of('up')} == 0) or vector(0)", "processes")],
            warning=1,
            width=3,
        ),
        Stat(
            "Processes up",
            "Processes that answered the last scrape.",
            "short",
            [Query(f"count({of('up')} == 1)", "processes")],
            width=3,
        ),
        Stat(
            "Paused, restoring",
            "What operators have paused, and databases restored from a backup until the restore is finished: their "
            "services send no mail and call no provider.",
            "short",
            [
                Query(add(f"max by (service, what) ({of('comptoir_paused')})"), "paused"),
                Query(add(f"max by (service) ({of('comptoir_restore_unfinished')})"), "restoring"),
            ],
            warning=1,
            width=3,
        ),
        Stat(
            "Youngest process",
            "When the latest process started. Recent, and nobody has deployed: look for the end of its log.",
            "dateTimeFromNow",
            [Query(f"1000 * max({of(STARTED)})", "started")],
            width=3,
        ),
        Stat(
            "Violations found by the auditor",
            "Contradictions between the services' data that last. Each is a defect: the auditor's page in the back "
            "office names orders and values.",
            "short",
            [Query(add(of(VIOLATIONS)), "violations")],
            warning=1,
        ),
        Stat(
            "Last scan of the auditor",
            "When it last compared the databases. Old: the auditor is down or can't read them.",
            "dateTimeFromNow",
            [Query(f"1000 * max({of('comptoir_auditor_scan_timestamp_seconds')})", "scanned")],
        ),
        Stat(
            "Last full scan",
            "When it last was through all orders.",
            "dateTimeFromNow",
            [
                Query(
                    f"1000 * max({of('comptoir_auditor_full_scan_timestamp_seconds')})",
                    "scanned all",
                    NOT_YET,
                )
            ],
        ),
    ],
)

_PROCESSES = Row(
    "Processes",
    [
        Panel(
            "Processor time",
            "In processors, by process. A Python process has one at most: at 1 add a replica.",
            "short",
            [Query(rate("process_cpu_seconds_total"), PROCESS)],
            warning=0.9,
            decimals=2,
        ),
        Panel(
            "Resident memory",
            "By process. It levels off after some hours; a steady rise is a leak.",
            "bytes",
            [Query(of("process_resident_memory_bytes"), PROCESS)],
        ),
        Panel(
            "Open file descriptors",
            "Share of the process's limit.",
            "percentunit",
            [Query(f"{of('process_open_fds')} / {of('process_max_fds')}", PROCESS)],
            warning=0.8,
        ),
        Panel(
            "Restarts",
            "Starts of processes in the latest interval. A process that restarts again and again is nowhere seen "
            "as clearly.",
            "short",
            [Query(f"changes({of(STARTED)}[{RATE_INTERVAL}])", PROCESS)],
            decimals=0,
        ),
    ],
)

_WORK = Row(
    "Work",
    [
        Panel(
            "Handled messages",
            "By process. Replicas share the queues: an idle one beside a busy one has lost its consumers.",
            "ops",
            [
                Query(
                    add(rate("comptoir_messages_handled_total"), "program", "instance"),
                    PROCESS,
                )
            ],
        ),
        Panel(
            "Time of a commit",
            "From begin to commit of a batch, by service. Above a second PostgreSQL is slow or rows are locked.",
            "s",
            [
                Query(quantile(0.5, "comptoir_commit_seconds", "service"), "{{service}}, half"),
                Query(quantile(0.95, "comptoir_commit_seconds", "service"), "{{service}}, 95 %"),
            ],
            warning=1,
        ),
        Panel(
            "Statements to PostgreSQL",
            "By process, BEGIN and COMMIT included. Pages and REST count as well as messages.",
            "ops",
            [
                Query(
                    add(rate("comptoir_database_statements_total"), "program", "instance"),
                    PROCESS,
                )
            ],
        ),
        Panel(
            "Errors of background workers",
            "By service and worker; the log has each. They try again: a few are harmless, a steady rate is not.",
            "ops",
            [
                Query(
                    add(rate("comptoir_worker_errors_total"), "service", "worker"),
                    "{{service}} {{worker}}",
                    ERRORS,
                )
            ],
        ),
    ],
)

_WAITING = Row(
    "Waiting inside a process",
    [
        Panel(
            "Connections to PostgreSQL in use",
            "Share of the most that the pool opens (COMPTOIR_POOL_SIZE), by process. At 100 % work waits for a "
            "connection: look at the time of a commit first, then raise the size or add a replica.",
            "percentunit",
            [
                Query(
                    f"{add(of('comptoir_pool_connections', IN_USE), 'program', 'instance', 'pool')} / "
                    f"{add(of('comptoir_pool_connections_max'), 'program', 'instance', 'pool')}",
                    f"{PROCESS}, {{{{pool}}}}",
                )
            ],
            warning=0.9,
            width=8,
        ),
        Panel(
            "Wait for a connection, 95 %",
            "By process and pool. Milliseconds are good; after five seconds the work fails and is tried again.",
            "s",
            [
                Query(
                    quantile(0.95, "comptoir_pool_wait_seconds", "program", "instance", "pool"),
                    f"{PROCESS}, {{{{pool}}}}",
                )
            ],
            warning=0.1,
            width=8,
        ),
        Panel(
            "Lag of the event loop, 99 %",
            "How late a process runs what is due, by process. It is single-threaded: above 0.1 s something computes "
            "for too long, or the machine has too few processors.",
            "s",
            [
                Query(
                    quantile(0.99, "comptoir_event_loop_lag_seconds", "program", "instance"),
                    PROCESS,
                )
            ],
            warning=0.1,
            width=8,
        ),
    ],
)

_HTTP = Row(
    "Requests: pages, REST, webhooks",
    [
        Panel(
            "Requests by status",
            "By program and class of status. 5xx are our faults, 4xx mostly the caller's.",
            "reqps",
            [Query(add(rate(f"{HTTP}_count"), "program", "status"), "{{program}}, {{status}}")],
        ),
        Panel(
            "Requests that failed",
            "Responses 5xx by route. The log has a line for each class of failed requests.",
            "reqps",
            [
                Query(
                    add(rate(f"{HTTP}_count", 'status="5xx"'), "program", "method", "route"),
                    "{{program}} {{method}} {{route}}",
                    "no request failed",
                )
            ],
        ),
        Panel(
            "Time to the response, 95 %",
            "By program. People notice half a second.",
            "s",
            [Query(quantile(0.95, HTTP, "program"), "{{program}}")],
            warning=0.5,
        ),
        Panel(
            "Slowest routes",
            "The five routes with the highest 95 % of the time to the response.",
            "s",
            [
                Query(
                    f"topk(5, {quantile(0.95, HTTP, 'program', 'method', 'route')})",
                    "{{program}} {{method}} {{route}}",
                )
            ],
        ),
    ],
)

DASHBOARD = Dashboard(
    "service",
    "Service",
    "The processes: up, processor, memory, commits, waits, errors; and what the auditor finds.",
    ("comptoir_database_statements_total", VIOLATIONS),
    [_NOW, _PROCESSES, _WORK, _WAITING, _HTTP, AUDITOR],
)
