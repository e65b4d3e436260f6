"""Queries of the dashboards: with Grafana's variables filled in, and taken apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

from deploy.grafana.building import Dashboard
from deploy.grafana.queries import RANGE, RATE_INTERVAL

STANDARD = ("job", "instance")


def filled(dashboard: Dashboard, expression: str, rate_interval: str, shown: str) -> str:
    """Return a query as Grafana sends it while all values of all variables are chosen."""
    expression = expression.replace(RATE_INTERVAL, rate_interval).replace(RANGE, shown)
    for name in (*STANDARD, *(variable.name for variable in dashboard.variables)):
        expression = expression.replace(f'"${name}"', '".+"')
    return expression


@dataclass(frozen=True)
class Selector:
    """A selector of a query and the nodes around it, the innermost last."""

    node: promql_parser.VectorSelector
    around: tuple[Any, ...]

    @property
    def name(self) -> str:
        return self.node.name or ""

    @property
    def matchers(self) -> dict[str, str]:
        """Return the value of each label's matcher."""
        return {one.name: one.value for one in self.node.matchers.matchers}

    @property
    def functions(self) -> list[str]:
        """Return the functions around it, the innermost first."""
        return [node.func.name for node in reversed(self.around) if isinstance(node, promql_parser.Call)]

    @property
    def range_seconds(self) -> float | None:
        """Return the length of its range, None when it has none."""
        inner = self.around[-1] if self.around else None
        return inner.range.total_seconds() if isinstance(inner, promql_parser.MatrixSelector) else None

    @property
    def labels(self) -> set[str]:
        """Return the labels that its matchers and the aggregations around it name."""
        kept = [
            label
            for node in self.around
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier
            for label in node.modifier.labels
        ]
        return {*self.matchers, *kept}


def selectors(expression: str) -> Iterator[Selector]:
    """Yield the selectors of a query. Raises ValueError when it is not PromQL."""
    around: list[Any] = []
    found: list[Selector] = []

    def enter(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(Selector(node, tuple(around)))
        around.append(node)

    promql_parser.walk(promql_parser.parse(expression), enter, lambda _: bool(around.pop()) or None)
    yield from found
