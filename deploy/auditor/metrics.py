"""Prometheus series of the auditor, built from its report on each scrape."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from deploy.auditor.watching import Watch
from deploy.backup.keeping import newest_at


class Series:
    """Findings of a watch as series; names begin with `comptoir_auditor_`."""

    def __init__(self, watch: Watch) -> None:
        self._found = watch

    def collect(self) -> Iterator[Metric]:
        """Build the series of the last scan, and of the last full scan once there was one."""
        report, progress = self._found.report, self._found.progress
        failed = CounterMetricFamily("comptoir_auditor_scans_failed", "Scans that raised and were retried.")
        failed.add_metric([], self._found.failed)
        yield failed
        yield self._backup()
        if "checks" not in report:
            return
        violations = GaugeMetricFamily(
            "comptoir_auditor_violations", "Violations that last, by check.", labels=["check"]
        )
        for each in report["checks"]:
            violations.add_metric([each["name"]], each["violations"])
        yield violations
        yield _gauge("in_motion", "Findings of the last scan that may be traffic.", report["in_motion"])
        yield _gauge("scan_seconds", "How long the last scan took.", report["seconds"])
        yield _gauge("scan_orders", "Orders that the last scan checked.", progress.orders)
        if self._found.scanned_at is not None:
            timestamp = self._found.scanned_at.timestamp()
            yield _gauge("scan_timestamp_seconds", "When the last scan ended.", timestamp)
        if progress.full_scan_at is not None:
            timestamp = progress.full_scan_at.timestamp()
            yield _gauge("full_scan_timestamp_seconds", "When the last full scan ended.", timestamp)
            yield _gauge(
                "full_scan_seconds", "How long the last full scan took.", progress.full_scan_seconds or 0.0
            )
            yield _gauge(
                "full_scan_orders", "Orders that the last full scan checked.", progress.full_scan_orders
            )

    def _backup(self) -> Metric:
        """Build the time of the newest backup, without a sample where no folder of backups is watched."""
        text = "When the newest complete backup was begun, 0 without one."
        family = GaugeMetricFamily("comptoir_auditor_backup_timestamp_seconds", text)
        if self._found.backups is not None:
            newest = newest_at(self._found.backups)
            family.add_metric([], newest.timestamp() if newest else 0.0)
        return family


def exposition(watch: Watch) -> bytes:
    """Return the series in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Series(watch))
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"comptoir_auditor_{name}", text, value=value)
