"""The README's tables are what the code says."""

import re
from pathlib import Path

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase
from starlette.routing import Route

from services.chassis import failpoints, metrics
from services.chassis.http import health
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.watchdog import Watchdog
from services.chassis.setting_files import PREFIX
from services.chassis.settings import ServiceSettings
from services.chassis.testing import settings_for_tests
from tests.chassis import sample

HOME = Path(__file__).parents[2] / "services" / "chassis"
README = (HOME / "README.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(heading: str) -> list[str]:
    """The first cells of a table, without backticks."""
    return [row[0].strip("`") for row in rows(heading)]


def test_settings() -> None:
    expected = [
        [
            f"`{PREFIX}{name.upper()}`",
            "required" if field.is_required() else str(field.default),
            str(field.description),
        ]
        for name, field in ServiceSettings.model_fields.items()
    ]
    assert rows("Settings") == expected


def test_metrics() -> None:
    found = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    expected = [[f"`{_described(m)}`", ", ".join(m._labelnames), m._documentation] for m in found]
    assert rows("Metrics") == expected


def _described(metric: MetricWrapperBase) -> str:
    """A series' name as it is scraped."""
    return f"{metric._name}_total" if isinstance(metric, Counter) else metric._name


def test_failpoints() -> None:
    assert tuple(names("Failpoints")) == failpoints.NAMES


def test_tables() -> None:
    sql = "\n".join(path.read_text() for path in sorted((HOME / "migrations").glob("*.sql")))
    assert names("Tables") == re.findall(r"^CREATE TABLE msg\.(\w+) ", sql, re.MULTILINE)


def test_routes() -> None:
    hub = Hub(settings_for_tests(ServiceSettings, "postgresql://nowhere/"), sample.subscribers)
    routes: list[Route] = health.routes(hub, Watchdog(60))
    served = {f"{'POST' if 'POST' in (route.methods or ()) else 'GET'} {route.path}" for route in routes}
    assert set(names("What operators can do")) == served


def test_reasons() -> None:
    inbound = HOME / "messaging" / "inbound"
    code = "\n".join(
        (inbound / f"{name}.py").read_text()
        for name in ("raw_message", "message_reader", "parking", "dead_letters", "batch", "committing")
    )
    used = set(re.findall(r'InvalidMessage\(\s*"(\w+)"', code)) | set(re.findall(r'return "(\w+)", ', code))
    used |= set(re.findall(r'"(dedupe_window_expired|id_from_future|error)"', code))
    used |= set(re.findall(r'^(?:CODE|WRONG_SENDER|UNROUTABLE) = "(\w+)"', code, re.MULTILINE))
    assert set(names("Why messages are parked")) == used


def test_every_file_is_named_and_exists() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", README))
    files = {str(path.relative_to(HOME)) for path in HOME.rglob("*.py") if path.name != "__init__.py"}
    assert named == files
