"""The auditor's row of the dashboard Service: what it finds in the data of all, and its own work."""

from deploy.grafana.building import Row
from deploy.grafana.panels import Panel, Query, Stat
from deploy.grafana.queries import add, largest, of, per_hour, rate

VIOLATIONS = "comptoir_auditor_violations"
NOT_YET = "the first full scan takes a while"

AUDITOR = Row(
    "Auditor",
    [
        Panel(
            "Violations by check",
            "Contradictions that last. Zero is the only good value.",
            "short",
            [Query(f"{largest(of(VIOLATIONS), 'check')} > 0", "{{check}}", "there are no violations")],
            warning=1,
        ),
        Panel(
            "Time of a scan",
            "How long the auditor takes for what changed, and for everything.",
            "s",
            [
                Query(largest(of("comptoir_auditor_scan_seconds")), "what changed"),
                Query(
                    largest(of("comptoir_auditor_full_scan_seconds")),
                    "everything",
                    NOT_YET,
                ),
            ],
        ),
        Panel(
            "Findings in motion, failed scans",
            "Findings of the last scan that may be traffic: a later scan decides. Failed scans raised an error and are "
            "retried; a steady rate means that the auditor sees nothing.",
            "short",
            [
                Query(largest(of("comptoir_auditor_in_motion")), "in motion"),
                Query(per_hour(add(rate("comptoir_auditor_scans_failed_total"))), "failed scans per hour"),
            ],
            width=16,
        ),
        Stat(
            "Last backup",
            "When the newest complete backup in the folder that the auditor watches was begun; 1970 if there is none. "
            "On Kubernetes the alert on old backups looks at the job instead.",
            "dateTimeFromNow",
            [
                Query(
                    f"1000 * max({of('comptoir_auditor_backup_timestamp_seconds')})",
                    "backed up",
                    "the auditor watches no folder of backups",
                )
            ],
            width=8,
            height=8,
        ),
    ],
)
