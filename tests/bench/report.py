"""What a bench leaves behind: `report.json`, and a table for people with the machine and the settings it ran on."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.row import RATIO_GOAL, Row
from tests.bench.scale import Scale

PACKAGES = ("uvloop", "asyncpg", "aio-pika", "faststream", "pydantic")


def write_report(path: Path, rows: Sequence[Row]) -> None:
    """The rows as a JSON list, complete at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps([row.document() for row in rows], indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


def table_of(rows: Sequence[Row]) -> Table:
    """The rows as people read them."""
    table = Table(title="Comptoir, speed")
    table.add_column("", no_wrap=True)
    for heading in ("ours", "floor", f"ratio (≥ {RATIO_GOAL})", "goal"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        table.add_row(*cells(row))
    return table


def cells(row: Row) -> tuple[str, str, str, str, str, str]:
    """A row's words in the table."""
    sign = "≤" if row.less_is_better else "≥"
    return (
        row.name,
        f"{_number(row.value)} {row.unit}",
        "" if row.floor is None else _number(row.floor),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.goal is None else f"{sign} {_number(row.goal)}",
        verdict(row),
    )


def verdict(row: Row) -> str:
    """Whether it reached its goal, or why it can't be said."""
    if row.failed is not None:
        return f"failed: {row.failed}"
    if row.held is not None and not row.held.is_held:
        return str(row.held)
    return {True: "reached", False: "missed", None: ""}[row.is_met]


def lines_of(row: Row) -> list[str]:
    """What a figure is made of, a line for each heading, with the sum where adding up means something."""
    return [
        f"{row.name}, {heading}: {', '.join(f'{name} {value:.2f}' for name, value in part.items())}"
        + (f"; sum {sum(part.values()):.2f}" if "batch" not in heading else "")
        for heading, part in row.parts.items()
    ]


def settings(scale: Scale, servers: Mapping[str, str]) -> list[str]:
    """The machine, the versions and the durations, a line each."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return [
        f"{os.cpu_count()} cores ({platform.machine()}), load before {load}; Python {platform.python_version()}",
        ", ".join(f"{name} {each}" for name, each in servers.items()),
        packages,
        ", ".join(f"{name} {each:g}" for name, each in asdict(scale).items()),
    ]


def show(console: Console, rows: Sequence[Row], lines: Sequence[str]) -> None:
    """Table and lines."""
    console.print(table_of(rows))
    for line in [*(line for row in rows for line in lines_of(row)), *lines]:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
