"""Prometheus series of the auditor, built from its report on each scrape."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from deploy.auditor.watching import Watch


class Series:
    """Findings of a watch as series; names begin with `comptoir_auditor_`."""

    def __init__(self, found: Watch) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Build the series of the last look, and of the last full look once there was one."""
        told, progress = self._found.told, self._found.progress
        failed = CounterMetricFamily(
            "comptoir_auditor_looks_failed", "Looks that raised and were tried again."
        )
        failed.add_metric([], self._found.failed)
        yield failed
        if "checks" not in told:
            return
        violations = GaugeMetricFamily(
            "comptoir_auditor_violations", "Violations that last, by check.", labels=["check"]
        )
        for each in told["checks"]:
            violations.add_metric([each["name"]], each["violations"])
        yield violations
        yield _gauge("in_motion", "Findings of the last look that may be traffic.", told["in_motion"])
        yield _gauge("look_seconds", "How long the last look took.", told["seconds"])
        yield _gauge("look_orders", "Orders that the last look was at.", progress.orders)
        if self._found.looked_at is not None:
            moment = self._found.looked_at.timestamp()
            yield _gauge("look_timestamp_seconds", "When the last look ended.", moment)
        if progress.full_look_at is not None:
            moment = progress.full_look_at.timestamp()
            yield _gauge("full_look_timestamp_seconds", "When the last full look ended.", moment)
            yield _gauge(
                "full_look_seconds", "How long the last full look took.", progress.full_look_seconds or 0.0
            )
            yield _gauge(
                "full_look_orders", "Orders that the last full look was at.", progress.full_look_orders
            )


def exposition(found: Watch) -> bytes:
    """Return the series in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Series(found))
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"comptoir_auditor_{name}", text, value=value)
