"""PromQL in small pieces. Every selector has the matchers of the variables `job` and `instance`.

`$__rate_interval` and `$__range` are Grafana's: a few scrapes, and the time that the dashboard shows.
"""

RATE_INTERVAL, RANGE = "$__rate_interval", "$__range"
_CHOSEN = ('job=~"$job"', 'instance=~"$instance"')


def of(metric: str, *matchers: str) -> str:
    """Return a selector: `of("up", 'state="dead"')`."""
    return f"{metric}{{{','.join((*_CHOSEN, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """Return the increase per second of a counter."""
    return f"rate({of(metric, *matchers)}[{RATE_INTERVAL}])"


def increase(metric: str, *matchers: str) -> str:
    """Return the increase of a counter in the time that the dashboard shows."""
    return f"increase({of(metric, *matchers)}[{RANGE}])"


def per_hour(expression: str) -> str:
    """Return a rate per second as a rate per hour."""
    return f"3600 * {expression}"


def add(expression: str, *labels: str) -> str:
    """Return the sum over all labels but these."""
    return _aggregated("sum", expression, labels)


def largest(expression: str, *labels: str) -> str:
    """Return the maximum over all labels but these."""
    return _aggregated("max", expression, labels)


def quantile(share: float, histogram: str, *labels: str, matchers: tuple[str, ...] = ()) -> str:
    """Return a quantile of a histogram's latest observations."""
    buckets = add(rate(f"{histogram}_bucket", *matchers), "le", *labels)
    return f"histogram_quantile({share}, {buckets})"


def average(histogram: str, *labels: str, matchers: tuple[str, ...] = ()) -> str:
    """Return the average of a histogram's latest observations."""
    total, count = (add(rate(f"{histogram}_{part}", *matchers), *labels) for part in ("sum", "count"))
    return f"{total} / {count}"


def either(*expressions: str) -> str:
    """Return the first expression, and of the others the series that those before do not have: the same value
    under the names of different versions."""
    return " or ".join(expressions)


def _aggregated(operator: str, expression: str, labels: tuple[str, ...]) -> str:
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"{operator}{by} ({expression})"
